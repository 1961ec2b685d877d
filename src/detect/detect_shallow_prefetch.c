#include "detect/judge.h"
#include "detect/words.h"

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	struct sm_setting recorded = sm_loader_model_setting(judge->loader->model), best;
	struct sm_finding *finding = NULL;
	int error = recorded.num_workers > 0
			    ? sm_loader_model_best_prefetch(judge->loader->model, &best)
			    : 0;
	if (error || recorded.num_workers < 1 || best.prefetch_factor <= recorded.prefetch_factor) {
		return error;
	}
	error = sm_judge_propose(judge, "", SM_STAGE_REORDER, &best, NULL, &finding);
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "prefetch_factor", recorded.prefetch_factor, "count");
	sm_finding_evidence(finding, "num_workers", recorded.num_workers, "count");
	sm_finding_evidence(finding, "worker_busy_share", sm_judge_busy_share(loader), "share");
	sm_finding_evidence(finding, "best_prefetch_factor", best.prefetch_factor, "count");
	sm_finding_evidence(finding, "exposed_stall_share", judge->loader->exposed_share, "share");
	return sm_judge_suggest(judge, finding,
		"Set prefetch_factor={prefetch_factor}: with the present one workers stand idle "
		"while the training waits for the batch in front.",
		&best);
}

const struct sm_detector sm_detect_shallow_prefetch = {
	.id = "SM110",
	.type = "SHALLOW_PREFETCH",
	.title = "Too few batches are under way",
	.summary = "A worker gets new indices only when a batch was delivered, num_workers x "
		   "prefetch_factor in all. When batches take unequal times, that window runs dry: "
		   "workers idle although the training waits.",
	.causes = "",
	.evidence = "Replaying the recorded batch times with the best prefetch_factor that memory "
		    "allows makes the run shorter by at least {WORTH_PERCENT} %. Where all batches "
		    "take the same time no depth helps, and none is asked for.",
	.fixes = "A larger prefetch_factor (each step costs num_workers batches of memory); more "
		 "even batches; in_order=False.",
	.wrong = "Where memory is not known the depth is bounded by habit (contract), not by what "
		 "fits. In a short run the first batches of each epoch weigh more than they will "
		 "in a long one.",
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
