/* Makes an analysis without a trace, for tests of detectors: a loader whose batches all do what the test says, and the
 * counters beside it. Every number is the test's own, so what a detector makes of it can be worked out by hand.
 *
 *     struct analysis_make *make = analysis_make_create(2, 200);             // workers, batches
 *     analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.010});
 *     analysis_make_transform(make, "Blur", "train.py:41", &(struct analysis_spent){.computing_s = 0.050});
 *     const struct sm_finding *finding = analysis_make_judge(make, "SM105");
 *     analysis_make_destroy(make);
 */
#ifndef TESTS_MAKE_ANALYSIS_MAKE_H
#define TESTS_MAKE_ANALYSIS_MAKE_H

#include "base/metric.h"
#include "detect/detect.h"

enum { ANALYSIS_MAKE_BATCH = 8, ANALYSIS_MAKE_TRANSFORMS = 4, ANALYSIS_MAKE_SERIES = 64 };

/* What one batch spends in one stage; the wall time is the sum of the first five. */
struct analysis_spent {
	double computing_s, helpers_s, run_delay_s, storage_s, waiting_s;
	double minor_faults, major_faults, waits; /* a batch */
	double read_bytes;			  /* a batch, from storage */
	bool without_cause;			  /* its spans carry none */
};

struct analysis_make {
	struct sm_model model;
	struct sm_analysis analysis;
	struct sm_loader loader;
	struct sm_loader_analysis loader_analysis;
	struct sm_loader_model loader_model;
	struct sm_findings findings;
	struct sm_transform transforms[ANALYSIS_MAKE_TRANSFORMS];
	struct sm_series series[ANALYSIS_MAKE_SERIES];
};

struct analysis_make *analysis_make_create(int num_workers, size_t batches); /* 4 usable cores */
void analysis_make_destroy(struct analysis_make *make);

void analysis_make_spend(
	struct analysis_make *make, enum sm_stage stage, const struct analysis_spent *spent);
void analysis_make_transform(struct analysis_make *make, const char *name, const char *where,
	const struct analysis_spent *spent);
/* Each batch starts a new epoch every `batches` of them; later epochs wait `startup_s` for their workers. */
void analysis_make_epochs(struct analysis_make *make, size_t batches, double startup_s);
/* A transform that takes `slow_s` more for every `every`-th sample. */
void analysis_make_slow_sample(struct analysis_make *make, size_t every, double slow_s);
void analysis_make_counter(struct analysis_make *make, enum sm_metric metric, int64_t instance,
	double first, double last);
/* Looks at worker 0: lock, sleep, socket, file, idle. */
void analysis_make_looks(struct analysis_make *make, double lock, double sleep, double socket,
	double file, double idle);
/* Works out T and the exposed stall, and runs the detectors. */
void analysis_make_run(struct analysis_make *make);
/* After analysis_make_run: the first finding of a detector, NULL when it found nothing. */
const struct sm_finding *analysis_make_finding(const struct analysis_make *make, const char *id);
bool analysis_make_passed(const struct analysis_make *make, const char *id);
const char *analysis_make_not_judged(
	const struct analysis_make *make, const char *id); /* why; NULL: it was */
double analysis_make_evidence(
	const struct sm_finding *finding, const char *metric); /* NaN: not there */

#endif
