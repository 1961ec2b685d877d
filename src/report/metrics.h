/* The sixteen numbers that the specification asks to be watched, each made from the counters that the probes sampled:
 * summed over the processes of the job (or CPUs, disks, interfaces, devices) on one grid of times. */
#ifndef SM_REPORT_METRICS_H
#define SM_REPORT_METRICS_H

#include "base/arena.h"
#include "model/model.h"

#include <stddef.h>

enum { SM_METRICS_POINTS = 240 };

struct sm_metrics_row {
	const char *name, *group, *unit, *summary;
	double *value; /* at the times of the table; NaN where nothing was sampled; in arena; NULL: not measured */
	double mean, minimum, maximum, last; /* NaN where not measured */
};

struct sm_metrics {
	double *time_s;		     /* since the run began; in arena */
	size_t count;		     /* points */
	struct sm_metrics_row *rows; /* in arena */
	size_t row_count;
};

int sm_metrics_build(
	struct sm_metrics *ret_metrics, struct sm_arena *arena, const struct sm_model *model);

/* Names of those that nothing was sampled for, ", " between; "" when all were. In arena; NULL: no memory. */
const char *sm_metrics_missing(struct sm_arena *arena, const struct sm_model *model);

#endif
