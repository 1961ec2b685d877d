#include "detect/computing.h"
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/words.h"

#include "model/sketch.h"

#include <string.h>

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_COLLATE};
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_sketch *wall = &loader->stage_wall_s[SM_STAGE_COLLATE];
	struct sm_split split = sm_split_of(&loader->stage[SM_STAGE_COLLATE]);
	const struct sm_computing computing = sm_computing_of(judge, SM_STAGE_COLLATE, &split);
	const char *cause = strcmp(computing.detail, "python_cpu") ? "" : "python_loop";
	struct sm_finding *finding;
	int error = sm_judge_propose(judge, cause, SM_STAGE_COLLATE, NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(
		finding, judge->findings->arena, loader->collate, loader->collate_where);
	sm_finding_evidence(finding, "collate_p50_s", sm_sketch_quantile(wall, 0.5), "s");
	sm_finding_evidence(finding, "collate_p99_s", sm_sketch_quantile(wall, 0.99), "s");
	sm_finding_evidence(finding, "collate_total_s", wall->sum, "s");
	if (split.wall > 0) {
		sm_finding_evidence(
			finding, "collate_cpu_share", sm_split_work(&split) / split.wall, "share");
	}
	sm_finding_evidence(finding, "python_share_of_cpu", computing.python_share, "share");
	sm_finding_evidence(finding, "batch_size", loader->batch_size, "count");
	sm_finding_suggest(finding,
		"Make {name} cheaper: it takes {collate_p50_s} a batch. Stack tensors with one "
		"torch.stack or pad_sequence call instead of a loop over samples and fields.");
	sm_finding_suggest(finding,
		"Pad to the longest sample of the batch, and put samples of like length "
		"together with a batch sampler, so that there is less to copy.");
	return error ? error : sm_judge_suggest_workers(judge, finding);
}

static const struct sm_bound bounds[] = {SM_BOUND(SM_COMPUTING_MOST_PERCENT), {0}};

const struct sm_detector sm_detect_collate_function_slow = {
	.id = "SM108",
	.type = "COLLATE_FUNCTION_SLOW",
	.title = "Putting samples together is slow",
	.summary = "collate_fn joins the samples of a batch in the worker, after the last sample "
		   "and before anything can be sent.",
	.causes = "python_loop: collate has at least {SM_COMPUTING_MOST_PERCENT} % of the workers' "
		  "CPU, and as large a share of the looks at it found the interpreter\n"
		  "padding: time grows with the padded size, not with the data (needs sizes: not "
		  "told yet)",
	.evidence = "The run replayed with collate taking no time is shorter by at least "
		    "{WORTH_PERCENT} %.",
	.fixes = "One stack or pad call a field instead of loops; return arrays from the data set, "
		 "not Python objects; bucket by length; let the data set return whole batches "
		 "(__getitems__).",
	.wrong = "A collate_fn that also decodes or augments is counted whole. If it moves data to "
		 "shared memory itself, that copy is in here too.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
