/* The frame of the report: the verdict, the mean step, one cause, one next step, and how far to trust them.
 *
 * The order of the questions is the reader's: is the input what binds, how sure is that, what is the one cause, what
 * is the one thing to do about it, and what would it buy. A run that computes all the time is told so plainly, and
 * where its time goes; one that cannot be judged is told what is missing and how to get it. */
#include "report/outline.h"

#include <errno.h>
#include <math.h>

static const char *const verdict_words[SM_VERDICT_COUNT] = {
	[SM_VERDICT_CANNOT_TELL] = "CANNOT TELL",
	[SM_VERDICT_STRAGGLER_BOUND] = "STRAGGLER-BOUND",
	[SM_VERDICT_INPUT_BOUND] = "INPUT-BOUND",
	[SM_VERDICT_TRANSFER_BOUND] = "TRANSFER-BOUND",
	[SM_VERDICT_HOST_BOUND] = "HOST-BOUND",
	[SM_VERDICT_PARTLY_INPUT_BOUND] = "PARTLY INPUT-BOUND",
	[SM_VERDICT_COMPUTE_BOUND] = "COMPUTE-BOUND",
};

void *sm_outline_alloc(struct sm_outline *outline, size_t count, size_t bytes)
{
	void *memory = sm_arena_alloc(&outline->arena, count ? count * bytes : 1);
	outline->words.failed |= !memory;
	return memory;
}

static void add_part(struct sm_outline *outline, const struct sm_steps *steps, const char *name,
	char kind, double share)
{
	if (isnan(share) || share <= 0) {
		return;
	}
	struct sm_outline_part *part = &outline->parts[outline->part_count++];
	*part = (struct sm_outline_part){.name = name,
		.kind = kind,
		.share = share,
		.share_text = sm_phrases_share(&outline->words, share),
		.value = sm_phrases_seconds(&outline->words, share * steps->mean_s)};
}

/* What is neither a stall nor seen as copy or host work is computing; with an asynchronous device it also covers the
 * waits that were hidden. */
static void build_parts(struct sm_outline *outline, const struct sm_analysis *analysis)
{
	const struct sm_verdict *verdict = &analysis->verdict;
	double transfer = isnan(verdict->transfer_share) ? 0 : verdict->transfer_share;
	double host = isnan(verdict->host_share) ? 0 : verdict->host_share;
	if (isnan(verdict->exposed_stall_share) || isnan(analysis->steps.mean_s)) {
		return;
	}
	add_part(outline, &analysis->steps, "data", 'd', verdict->exposed_stall_share);
	add_part(outline, &analysis->steps, "copy", 't', transfer);
	add_part(outline, &analysis->steps, "other", 'h', host);
	add_part(outline, &analysis->steps, "compute", 'c',
		1 - verdict->exposed_stall_share - transfer - host);
}

static void build_verdict(struct sm_outline *outline, const struct sm_analysis *analysis)
{
	struct sm_phrases *words = &outline->words;
	const struct sm_verdict *verdict = &analysis->verdict;
	outline->class_ = verdict->class_;
	outline->verdict =
		(unsigned)verdict->class_ < SM_VERDICT_COUNT ? verdict_words[verdict->class_] : "?";
	outline->sentence = sm_phrases_clean(words, verdict->sentence);
	outline->stall = sm_phrases_share_of(
		words, verdict->exposed_stall_share, verdict->exposed_low, verdict->exposed_high);
	outline->stall_range =
		sm_phrases_share_range(words, verdict->exposed_low, verdict->exposed_high);
	outline->hidden = sm_phrases_share(words, verdict->hidden_wait_share);
	outline->step = sm_phrases_seconds(words, analysis->steps.mean_s);
	outline->rate =
		isnan(analysis->steps.samples_per_s)
			? ""
			: sm_phrases_printf(words, "%s samples/s",
				  sm_phrases_count(words, round(analysis->steps.samples_per_s)));
	build_parts(outline, analysis);
}

static const char *say_dearest(struct sm_outline *outline)
{
	struct sm_phrases *words = &outline->words;
	const struct sm_outline_loader *loader = outline->training;
	bool used[SM_STAGE_COUNT] = {false};
	const char *text = "";
	for (int rank = 0; loader && rank < 3; rank++) {
		const struct sm_outline_stage *best = NULL;
		for (size_t i = 0; i < loader->stage_count; i++) {
			const struct sm_outline_stage *stage = &loader->stages[i];
			if (!used[stage->stage] && stage->share > 0 &&
				(!best || stage->share > best->share)) {
				best = stage;
			}
		}
		if (!best) {
			break;
		}
		used[best->stage] = true;
		text = sm_phrases_printf(
			words, "%s%s%s %s", text, *text ? ", " : "", best->name, best->share_text);
	}
	return *text ? sm_phrases_printf(words, "critical path: %s", text) : "";
}

static const char *join_evidence(struct sm_phrases *words, const struct sm_outline_finding *finding)
{
	const char *text = "";
	for (size_t i = 0; i < finding->evidence_count && i < 4; i++) {
		text = sm_phrases_printf(words, "%s%s%s %s", text, *text ? ", " : "",
			finding->evidence[i].label, finding->evidence[i].value);
	}
	return text;
}

