#ifndef SM_PREDICT_SHARED_CORES_H
#define SM_PREDICT_SHARED_CORES_H

#include "predict/recursion.h"

struct sm_sharing { /* who competes for how many CPUs */
	double cores;
	double foreign; /* threads of others that are always ready to run */
	double hand_computing; /* share of taking a batch that the loop computes; the rest is waiting for a CPU */
	double loop_computing; /* share of the loop's own time that it computes */
	double loop_blocked; /* share that it waits for something else than a CPU; the rest is waiting for one */
	double loop_pace; /* the scheduler is kinder to a thread that mostly sleeps: its share of the usual slowing */
	double loop_threads; /* that compute while it computes */
};

/* As sm_recursion_run without a timeline, with CPUs shared. num_workers is at least 1. 0 or -ENOMEM. */
int sm_shared_cores_run(
	const struct sm_replay *replay, const struct sm_sharing *sharing, struct sm_outcome *ret);

#endif
