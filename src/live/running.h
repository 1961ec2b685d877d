/* Runs that are being recorded now.
 *
 * A collector keeps the file `collector` of its live directory open and locked as long as it lives. Whose open files we may see
 * are asked in /proc, so that no lock is tried that a collector might be about to take; where they may not be seen (another
 * user, another container) the lock is tried, and only in a run that has a trace already. */
#ifndef SM_LIVE_RUNNING_H
#define SM_LIVE_RUNNING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_running {
	char run[PATH_MAX];
	char live[PATH_MAX];
	char holder[64];  /* "/proc/12/fd/3", the open lock; "" where it is not to be seen */
	int64_t since_ns; /* of CLOCK_REALTIME */
};

struct sm_running_list {
	struct sm_running *items; /* owned; newest first */
	size_t count, capacity;
};

/* Those of this user, and those in `directory` and in its folders. 0 or -ENOMEM. */
int sm_running_find(struct sm_running_list *list, const char *directory);
void sm_running_finish(struct sm_running_list *list); /* fine on a zeroed one */

/* The one whose job the process belongs to: its own environment or mappings say so, or its parents'. NULL: none. */
const struct sm_running *sm_running_of(const struct sm_running_list *list, pid_t pid);
/* The one in that directory. False: it is not being recorded. */
bool sm_running_in(const char *run, struct sm_running *ret_running);
/* Is it still? */
bool sm_running_goes_on(const struct sm_running *running);

#endif
