/* Groups of counters that can be switched off, each by its word: memory, gpu, cpu, io. What belongs to none of them (the
 * collector's own cost, what a process waits for) is always sampled. */
#ifndef SM_BASE_TRACKING_H
#define SM_BASE_TRACKING_H

#include <stdbool.h>

enum sm_tracking {
	SM_TRACKING_MEMORY = 1,
	SM_TRACKING_GPU = 2,
	SM_TRACKING_CPU = 4,
	SM_TRACKING_IO = 8,
	SM_TRACKING_COUNT = 4, /* of groups */
};

/* What is noted of a group that was left out, under its word. */
#define SM_TRACKING_OFF "switched off"

/* The group of a counter (enum sm_metric); 0: none. */
unsigned sm_tracking_of(int metric);
/* The word of the i-th group. */
const char *sm_tracking_name(int i);
/* "memory,io" with that separator. False: a word that is none; *ret_wrong (NULL: not wanted) is where it begins. */
bool sm_tracking_read(
	const char *words, char separator, unsigned *ret_groups, const char **ret_wrong);

#endif
