/* The names of this process: text to id, the same in all threads and in forked children. */
#ifndef SM_RECORD_NAME_H
#define SM_RECORD_NAME_H

#include "ring/ring_writer.h"

#include <stdint.h>

enum {
	SM_NAME_WEIGHTS = 1 << 16, /* names beyond never carry their cause by themselves */
	SM_NAME_WEIGHT_CARRY = 3,  /* from this weight on they do */
};

/* Under the lock: all names, into a new file. 0 or -errno. */
int sm_name_write_all(struct sm_ring_writer *writer);

/* How the spans of a name have been lately: 0 short. The weight falls by one when a span begins and rises by two when it
 * turns out long, so it rises in the long run when the median is long and falls when it is not; it is a running median
 * that knows only the one thing that is asked of it. A new name starts just below SM_NAME_WEIGHT_CARRY. */
extern unsigned char sm_name_weights[SM_NAME_WEIGHTS];
void sm_name_reset_weights(void);		   /* under the lock, when a session starts */
unsigned char sm_name_lower_weight(uint32_t name); /* returns the weight before */
void sm_name_raise_weight(uint32_t name);

#endif
