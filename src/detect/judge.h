/* What detectors share: one loader on trial, the cure that is tried on it, and how sure we may be.
 *
 * Whatever a counter says, a cause is a finding only when its cure, replayed by the loader's model, gives time back: at
 * least WORTH_PERCENT of the run, below which the smallest setting "within 1 % of the best" cannot be told from the best.
 *
 * Severity is a share of the whole run's T. The model knows one loader; what it gives back is scaled by that loader's part
 * of T, so that a validation loader is never charged for more time than it had.
 *
 * Confidence comes from the bootstrap interval: its half-width under a quarter of the severity is high, under 60 % medium,
 * else low, and an interval that reaches 0 is low. A detector takes a level off for each piece of evidence that ought to
 * agree and does not, or is missing (sm_finding_doubt). */
#ifndef SM_DETECT_JUDGE_H
#define SM_DETECT_JUDGE_H

#include "detect/detect.h"

enum {
	SM_JUDGE_STEPS_LEAST = 20, /* the contract's bound for a verdict */
	SM_JUDGE_WORTH_PERCENT = 1,
	SM_JUDGE_HARMLESS_PERCENT = 2, /* of speed, for a change that frees something else */
};

struct sm_judge {
	const struct sm_detector *detector;
	const struct sm_analysis *analysis;
	const struct sm_loader_analysis
		*loader; /* with a model, and enough steps; NULL: the whole run */
	struct sm_findings *findings;
};

/* Calls the detector, for the run or for every loader that can be judged. Stops at the first error. */
int sm_judge_run(const struct sm_detector *detector, const struct sm_analysis *analysis,
	struct sm_findings *findings);

/* What a cure gives back to the run. `setting` NULL: as recorded. 0 or an error. */
int sm_judge_try(const struct sm_judge *judge, const struct sm_setting *setting,
	const struct sm_cure *cure, struct sm_interval *ret_severity);
bool sm_judge_is_worth(const struct sm_interval *severity);
/* Adds a finding with that severity; NULL without memory. */
struct sm_finding *sm_judge_find(const struct sm_judge *judge, const char *cause,
	enum sm_stage stage, const struct sm_interval *severity);
/* Tries a cure and, where it is worth something, adds the finding; else *ret_finding is NULL. */
int sm_judge_propose(const struct sm_judge *judge, const char *cause, enum sm_stage stage,
	const struct sm_setting *setting, const struct sm_cure *cure,
	struct sm_finding **ret_finding);

/* Suggests another setting with the speed-up of the run that the model predicts, the changed arguments as its changes.
 * `suggest` does nothing when that is under 1 %; `offer`, for a change that
 * frees something else, when it costs more than 2 %. */
int sm_judge_suggest(const struct sm_judge *judge, struct sm_finding *finding, const char *text,
	const struct sm_setting *setting);
int sm_judge_offer(const struct sm_judge *judge, struct sm_finding *finding, const char *text,
	const struct sm_setting *setting);
/* With the part of the gain that needs other programs' CPU counted from nothing to all. */
int sm_judge_suggest_workers(const struct sm_judge *judge, struct sm_finding *finding);
int sm_judge_suggest_prefetch(const struct sm_judge *judge, struct sm_finding *finding);
/* A part of the gain that one run cannot know counts from nothing to all: the interval reaches from one to the other, and
 * the value is its middle. */
void sm_judge_widen(struct sm_interval *speedup, double unsure_share);

double sm_judge_samples(const struct sm_loader *loader); /* fetched in all */
double sm_judge_busy_share(const struct sm_loader
		*loader); /* of the workers' lives, inside fetch; NaN without workers */

#endif
