/* The same input comes again, the answer would be the same, and it is computed again. */
#include "detect/judge_calls.h"

#include <math.h>

/* Off a call: what repeated inputs take, less finding out that they are. */
static double saved(const struct sm_calls *calls)
{
	double each = fmax(0, calls->unit_s - calls->lookup_s) / calls->unit_s;
	return calls->hit_share * calls->need_s * each -
	       (1 - calls->hit_share) * calls->need_s * (calls->lookup_s / calls->unit_s);
}

static struct sm_interval saved_range(const struct sm_calls *calls)
{
	double middle = saved(calls);
	double least = calls->need_low_s / calls->need_s, most = calls->need_high_s / calls->need_s;
	return (struct sm_interval){.middle = middle, .low = middle * least, .high = middle * most};
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (isnan(calls->hit_share) || isnan(calls->deterministic) || !(calls->unit_s > 0) ||
		isnan(calls->lookup_s)) {
		return sm_judge_calls_lack(
			judge, calls->no_units, "repetition of inputs was not looked for");
	}
	double bytes = calls->entries * calls->entry_bytes;
	if (!(calls->deterministic > 0) || bytes > calls->memory_bytes) {
		return 0;
	}
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, "", saved_range(calls), &finding);
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "inputs", calls->units, "count");
	sm_finding_evidence(finding, "hit_share", calls->hit_share, "share");
	sm_finding_evidence(finding, "input_s", calls->unit_s, "s");
	sm_finding_evidence(finding, "lookup_s", calls->lookup_s, "s");
	sm_finding_evidence(finding, "cache_bytes", bytes, "bytes");
	struct sm_suggestion *suggestion = sm_judge_calls_cure(finding,
		"Keep what {name} returns, {cache_size} results at most: {hit_share} of {inputs} "
		"inputs "
		"had been there before. It costs {cache_bytes} of memory and {lookup_s} for each "
		"input "
		"to be recognised. Each worker of a DataLoader would have a cache of its own.");
	if (suggestion) {
		sm_finding_change(suggestion, "cache_size", (int64_t)calls->entries);
	}
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_caching_missed = {
	.id = "SM206",
	.type = "CACHING_MISSED",
	.title = "It computes again what it had computed before",
	.summary =
		"Inputs repeat, and the function, which gives the same answer each time, computes "
		"it again.",
	.causes = "",
	.evidence = "Inputs are compared by content, in the order in which they come; a cache of "
		    "cache_size entries that drops the one unused longest is played through. The "
		    "function gave equal results for equal inputs when it was run twice. What the "
		    "cache's hits save, less what recognising every input takes, is at least "
		    "{SM_JUDGE_CALLS_WORTH_PERCENT} % of the time, and its results fit into the "
		    "memory that is available. Severity: hits take what recognising them takes.",
	.fixes = "functools.lru_cache where the arguments can be hashed; a cache by content or by "
		 "index; results stored on disk once, before training.",
	.wrong =
		"Run twice is not proof: what depends on the hour, or seldom on chance, looks "
		"deterministic. The data given may repeat more or less than the data of a "
		"training. "
		"Results handed out of a cache are shared: whoever changes one changes it for all.",
	.bounds = bounds,
	.look_at_calls = look,
};
