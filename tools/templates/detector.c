/* @name@: what is slow, how it shows, and which cure proves it. */
#include "detect/judge.h"

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_FETCH};
	struct sm_finding *finding;
	int error = sm_judge_propose(judge, "", SM_STAGE_FETCH, NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "busy_share", sm_judge_busy_share(judge->loader->loader), "share");
	sm_finding_suggest(finding, "One sentence: the change, and why it helps.");
	return 0;
}

const struct sm_detector sm_detect_@name@ = {
	.id = "SM000",
	.type = "@NAME@",
	.title = "In a few words",
	.summary = "One sentence: what it is.",
	.causes = "",
	.evidence = "What must be seen, each threshold with its reason.",
	.fixes = "In order of gain.",
	.wrong = "How it can be wrong.",
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
