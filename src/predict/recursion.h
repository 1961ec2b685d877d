#ifndef SM_PREDICT_RECURSION_H
#define SM_PREDICT_RECURSION_H

#include "predict/cure.h"

struct sm_replay { /* what is simulated */
	const struct sm_demand *demands;
	const size_t *order; /* which demands, one after the other; NULL: all as recorded */
	size_t count;	     /* of the order, or of the demands */
	size_t recorded; /* how many demands there are: a shorter order has shorter epochs and cheaper borders */
	struct sm_borders borders;
	struct sm_setting setting;
	bool asynchronous;
};

struct sm_outcome {
	double time_s, exposed_s;
	double loop_s; /* of the loop's own steps, delivery to next request */
};

/* Runs the loader. `timeline`, when not NULL, has room for `count` batches and gets their times in ns, as if recorded.
 * 0 or -ENOMEM. */
int sm_recursion_run(
	const struct sm_replay *replay, struct sm_batch *timeline, struct sm_outcome *ret);

#endif
