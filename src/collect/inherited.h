/* /proc/<pid>/io of a process holds what its children had read and written as well, from the moment in which it waited
 * for them. Added up over a job, and over the loader's workers of every epoch, that would be counted twice, in one peak. */
#ifndef SM_COLLECT_INHERITED_H
#define SM_COLLECT_INHERITED_H

#include "base/metric.h"

#include <stddef.h>

enum { SM_INHERITED_METRICS = 5 };

/* Counters of one process, in the order of the file. */
struct sm_inherited {
	double raw[SM_INHERITED_METRICS];     /* as last read */
	double own[SM_INHERITED_METRICS];     /* as last handed on */
	double taken[SM_INHERITED_METRICS];   /* the part that ended children left */
	double (*left)[SM_INHERITED_METRICS]; /* owned; of ended children, not yet in `raw` */
	size_t left_count, left_capacity;
};

void sm_inherited_finish(struct sm_inherited *inherited);
/* What the process did itself; any other counter as it is. */
double sm_inherited_own(struct sm_inherited *inherited, enum sm_metric metric, double value);
/* A child of it has ended. */
void sm_inherited_add(struct sm_inherited *inherited, const struct sm_inherited *child);

#endif
