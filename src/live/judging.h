/* The verdict of a run that goes on, worked out beside the view.
 *
 * Judging needs a whole model and takes from a millisecond to seconds, by the length of the run. It is done aside (aside.h):
 * there the growing model can be completed, here it goes on growing, and the view never stands still. The next judgement waits
 * until judging takes no more than one part in SM_JUDGING_REST of a core on average. */
#ifndef SM_LIVE_JUDGING_H
#define SM_LIVE_JUDGING_H

#include "live/aside.h"
#include "live/judgement.h"
#include "model/model_growing.h"

enum { SM_JUDGING_REST = 20 };

struct sm_judging {
	struct sm_aside aside;
	int64_t due_ns;	  /* not before */
	int64_t asked_ns; /* when the one at work began */
	bool unicode;
};

int sm_judging_init(struct sm_judging *judging, bool unicode);
void sm_judging_finish(struct sm_judging *judging); /* fine on a zeroed one */

/* Begins, where none is at work and the next is due: 1. 0: not now. Negative: why no process could be had. */
int sm_judging_begin(struct sm_judging *judging, struct sm_model_growing *growing,
	const struct sm_trace_summary *summary, const char *run);
/* 1: *ret_judgement is new. 0: nothing new. Negative: the run could not be judged. */
int sm_judging_take(struct sm_judging *judging, struct sm_judgement *ret_judgement);

/* Waits for the one at work. */
void sm_judging_await(const struct sm_judging *judging);

#endif
