/* What a run means: steps, stalls, shares, verdict. Made from a model by sm_analysis_build; read by detect, report and
 * export. Everything is in the model's arena. Seconds are double; NaN means "not measured" and prints as null. */
#ifndef SM_ANALYZE_ANALYSIS_H
#define SM_ANALYZE_ANALYSIS_H

#include "base/err.h"
#include "base/vocabulary.h"
#include "model/model.h"

#include <stdbool.h>
#include <stddef.h>

enum sm_verdict_class {
	SM_VERDICT_CANNOT_TELL,
	SM_VERDICT_STRAGGLER_BOUND,
	SM_VERDICT_INPUT_BOUND,
	SM_VERDICT_TRANSFER_BOUND,
	SM_VERDICT_HOST_BOUND,
	SM_VERDICT_PARTLY_INPUT_BOUND,
	SM_VERDICT_COMPUTE_BOUND,
	SM_VERDICT_COUNT,
};
const char *sm_analysis_class_name(enum sm_verdict_class verdict); /* "INPUT_BOUND" */

struct sm_stage_row {
	enum sm_stage stage;
	double share; /* of the critical path; those of a loader add up to 1 */
	double wall_s, cpu_s, run_delay_s, blocked_s, p50_s, p99_s;
	uint64_t count;
};

struct sm_transform_row {
	const struct sm_transform *transform;
	double wall_s, cpu_s, run_delay_s, blocked_s, helper_cpu_s;
	double share; /* those of a loader add up to the transform stage's */
	uint64_t calls;
};

struct sm_loader_model;
struct sm_loader_analysis {
	const struct sm_loader *loader;
	double time_s;					 /* T over the steps that consume it */
	size_t steps;					 /* batches of it that were consumed */
	double exposed_s, hidden_s, launch_s, wait_s;	 /* sums */
	double exposed_share, exposed_low, exposed_high; /* of its T; block-bootstrap 95 % */
	double ceiling_speedup;
	struct sm_stage_row stages[SM_STAGE_COUNT];
	size_t stage_count;		     /* those that exist */
	struct sm_transform_row *transforms; /* dearest first */
	size_t transform_count;
	const struct sm_loader_model *model; /* NULL where too little is known to simulate */
};

struct sm_steps {
	size_t count, warmup;
	double mean_s, p50_s, p95_s, p99_s, samples_per_s;
	double *wall_s; /* of each step, thinned to at most SM_MODEL_SERIES_POINTS groups, mean */
	double *exposed_s, *transfer_s, *other_s;
	double *at_s;
	size_t point_count;
};

enum { SM_HOT_LINES_MAX = 20 };
struct sm_hot_row {
	const struct sm_hot_line *line;
	double share; /* of the critical path of its loader; NaN where it belongs to no stage */
};

struct sm_verdict {
	enum sm_verdict_class class_;
	const char *sentence; /* one, for people: what binds and how sure */
	const char *missing;  /* CANNOT_TELL: what is missing and how to get it; else NULL */
	double exposed_stall_share, exposed_low, exposed_high;
	double hidden_wait_share, transfer_share, host_share;
	double ceiling_speedup;
};

struct sm_analysis {
	const struct sm_model *model;
	struct sm_arena *arena;	  /* borrowed: the model's; for what later parts add */
	double time_s;		  /* T */
	double wall_s;		  /* of the run */
	int64_t begin_ns, end_ns; /* of T */
	struct sm_steps steps;
	struct sm_loader_analysis *loaders; /* as model->loaders */
	size_t loader_count;
	struct sm_hot_row hot_lines[SM_HOT_LINES_MAX]; /* dearest first */
	size_t hot_line_count;
	int training_loader; /* index of the loader that feeds the training steps, -1 without any */
	struct sm_verdict verdict;
	double usable_cores;		 /* affinity, control group, online: the least */
	double own_cpu_s, own_cpu_share; /* of the collector, and of one core; NaN when unknown */
	const char
		*no_own_share_why; /* own_cpu_s is known and its share means nothing; else NULL */
};

double sm_analysis_loader_time_s(
	const struct sm_loader *loader); /* its epochs, without what lies between them */
double sm_analysis_usable_cores(const struct sm_model *model); /* NaN unknown */
int sm_analysis_build(
	struct sm_analysis *ret_analysis, struct sm_model *model, struct sm_error *reterr);

#endif
