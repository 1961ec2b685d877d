#ifndef SM_PREDICT_CURE_H
#define SM_PREDICT_CURE_H

#include "predict/loader_model.h"

/* What one batch asks of each resource, seconds, under a cure. */
struct sm_demand {
	double draw;			  /* its indices, in the main process */
	double fetch, transform, collate; /* its worker */
	double way;			  /* done to at hand for the main process */
	double pin;			  /* the pin thread */
	double hand;			  /* the main process, before delivery */
	double h2d;			  /* the loop, or, asynchronous, the device */
	double sync, other;		  /* the loop, or, asynchronous, 0 */
	double compute;			  /* the loop, or, asynchronous, the device */
	double launch;			  /* asynchronous: the host */
	double optimizer;		  /* part of compute */
	double fetch_blocked, transform_blocked,
		collate_blocked; /* parts of fetch, transform, collate: neither
								     computing nor waiting for a CPU */
	double run_delay_share;	 /* of what is not blocked: waiting for a CPU; NaN unknown */
	int epoch;
};

struct sm_borders { /* what an epoch costs beside its batches, seconds */
	double startup_first, startup_later, iterate_first, iterate_later, ending;
};

/* Demands of all batches under a cure (NULL: none). `demands` has room for model->count. 0 or -ENOMEM. */
int sm_cure_apply(const struct sm_loader_model *model, const struct sm_cure *cure,
	struct sm_demand *demands, struct sm_borders *ret_borders);
bool sm_cure_is_input(
	const struct sm_cure *cure); /* it can give back no more than the exposed stall */

#endif
