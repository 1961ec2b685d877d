/* What the rules of calls share: the facts, and the cure that is tried on them.
 *
 * T is the time of the profiled calls, so severity is what the type's own cure takes off a call, over the call. Time in which the
 * thread could have run and did not (run delay) is in neither: on a busy machine it is a multiple of the work, so a share of the work
 * that is saved is the same share of the wall time. A cure that takes
 * off less than WORTH_PERCENT is no finding: at that size the edges of a call, other programs and the order of the calls
 * weigh as much, and it is the share from which the user asked to be told (bottleneck_threshold's default). */
#ifndef SM_DETECT_JUDGE_CALLS_H
#define SM_DETECT_JUDGE_CALLS_H

#include <stallmeter/calls.h>

#include "detect/detect.h"

enum {
	SM_JUDGE_CALLS_WORTH_PERCENT = 5,
	SM_JUDGE_CALLS_WAITING_FACTOR =
		4, /* requests at a time for each usable core, when they wait: the contract's bound */
};

struct sm_judge_calls {
	const struct sm_detector *detector;
	const struct sm_calls *calls;
	struct sm_findings *findings;
};

/* Judges by every rule of calls. Everything lives in `arena`. 0 or an error. */
int sm_judge_calls_run(
	const struct sm_calls *calls, struct sm_arena *arena, struct sm_findings *ret_findings);

/* Where `saved_s` of a call's time is worth it, adds a finding; else *ret_finding is NULL. 0 or -ENOMEM. */
int sm_judge_calls_find(const struct sm_judge_calls *judge, const char *cause,
	struct sm_interval saved_s, struct sm_finding **ret_finding);
/* The same for what two measurements say against each other: only where the whole interval says that something is saved. */
int sm_judge_calls_prove(const struct sm_judge_calls *judge, const char *cause,
	struct sm_interval saved_s, struct sm_finding **ret_finding);
/* The rule had not what it needs; `why` NULL: `otherwise`. 0 or -ENOMEM. */
int sm_judge_calls_lack(const struct sm_judge_calls *judge, const char *why, const char *otherwise);
/* The speed-up of doing what the finding says. */
struct sm_interval sm_judge_calls_speedup(const struct sm_finding *finding);
/* Suggests `text`, with the finding's own cure as its gain. NULL when full. */
struct sm_suggestion *sm_judge_calls_cure(struct sm_finding *finding, const char *text);
/* Suggests `text`, for a part of the finding's time that `at_a_time` calls could share. */
void sm_judge_calls_spread(struct sm_finding *finding, const char *text, double at_a_time);

double sm_judge_calls_work_s(
	const struct sm_calls *calls); /* CPU of its own thread and of helpers; NaN unknown */
double sm_judge_calls_waiting_s(
	const struct sm_calls *calls); /* blocked, and nobody worked for it meanwhile */
double sm_judge_calls_python_share(
	const struct sm_calls *calls); /* of the looks at CPU; NaN with too few looks */

#endif
