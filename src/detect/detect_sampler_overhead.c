#include "detect/judge.h"
#include "detect/words.h"

#include "analyze/bootstrap.h"
#include "base/mem.h"

#include <errno.h>

/* Of each batch; of a long run, of those that were kept. */
static int say_durations(const struct sm_loader *loader, struct sm_finding *finding)
{
	double *seconds = sm_mem_alloc((loader->batch_count + 1) * sizeof(*seconds)), sum = 0;
	if (!seconds) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < loader->batch_count; i++) {
		seconds[i] = (double)loader->batches[i].sampler_ns * 1e-9;
		sum += seconds[i];
	}
	double p50_s = sm_bootstrap_percentile(seconds, loader->batch_count, 0.5);
	double p99_s = sm_bootstrap_percentile(seconds, loader->batch_count, 0.99);
	sm_mem_free(seconds);
	double scale = (double)loader->batch_total / (double)loader->batch_count;
	sm_finding_evidence(finding, "sampler_p50_s", p50_s, "s");
	sm_finding_evidence(finding, "sampler_p99_s", p99_s, "s");
	sm_finding_evidence(finding, "sampler_total_s", sum * scale, "s");
	sm_finding_evidence(finding, "batches", (double)loader->batch_total, "count");
	return 0;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_SAMPLER};
	const struct sm_loader *loader = judge->loader->loader;
	struct sm_finding *finding;
	int error = sm_judge_propose(judge, "", SM_STAGE_SAMPLER, NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(
		finding, judge->findings->arena, loader->sampler, loader->sampler_where);
	error = error ? error : say_durations(loader, finding);
	sm_finding_suggest(finding,
		"Draw the whole epoch's order at once in {name}.__iter__ (one vectorised call) and "
		"yield from it: each batch now waits {sampler_p50_s} for its indices.");
	return error;
}

const struct sm_detector sm_detect_sampler_overhead = {
	.id = "SM107",
	.type = "SAMPLER_OVERHEAD",
	.title = "Drawing the indices is slow",
	.summary = "The sampler runs in the main process, inside next(): whenever a batch is "
		   "handed to the training, the indices of another are drawn first.",
	.causes = "",
	.evidence = "The run replayed with the sampler taking no time is shorter by at least "
		    "{WORTH_PERCENT} %. A custom batch sampler is timed whole.",
	.fixes = "Draw the order of an epoch once and vectorised; keep weights in a tensor, not a "
		 "list; use a batch sampler that slices; never rebuild a permutation for each "
		 "batch.",
	.wrong = "A sampler that waits, for another rank or a lock, looks slow here. With a device "
		 "beside the host, drawing may hide behind the device's work; then it gives "
		 "nothing back and is not reported.",
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
