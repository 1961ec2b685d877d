/* Keeps the cost of sampling down: halves the rate when it takes more than its share of a core, and gives it back when it
 * takes far less. */
#ifndef SM_COLLECT_GOVERNOR_H
#define SM_COLLECT_GOVERNOR_H

#include <stdint.h>

enum { SM_GOVERNOR_SLOWDOWN_MAX = 32 };

struct sm_governor {
	double budget_share;	 /* of a core */
	int slowdown;		 /* intervals are this many times as long: 1, 2, 4, ... */
	int64_t window_begin_ns; /* 0: none yet */
	int64_t spent_ns;	 /* CPU in this window */
};

#define SM_GOVERNOR_COUNTERS_SHARE 0.005
#define SM_GOVERNOR_STACKS_SHARE   0.01
void sm_governor_init(struct sm_governor *governor, double budget_share);
/* One round of sampling took `cpu_ns` and ended at `now_ns`. Returns the slowdown in force from here. */
int sm_governor_note(struct sm_governor *governor, int64_t now_ns, int64_t cpu_ns);

#endif
