/* Part of a call's time does not depend on how much it is given.
 *
 * A call on b samples takes a + c b: the straight line by least squares through the measured sizes, each weighted by 1/t^2, since
 * clocks are off by a share of what they measure. The best size is the best of those measured, where one of them is better
 * than the size judged. Where none is, since none larger was measured, the line says what BIGGER times the size would take:
 * the cost a is then spread over that many more. */
#include "detect/judge_calls.h"

#include <math.h>

enum { BIGGER = 8, SIZES_LEAST = 3 };

struct line {
	double fixed_s, each_s;
};

static struct line fit(const struct sm_calls *calls)
{
	double weight = 0, x = 0, xx = 0, y = 0, xy = 0;
	for (size_t i = 0; i < calls->batch_count; i++) {
		const struct sm_calls_batch *batch = &calls->batches[i];
		double w = 1 / (batch->seconds * batch->seconds);
		weight += w;
		x += w * batch->size;
		xx += w * batch->size * batch->size;
		y += w * batch->seconds;
		xy += w * batch->size * batch->seconds;
	}
	double each_s = (weight * xy - x * y) / (weight * xx - x * x);
	return (struct line){fmax(0, (y - each_s * x) / weight), each_s};
}

static double each_of(const struct sm_calls_batch *batch)
{
	return batch->seconds / batch->size;
}

static const struct sm_calls_batch *best_of(const struct sm_calls *calls)
{
	const struct sm_calls_batch *best = &calls->batches[0];
	for (size_t i = 1; i < calls->batch_count; i++) {
		best = each_of(&calls->batches[i]) < each_of(best) ? &calls->batches[i] : best;
	}
	return best;
}

static const struct sm_calls_batch *judged(const struct sm_calls *calls)
{
	for (size_t i = 0; i < calls->batch_count; i++) {
		if (calls->batches[i].size == calls->batch_size) {
			return &calls->batches[i];
		}
	}
	return NULL;
}

static bool is_largest_of(const struct sm_calls *calls, const struct sm_calls_batch *batch)
{
	for (size_t i = 0; i < calls->batch_count; i++) {
		if (calls->batches[i].size > batch->size) {
			return false;
		}
	}
	return true;
}

/* Off a call of the size judged, if its samples cost what they cost in a call of the best size. */
static struct sm_interval saved_by(
	const struct sm_calls_batch *now, const struct sm_calls_batch *best)
{
	double scale = now->size / best->size;
	return (struct sm_interval){.middle = now->seconds - best->seconds * scale,
		.low = now->low_s - best->high_s * scale,
		.high = now->high_s - best->low_s * scale};
}

static struct sm_interval spread(const struct sm_calls_batch *now, const struct line *line)
{
	double most = line->fixed_s * (1 - 1.0 / BIGGER);
	double off = (now->high_s - now->low_s) / 2; /* of the size itself: the line is no surer */
	return (struct sm_interval){.middle = most, .low = most - off, .high = most + off};
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	const struct sm_calls_batch *now = judged(calls);
	if (calls->batch_count < SIZES_LEAST || !now) {
		return sm_judge_calls_lack(
			judge, calls->no_batches, "fewer than three batch sizes were measured");
	}
	const struct line line = fit(calls);
	const struct sm_calls_batch *best = best_of(calls);
	bool is_largest = best == now;
	if (is_largest && !is_largest_of(calls, now)) {
		return 0; /* larger ones were measured, and are no better */
	}
	struct sm_finding *finding;
	int error = sm_judge_calls_prove(
		judge, "", is_largest ? spread(now, &line) : saved_by(now, best), &finding);
	if (error || !finding) {
		return error;
	}
	double to = is_largest ? now->size * BIGGER : best->size;
	sm_finding_evidence(finding, "batch_size", now->size, "count");
	sm_finding_evidence(finding, "fixed_s", line.fixed_s, "s");
	sm_finding_evidence(finding, "sample_s", each_of(now), "s");
	sm_finding_evidence(finding, "better_sample_s",
		is_largest ? line.fixed_s / to + line.each_s : each_of(best), "s");
	struct sm_suggestion *suggestion = sm_judge_calls_cure(finding,
		to > now->size
			? "Give {name} {batch_size} samples at a time: a sample then takes "
			  "{better_sample_s} instead of {sample_s}."
			: "Give {name} only {batch_size} samples at a time: a sample then takes "
			  "{better_sample_s} instead of {sample_s}.");
	if (suggestion) {
		sm_finding_change(suggestion, "batch_size", (int64_t)to);
	}
	if (is_largest) {
		sm_finding_doubt(finding); /* said of a size that was not run */
	}
	return error;
}

static const struct sm_bound bounds[] = {
	SM_BOUND(BIGGER), SM_BOUND(SIZES_LEAST), SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_batch_size_inefficient = {
	.id = "SM207",
	.type = "BATCH_SIZE_INEFFICIENT",
	.title = "Another batch size costs less a sample",
	.summary =
		"Part of a call's time is the same for few samples and for many, or the call gets "
		"dearer where its data no longer fits a cache.",
	.causes = "",
	.evidence =
		"At least {SIZES_LEAST} sizes were timed in turns. By the whole of its interval a "
		"sample costs "
		"less, and at least "
		"{SM_JUDGE_CALLS_WORTH_PERCENT} % less, in the best of them; or, where the size "
		"judged is the best, by the straight line through them, in a batch {BIGGER} times "
		"as large: then with a level less of confidence, since that was not run. "
		"Severity: a sample costs what it costs there.",
	.fixes = "Call it for a batch, not for a sample (__getitems__ of the data set, a collate "
		 "function); split what no longer fits a cache.",
	.wrong =
		"What a larger batch does to memory, and to a training, is not looked at. A "
		"function "
		"that is given one sample at a time by its caller must first be made to take more.",
	.bounds = bounds,
	.look_at_calls = look,
};