static const struct sm_outline_finding *top_finding(const struct sm_outline *outline)
{
	for (size_t i = 0; i < outline->finding_count; i++) {
		if (outline->findings[i].shown && !isnan(outline->findings[i].finding->severity)) {
			return &outline->findings[i];
		}
	}
	return NULL;
}

static void build_cause(struct sm_outline *outline, const struct sm_report *report)
{
	const struct sm_verdict *verdict = &report->analysis->verdict;
	struct sm_phrases *words = &outline->words;
	const struct sm_outline_finding *top = top_finding(outline);
	outline->cause_label = "Cause";
	if (verdict->class_ == SM_VERDICT_CANNOT_TELL) {
		outline->cause_label = "Missing";
		outline->cause = verdict->missing ? sm_phrases_clean(words, verdict->missing)
						  : "What decides was not measured.";
		outline->proof = say_dearest(outline);
	} else if (top) {
		outline->cause = sm_phrases_printf(
			words, "%s%s%s", top->title, *top->where ? ": " : "", top->where);
		outline->proof = join_evidence(words, top);
	} else if (verdict->class_ == SM_VERDICT_COMPUTE_BOUND) {
		outline->cause_label = "To do";
		outline->cause = "Nothing to fix here: the input keeps up with the training step";
		outline->proof = say_dearest(outline);
	} else if (report->findings->not_judged_count) {
		outline->cause = sm_phrases_printf(words, "Not found: %s",
			sm_phrases_clean(words, report->findings->not_judged[0].value));
		outline->proof = say_dearest(outline);
	} else {
		outline->cause = sm_phrases_printf(words,
			"No single cause gives back %d %% or more", SM_SEVERITY_SHOWN_PERCENT);
		outline->proof = say_dearest(outline);
	}
}

/* The suggestion with the largest predicted gain that is worth a step. */
static const struct sm_outline_suggestion *best_predicted(const struct sm_outline *outline)
{
	const struct sm_outline_suggestion *best = NULL;
	double gain = 1 / (1 - SM_SEVERITY_SHOWN_PERCENT / 100.0);
	for (size_t i = 0; i < outline->finding_count; i++) {
		const struct sm_outline_finding *row = &outline->findings[i];
		for (size_t s = 0; row->shown && s < row->suggestion_count; s++) {
			if (row->suggestions[s].speedup >= gain) {
				best = &row->suggestions[s];
				gain = best->speedup;
			}
		}
	}
	return best;
}

/* A change of code rarely gives all that the cure would, which takes the part away. When half of it would already beat
 * the best setting, the code is what to look at first, though nobody can predict what will be made of it. */
static bool is_worth_more(
	const struct sm_outline_finding *top, const struct sm_outline_suggestion *setting)
{
	return top && top->suggestion_count && !*top->suggestions[0].change &&
	       top->finding->severity / 2 > 1 - 1 / setting->speedup;
}

static void take_next(struct sm_outline *outline, const struct sm_outline_suggestion *next)
{
	outline->next = next->text;
	outline->next_change = next->change;
	outline->next_gain = next->gain;
}

/* The best setting; or what the top finding's rule puts first, where that is worth more or no setting is worth a step. */
static void build_next(struct sm_outline *outline)
{
	const struct sm_outline_suggestion *best = best_predicted(outline);
	const struct sm_outline_finding *top = top_finding(outline);
	outline->next = outline->next_change = outline->next_gain = "";
	if (best && !is_worth_more(top, best)) {
		take_next(outline, best);
	} else if (top && top->suggestion_count) {
		take_next(outline, &top->suggestions[0]);
	}
}

static void build_ceiling(struct sm_outline *outline, const struct sm_verdict *verdict)
{
	outline->ceiling_times = sm_phrases_times(&outline->words, verdict->ceiling_speedup);
	outline->ceiling =
		isnan(verdict->ceiling_speedup)
			? ""
			: sm_phrases_printf(&outline->words,
				  "%s if input cost nothing; no work on the input can gain more",
				  outline->ceiling_times);
}

int sm_outline_build(struct sm_outline *ret_outline, const struct sm_report *report, bool unicode)
{
	struct sm_outline *outline = ret_outline;
	*outline = (struct sm_outline){.words.unicode = unicode};
	struct sm_phrases *words = &outline->words;
	words->arena = &outline->arena;
	sm_outline_run_build(outline, report);
	build_verdict(outline, report->analysis);
	sm_outline_loaders_build(outline, report);
	sm_outline_lines_build(outline, report);
	sm_outline_monitor_build(outline, report);
	sm_outline_findings_build(outline, report);
	sm_outline_sessions_build(outline, report);
	build_cause(outline, report);
	build_next(outline);
	build_ceiling(outline, &report->analysis->verdict);
	if (words->failed) {
		sm_outline_finish(outline);
		return -ENOMEM;
	}
	return 0;
}

void sm_outline_finish(struct sm_outline *outline)
{
	sm_arena_finish(&outline->arena);
	*outline = (struct sm_outline){0};
}
