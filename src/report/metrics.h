/* The sixteen numbers that the specification asks to be watched, and a few beside them, each made from the counters that
 * the probes sampled: joined over the processes of the job (or CPUs, disks, interfaces, devices) on one grid of times. */
#ifndef SM_REPORT_METRICS_H
#define SM_REPORT_METRICS_H

#include "base/arena.h"
#include "report/report.h"

#include <stddef.h>

enum { SM_METRICS_POINTS = 240, SM_METRICS_PARTS = 64 };

struct sm_metrics_summary { /* NaN where not measured */
	double mean, minimum, maximum, last;
};

struct sm_metrics_part { /* one CPU, disk, interface or device */
	const char *name;
	struct sm_metrics_summary summary;
};

struct sm_metrics_row {
	const char *name, *title, *group, *unit, *description;
	const char *detail;  /* what no number says; NULL: nothing */
	const char *missing; /* why there is no value; NULL: there is */
	double *value; /* at the times of the table; NaN where nothing was sampled; in arena; NULL: not measured */
	struct sm_metrics_summary summary;
	struct sm_metrics_part *parts; /* in arena; the first SM_METRICS_PARTS */
	size_t part_count;
};

struct sm_metrics {
	double *time_s;		     /* since the run began; in arena */
	size_t count;		     /* points */
	struct sm_metrics_row *rows; /* in arena; the specification's come first */
	size_t row_count;
};

int sm_metrics_build(
	struct sm_metrics *ret_metrics, struct sm_arena *arena, const struct sm_report *report);

/* Those without a value, by reason: names with ", " between, and why. 0 or -ENOMEM. */
int sm_metrics_each_missing(const struct sm_report *report,
	void (*say)(void *context, const char *what, const char *why), void *context);

#endif
