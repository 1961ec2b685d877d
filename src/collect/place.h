/* Where a run is kept: its directory, and the directory of the mappings.
 *
 *     stallmeter-train-20261122-114305/
 *         rank0.stall
 *         live/            the mappings while the job runs; gone afterwards
 *         live/collector   locked as long as a collector lives; its pid, if it looks at stacks
 *         live.path        instead of live/: where it is, when the run directory is on a network mount
 *
 * The training maps files of live/ and stores into them. Under a network or FUSE mount, such a store can hang it or end it with
 * SIGBUS, so live/ then moves to a local disk; never into /dev/shm, which belongs to the job's batches. */
#ifndef SM_COLLECT_PLACE_H
#define SM_COLLECT_PLACE_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

struct sm_place {
	char run[PATH_MAX];  /* absolute */
	char live[PATH_MAX]; /* absolute */
	int lock_fd;	     /* owned; shared with whoever inherits it. -1: none */
	bool live_is_elsewhere;
};
#define SM_PLACE_EMPTY ((struct sm_place){.lock_fd = -1})

struct sm_place_options {
	const char *wanted;    /* run directory; where it is taken, "-2", "-3", ... is appended */
	bool may_exist;	       /* it is taken as it is when it is there (the Python API's) */
	const char *temporary; /* a local directory for live/ when that must go elsewhere */
};

int sm_place_make(
	struct sm_place *place, const struct sm_place_options *options, struct sm_error *reterr);
/* Puts the collector's pid where the job's processes find it, so that they let it read their stacks. */
void sm_place_sign(const struct sm_place *place, int collector_pid);
/* Lets go of the lock. With `remove`, takes away what make made, where nothing was put into it. */
void sm_place_leave(struct sm_place *place, bool remove);
/* Does a collector live that empties this directory? */
bool sm_place_is_collected(const char *live_directory);
/* Why a mapping must not lie there, or NULL when it may. */
const char *sm_place_trouble(const char *directory);

#endif
