#include "detect/judge.h"
#include "detect/words.h"

#include <errno.h>
#include <math.h>

enum {
	BOUND_PERCENT = 1,  /* of one core: what stallmeter promises to stay under */
	STACKS_PERCENT = 1, /* and this for Python stacks, at the levels that look at them */
	STARTING_MS = 100,  /* of CPU: starting and ending, whatever the length of the run */
};

static double share_without_starting(const struct sm_analysis *analysis)
{
	double wall_s = analysis->own_cpu_s / analysis->own_cpu_share;
	return (analysis->own_cpu_s - STARTING_MS * 1e-3) / wall_s;
}

static int bound_percent(const struct sm_model *model)
{
	return BOUND_PERCENT + (model->stacks.has_interval ? STACKS_PERCENT : 0);
}

static int look(const struct sm_judge *judge)
{
	const struct sm_analysis *analysis = judge->analysis;
	if (isnan(analysis->own_cpu_share)) {
		return sm_findings_lack(judge->findings, judge->detector,
			analysis->no_own_share_why
				? analysis->no_own_share_why
				: "the CPU used by stallmeter itself is not known");
	}
	if (!(share_without_starting(analysis) * 100 >= bound_percent(analysis->model))) {
		return 0;
	}
	struct sm_finding *finding = sm_findings_add(judge->findings, judge->detector, NULL);
	if (!finding) {
		return -ENOMEM;
	}
	finding->risk =
		"The process beside the job took {own_cpu_s} of CPU, {own_cpu_share} of one "
		"core: what is reported includes some of it.";
	sm_finding_evidence(finding, "own_cpu_s", analysis->own_cpu_s, "s");
	sm_finding_evidence(finding, "own_cpu_share", analysis->own_cpu_share, "share");
	sm_finding_suggest(finding,
		"Record with --level basic or production, which record fewer spans and look at no "
		"stacks.");
	return 0;
}

static const struct sm_bound bounds[] = {
	SM_BOUND(BOUND_PERCENT), SM_BOUND(STACKS_PERCENT), SM_BOUND(STARTING_MS), {0}};

const struct sm_detector sm_detect_own_overhead = {
	.id = "SM703",
	.type = "OVERHEAD_OVER_BOUND",
	.title = "Measuring took more than it should",
	.summary = "The CPU of stallmeter's process beside the job is above the bound it promises.",
	.causes = "",
	.evidence = "At least {BOUND_PERCENT} % of one core ({STACKS_PERCENT} % more where Python "
		    "stacks "
		    "were looked at), {STARTING_MS} ms for starting and "
		    "ending left out, by the collector's own account; not judged in runs of less "
		    "than a second.",
	.fixes = "A lower level; a longer run, over which starting up is spread.",
	.wrong = "What recording itself takes, inside the job, is not in it.",
	.bounds = bounds,
	.needs = 0,
	.look_at_run = look,
};
