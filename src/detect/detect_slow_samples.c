#include "detect/judge.h"
#include "detect/words.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

enum {
	TAIL_PERCENT = 5,	 /* samples above the 95th percentile: the contract's cure */
	TAIL_SHARE_PERCENT = 25, /* of all sample time, held by them */
};

static int smaller_first(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;
	return (left > right) - (left < right);
}

struct tail {
	double share, p50_s, p95_s, p99_s;
};

static struct tail tail_of(const float *wall_s, size_t count)
{
	double all = 0, above = 0;
	size_t first = count - count * TAIL_PERCENT / 100;
	for (size_t i = 0; i < count; i++) {
		all += (double)wall_s[i];
		above += i >= first ? (double)wall_s[i] : 0;
	}
	return (struct tail){all > 0 ? above / all : 0, (double)wall_s[count / 2],
		(double)wall_s[count * 95 / 100], (double)wall_s[count * 99 / 100]};
}

static int measure_tail(const struct sm_loader *loader, struct tail *ret_tail)
{
	float *wall_s = sm_mem_alloc(loader->sample_count * sizeof(*wall_s));
	if (!wall_s) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < loader->sample_count; i++) {
		wall_s[i] = loader->samples[i].wall_s;
	}
	qsort(wall_s, loader->sample_count, sizeof(*wall_s), smaller_first);
	*ret_tail = tail_of(wall_s, loader->sample_count);
	sm_mem_free(wall_s);
	return 0;
}

static int suggest_any_order(const struct sm_judge *judge, struct sm_finding *finding)
{
	struct sm_setting setting = sm_loader_model_setting(judge->loader->model);
	if (setting.num_workers < 2 || !setting.in_order) {
		return 0;
	}
	setting.in_order = false;
	return sm_judge_suggest(judge, finding,
		"Set in_order=False (torch 2.6 or later): finished batches no longer wait for the "
		"slow one; their order is then not the same in every run.",
		&setting);
}

/* Samples of an iterable data set have no index to list them by. */
static void suggest_a_look(const struct sm_loader *loader, struct sm_finding *finding)
{
	if (!loader->slowest_count) {
		sm_finding_suggest(finding, "Look for the slow samples: one in a hundred takes "
					    "{sample_p99_s} or more where "
					    "the median takes {sample_p50_s}. Shrink or re-encode "
					    "them, or give retries a "
					    "short time-out.");
		return;
	}
	sm_finding_evidence(
		finding, "sample_slowest_s", (double)loader->slowest[0].wall_ns * 1e-9, "s");
	sm_finding_suggest(finding,
		"Look at the slowest samples (listed in the report): the slowest takes "
		"{sample_slowest_s} where the median takes {sample_p50_s}. Shrink or "
		"re-encode them, or give retries a short time-out.");
}

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_SLOW_SAMPLES};
	const struct sm_loader *loader = judge->loader->loader;
	struct tail tail = {0};
	struct sm_finding *finding = NULL;
	int error = loader->sample_count ? measure_tail(loader, &tail) : 0;
	if (!error && tail.share * 100 >= TAIL_SHARE_PERCENT) {
		error = sm_judge_propose(judge, "", SM_STAGE_FETCH, NULL, &cure, &finding);
	}
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "slowest_5_percent_share", tail.share, "share");
	sm_finding_evidence(finding, "sample_p50_s", tail.p50_s, "s");
	sm_finding_evidence(finding, "sample_p95_s", tail.p95_s, "s");
	sm_finding_evidence(finding, "sample_p99_s", tail.p99_s, "s");
	suggest_a_look(loader, finding);
	error = suggest_any_order(judge, finding);
	return error ? error : sm_judge_suggest_prefetch(judge, finding);
}

static const struct sm_bound bounds[] = {SM_BOUND(TAIL_PERCENT), SM_BOUND(TAIL_SHARE_PERCENT), {0}};

const struct sm_detector sm_detect_slow_samples = {
	.id = "SM109",
	.type = "SLOW_SAMPLES",
	.title = "A few slow samples hold back finished batches",
	.summary = "Batches are delivered in order, so one sample that takes many times the usual "
		   "time keeps its batch, and every finished batch behind it, from the training.",
	.causes = "",
	.evidence = "The slowest {TAIL_PERCENT} % of the samples hold at least "
		    "{TAIL_SHARE_PERCENT} % of all sample time, and the run replayed with them at "
		    "the median is shorter by at least {WORTH_PERCENT} %. Even times give 5 %, "
		    "exponential ones 20 %: what lies below is ordinary jitter.",
	.fixes = "Find what is special about the listed samples; in_order=False; a deeper "
		 "prefetch; sort samples of like cost into the same batch.",
	.wrong = "A slow worker is not a slow sample: then the slow ones all come from one worker. "
		 "A machine that is busy for a moment makes whatever runs then look slow.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_SAMPLES,
	.look_at_loader = look,
};
