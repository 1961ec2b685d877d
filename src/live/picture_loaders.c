/* Each loader with its stages, the machine's counters, and what was found so far. */
#include "live/picture.h"

#include "report/text.h"

#include <math.h>

enum { STAGES_SHOWN = 5, FINDINGS_SHOWN = 8 };

/* --- loaders --- */

static void put_loader_name(struct sm_picture *page, struct sm_picture_line *line,
	const struct sm_view *view, size_t index)
{
	const struct sm_view_loader *loader = &view->loaders[index];
	const char *name =
		view->ranks > 1 && loader->rank >= 0
			? sm_phrases_printf(&page->words, "%s, rank %d", loader->name, loader->rank)
			: loader->name;
	sm_picture_put(page, line, SM_BOLD, name, page->options.columns / 3);
}

static void add_stages(struct sm_picture *page, const struct sm_judged_loader *loader)
{
	bool used[SM_STAGE_COUNT] = {false};
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_STAGES);
	sm_picture_label(page, line, "  path");
	for (int rank = 0; rank < STAGES_SHOWN; rank++) {
		const struct sm_judged_stage *best = NULL;
		for (size_t i = 0; i < loader->stage_count; i++) {
			const struct sm_judged_stage *stage = &loader->stages[i];
			if (!used[stage->stage] && stage->share >= 0.005 &&
				(!best || stage->share > best->share)) {
				best = stage;
			}
		}
		if (!best) {
			break;
		}
		used[best->stage] = true;
		sm_picture_say(page, line, rank ? SM_PLAIN : SM_BOLD,
			sm_phrases_printf(&page->words, "%s %s   ",
				sm_vocabulary_stage_name(best->stage),
				sm_phrases_share(&page->words, best->share)));
	}
}

static void add_loader(struct sm_picture *page, const struct sm_view *view, size_t index)
{
	const struct sm_view_loader *loader = &view->loaders[index];
	const struct sm_judged_loader *judged = sm_view_judged(view, loader);
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_STAGES);
	sm_picture_label(page, line, "Loader");
	put_loader_name(page, line, view, index);
	if (judged && !isnan(judged->stall_share)) {
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "  stall %s",
				sm_phrases_share(&page->words, judged->stall_share)));
	}
	if (loader->waiting_s >= 0.5) {
		sm_picture_say(page, line, SM_YELLOW,
			sm_phrases_printf(&page->words, "  waiting for %s",
				sm_phrases_seconds(&page->words, loader->waiting_s)));
	}
	if (judged) {
		sm_picture_say(page, line, SM_DIM,
			sm_phrases_printf(&page->words, "  %s", judged->settings));
	}
	if (judged && judged->stage_count) {
		add_stages(page, judged);
	}
}

static void add_loaders(struct sm_picture *page, const struct sm_view *view)
{
	enum { SHOWN = 4 };
	for (size_t i = 0; i < view->loader_count && i < SHOWN; i++) {
		add_loader(page, view, i);
	}
}

/* --- counters --- */

/* "3.1 of 8 GiB" where both are of one unit. */
static const char *say_counter(struct sm_phrases *words, const struct sm_view_counter *counter)
{
	double value = counter->value, limit = counter->limit;
	switch (counter->unit) {
	case SM_VIEW_CORES:
		return isnan(limit) ? sm_phrases_printf(words, "%.1f cores", value)
				    : sm_phrases_printf(words, "%.1f of %.3g cores", value, limit);
	case SM_VIEW_BYTES:
		return isnan(limit) ? sm_phrases_bytes(words, value)
				    : sm_phrases_printf(words, "%s of %s",
					      sm_phrases_bytes(words, value),
					      sm_phrases_bytes(words, limit));
	case SM_VIEW_BYTES_PER_S:
		return sm_phrases_printf(words, "%s/s", sm_phrases_bytes(words, value));
	default:
		return sm_phrases_share(words, value);
	}
}

/* Nine tenths of what there is are worth a look. */
static enum sm_paint counter_paint(const struct sm_view_counter *counter)
{
	bool is_short = counter->unit == SM_VIEW_BYTES && counter->value >= 0.9 * counter->limit;
	return is_short ? SM_YELLOW : SM_PLAIN;
}

static const char *counter_label(struct sm_phrases *words, const struct sm_view_counter *counter)
{
	return counter->instance > 0
		       ? sm_phrases_printf(words, "%s %d", counter->label, counter->instance)
		       : counter->label;
}

static void add_counters(struct sm_picture *page, const struct sm_view *view)
{
	struct sm_picture_line *line = NULL;
	for (size_t i = 0; i < view->counter_count; i++) {
		const struct sm_view_counter *counter = &view->counters[i];
		const char *label = counter_label(&page->words, counter);
		const char *text = say_counter(&page->words, counter);
		int width = sm_text_width(label) + 1 + sm_text_width(text);
		if (!line || width > sm_picture_room(page, line) ||
			line->run_count + 3 > SM_PICTURE_RUNS) {
			line = sm_picture_add(page, line ? SM_PICTURE_MORE : SM_PICTURE_COUNTERS);
			sm_picture_label(page, line, i ? "" : "Machine");
		}
		sm_picture_say(page, line, SM_DIM, sm_phrases_printf(&page->words, "%s ", label));
		sm_picture_say(page, line, counter_paint(counter), text);
		sm_picture_say(page, line, SM_PLAIN, "   ");
	}
}

/* --- findings --- */

static void add_finding(
	struct sm_picture *page, const struct sm_judged_finding *finding, bool first)
{
	struct sm_picture_line *line =
		sm_picture_add(page, first ? SM_PICTURE_FINDING : SM_PICTURE_MORE);
	const char *more = *finding->where ? finding->where : finding->risk;
	sm_picture_label(page, line, first ? "Findings" : "");
	sm_picture_put(page, line, SM_CYAN, finding->id, 7);
	sm_picture_pad(page, line, SM_PICTURE_LABEL + 7);
	if (page->options.columns >= 80) {
		sm_picture_put(page, line, SM_PLAIN, finding->gives_back, 32);
		sm_picture_pad(page, line, SM_PICTURE_LABEL + 7 + 33);
	}
	sm_picture_say(page, line, SM_PLAIN,
		sm_phrases_printf(&page->words, "%s%s%s", finding->title, *more ? ": " : "", more));
}

static void add_findings(struct sm_picture *page, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	size_t shown = 0;
	for (size_t i = 0; i < judgement->finding_count && shown < FINDINGS_SHOWN; i++) {
		if (judgement->findings[i].shown) {
			add_finding(page, &judgement->findings[i], !shown);
			shown++;
		}
	}
	if (!shown && view->loader_count && view->has_judgement &&
		judgement->class_ != SM_VERDICT_CANNOT_TELL) {
		struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_FINDING);
		sm_picture_label(page, line, "Findings");
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "none so far; %zu checks passed",
				judgement->passed_count));
	}
}

void sm_picture_loaders(struct sm_picture *page, const struct sm_view *view)
{
	add_loaders(page, view);
	add_counters(page, view);
	add_findings(page, view);
}
