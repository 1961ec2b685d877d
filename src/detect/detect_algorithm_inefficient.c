/* Work that need not be done, whatever it is done with: it grows faster than the data, is done twice, or before the data got
 * smaller.
 *
 * Growth: the exponent of the time over sizes of the input, by least squares on logarithms. A pass over the data has 1, sorting
 * at most 1.2 over the sizes that we measure, and leaving a cache on the way adds up to 0.3 (a factor of two to three over
 * a factor of eight); nested loops have 2. EXPONENT_PERCENT lies between, and the interval must lie above 1 as well. */
#include "detect/judge_calls.h"

#include <math.h>

enum {
	EXPONENT_PERCENT = 150,
	EXPONENT_LOW_PERCENT = 120,
};

/* Off a call, if from the smallest size on it grew in proportion. */
static double saved_at(const struct sm_calls *calls, double exponent)
{
	double ratio = calls->growth_least_size / calls->growth_size;
	return calls->need_s * (1 - pow(ratio, fmax(0, exponent - 1)));
}

static int look_at_growth(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (!(calls->growth * 100 >= EXPONENT_PERCENT) ||
		!(calls->growth_low * 100 >= EXPONENT_LOW_PERCENT)) {
		return 0;
	}
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, "superlinear",
		(struct sm_interval){.middle = saved_at(calls, calls->growth),
			.low = saved_at(calls, calls->growth_low),
			.high = saved_at(calls, calls->growth_high)},
		&finding);
	if (error || !finding) {
		return error;
	}
	finding->title = "Its time grows faster than its input";
	sm_finding_evidence(finding, "growth_exponent", calls->growth, "exponent");
	sm_finding_evidence(finding, "growth_exponent_low", calls->growth_low, "exponent");
	sm_finding_evidence(finding, "growth_exponent_high", calls->growth_high, "exponent");
	sm_finding_evidence(finding, "smallest_size", calls->growth_least_size, "count");
	sm_finding_evidence(finding, "size", calls->growth_size, "count");
	sm_judge_calls_cure(finding,
		"Find the loop inside a loop in {name}: its time grows as its input's size to the "
		"power {growth_exponent}. Look things up in a dict or a set, sort once, or work on "
		"pieces "
		"of fixed size.");
	return 0;
}

static int look_at_duplicates(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, "duplicate_work",
		(struct sm_interval){.middle = calls->duplicate_share * calls->need_s,
			.low = calls->duplicate_low_share * calls->need_s,
			.high = calls->duplicate_high_share * calls->need_s},
		&finding);
	if (error || !finding) {
		return error;
	}
	finding->title = "The same is computed again within a call";
	if (calls->duplicate_name && calls->duplicate_where) {
		error = sm_finding_place(finding, judge->findings->arena, calls->duplicate_name,
			calls->duplicate_where);
	}
	sm_finding_evidence(finding, "duplicate_calls", calls->duplicate_calls, "count");
	sm_finding_evidence(finding, "duplicate_share", calls->duplicate_share, "share");
	sm_judge_calls_cure(finding, "Call {name} once and keep what it returns: {duplicate_calls} "
				     "of its calls within one "
				     "call had arguments that had been there before.");
	return error;
}

static int place_member(const struct sm_judge_calls *judge, struct sm_finding *finding,
	const char *name, const char *where)
{
	return name ? sm_finding_place(finding, judge->findings->arena, name, where ? where : "")
		    : 0;
}

static int look_at_idle(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, "duplicate_work",
		(struct sm_interval){.middle = calls->idle_s,
			.low = calls->idle_low_s,
			.high = calls->idle_high_s},
		&finding);
	if (error || !finding) {
		return error;
	}
	finding->title = "A member changes nothing";
	error = place_member(judge, finding, calls->idle_name, calls->idle_where);
	sm_finding_evidence(finding, "member_s", calls->idle_s, "s");
	sm_judge_calls_cure(finding, "Leave {name} out: what it returned was what it was given, "
				     "and it takes {member_s} a "
				     "call.");
	return error;
}

static int look_at_order(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	struct sm_finding *finding;
	int error = sm_judge_calls_prove(judge, "wrong_order",
		(struct sm_interval){.middle = calls->need_s - calls->order_s,
			.low = calls->need_s - calls->order_high_s,
			.high = calls->need_s - calls->order_low_s},
		&finding);
	if (error || !finding) {
		return error;
	}
	finding->title = "The data gets smaller late";
	error = place_member(judge, finding, calls->order_name, calls->order_where);
	sm_finding_evidence(finding, "other_order_s", calls->order_s, "s");
	sm_judge_calls_cure(finding,
		"Put {name} first: it makes the data smaller, and the whole then takes "
		"{other_order_s} instead of {call_s}. The results are not the same to the bit: see "
		"that "
		"they are what you want.");
	return error;
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	size_t before = judge->findings->count;
	int error = look_at_growth(judge);
	error = error ? error : look_at_duplicates(judge);
	error = error ? error : look_at_idle(judge);
	error = error ? error : look_at_order(judge);
	if (error || judge->findings->count > before || calls->growth_low == calls->growth_low) {
		return error;
	}
	return sm_judge_calls_lack(judge, calls->no_sizes, "too few sizes of input were measured");
}

static const struct sm_bound bounds[] = {SM_BOUND(EXPONENT_PERCENT), SM_BOUND(EXPONENT_LOW_PERCENT),
	SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_algorithm_inefficient = {
	.id = "SM208",
	.type = "ALGORITHM_INEFFICIENT",
	.title = "It does more than it need",
	.summary = "The function's time grows faster than its input, or it computes the same "
		   "twice, or "
		   "works on data that a later step makes smaller.",
	.causes =
		"superlinear: its time grows with a power of its input's size above 1\n"
		"duplicate_work: a function was called again with the same arguments within one "
		"call, or a member of a Compose returned what it was given\n"
		"wrong_order: with the member that makes the data smaller put first, the whole is "
		"faster",
	.evidence =
		"superlinear: the exponent is at least {EXPONENT_PERCENT}/100 and its 90 % "
		"interval begins at {EXPONENT_LOW_PERCENT}/100 or more; sorting has up to 1.2 and "
		"leaving a cache adds up to 0.3. Severity: from the smallest size measured on, "
		"it grows in proportion. duplicate_work: severity is the time of the repeated "
		"calls, in calls that were followed twice. wrong_order: the other order was run "
		"and timed. Each at least {SM_JUDGE_CALLS_WORTH_PERCENT} % of a call.",
	.fixes = "A dict, a set, a sorted array or an index in place of a search in a loop; what "
		 "does not change computed once, outside; crop and resize before colour and "
		 "normalisation.",
	.wrong =
		"Some problems do need more than a pass: all pairs, say. Arguments are compared by "
		"content, but a function that reads a clock or a file may be called twice with "
		"good "
		"reason. A blur before and after a resize are not the same picture. A cache that "
		"the smallest input fits and the largest does not can look like growth; so does a "
		"window that fills up, as zlib's.",
	.bounds = bounds,
	.look_at_calls = look,
};
