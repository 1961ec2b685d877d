/* Begin and end of a span, with every case handled. */
#ifndef SM_RECORD_SPAN_H
#define SM_RECORD_SPAN_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SM_SPAN_KEYS = 256 - 64
}; /* a payload's type has eight bits, arguments begin at SM_RING_ARG */

/* `always`: the span carries its cause whatever its name did before. */
void sm_span_begin_general(uint32_t name, bool always);
void sm_span_end_general(void);

#endif
