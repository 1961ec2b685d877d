/* What the time of spans went into, from the sums of their causes.
 *
 *     wall = computing + helpers + run delay + storage + waiting
 *
 * A thread that hands its work to helper threads (OpenCV, OpenMP, a pool) is blocked by its own clock while the process
 * burns CPU: that much of its blocked time is work, not a wait. Storage is blocked time of spans that read blocks or took
 * major faults. What is left waited for something that left no trace in the span: a lock, a peer, a sleep. */
#ifndef SM_DETECT_SPLIT_H
#define SM_DETECT_SPLIT_H

#include "model/model.h"

struct sm_split { /* seconds */
	double wall, computing, helpers, run_delay, storage, waiting;
	double unknown; /* of spans that carry no cause; not in wall */
};

struct sm_split sm_split_of(const struct sm_cause_sum *sum);
double sm_split_need(const struct sm_split
		*split); /* wall without the run delay: what the code itself asks for */
double sm_split_work(const struct sm_split *split); /* computing and helpers */

#endif
