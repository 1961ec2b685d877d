#include "detect/judge.h"
#include "detect/words.h"

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_OTHER};
	const struct sm_loader_analysis *analysis = judge->loader;
	struct sm_finding *finding;
	int error = sm_judge_propose(judge, "", SM_STAGE_OTHER, NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	double other_s = 0;
	for (size_t i = 0; i < analysis->loader->batch_count; i++) {
		other_s += (double)analysis->loader->batches[i].other_ns * 1e-9;
	}
	sm_finding_evidence(
		finding, "other_per_step_s", other_s / (double)analysis->loader->batch_count, "s");
	sm_finding_evidence(
		finding, "step_mean_s", analysis->time_s / (double)analysis->steps, "s");
	sm_finding_evidence(finding, "exposed_stall_share", analysis->exposed_share, "share");
	sm_finding_suggest(finding, "Move logging, metrics and progress output out of the step, or "
				    "do them every n-th step: {other_per_step_s} of each step is "
				    "neither data, forward, backward nor optimizer.");
	sm_finding_suggest(finding, "Keep losses and metrics on the device and read them once an "
				    "epoch; .item() and .cpu() each step wait.");
	return 0;
}

const struct sm_detector sm_detect_host_loop_overhead = {
	.id = "SM307",
	.type = "HOST_LOOP_OVERHEAD",
	.title = "The training loop's own Python takes time",
	.summary = "Between a step's work and the next request for data the main thread does "
		   "something else: logging, metrics, bookkeeping. The data is there and nobody "
		   "asks for it.",
	.causes = "",
	.evidence = "Backward or optimizer are seen in the loop, so that its other parts can be "
		    "told from compute, and the run replayed without them is shorter by at least "
		    "{WORTH_PERCENT} %. Waiting for data is no part of it.",
	.fixes = "Do it every n-th step; hand it to another thread or process; keep numbers on the "
		 "device until they are needed.",
	.wrong = "Code behind optimizer.step() that belongs to the model (gradient statistics, an "
		 "EMA of the weights) is counted here. On a device a hidden synchronisation looks "
		 "the same: it is waiting for the device.",
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
