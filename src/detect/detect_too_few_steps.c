#include "detect/judge.h"
#include "detect/words.h"

#include <errno.h>

static int look(const struct sm_judge *judge)
{
	const struct sm_analysis *analysis = judge->analysis;
	if (!analysis->loader_count) {
		return sm_findings_lack(judge->findings, judge->detector, "no loader was iterated");
	}
	if (analysis->steps.count >= SM_JUDGE_STEPS_LEAST) {
		return 0;
	}
	struct sm_finding *finding = sm_findings_add(judge->findings, judge->detector, NULL);
	if (!finding) {
		return -ENOMEM;
	}
	finding->risk =
		"{steps} steps were recorded; {STEPS_LEAST} are needed before anything is judged.";
	sm_finding_evidence(finding, "steps", (double)analysis->steps.count, "count");
	sm_finding_suggest(
		finding, "Record at least {STEPS_LEAST} steps; a hundred give a useful interval.");
	return 0;
}

const struct sm_detector sm_detect_too_few_steps = {
	.id = "SM701",
	.type = "TOO_FEW_STEPS",
	.title = "Too few steps to judge",
	.summary = "The run is too short for its mean to mean anything: start-up and the first "
		   "batches decide it.",
	.causes = "",
	.evidence = "Fewer than {STEPS_LEAST} training steps (the contract's bound for a verdict).",
	.fixes = "Record more steps.",
	.wrong = "It counts; it cannot be wrong about the count. A loop whose steps were not "
		 "recognised looks like this.",
	.needs = 0,
	.look_at_run = look,
};
