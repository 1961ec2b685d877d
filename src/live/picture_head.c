/* What run this is, how far it is, and the verdict. */
#include "live/picture.h"

#include "report/outline.h"

#include <math.h>

static const char *say_state(struct sm_picture *page, const struct sm_view *view)
{
	struct sm_phrases *words = &page->words;
	const char *elapsed =
		isnan(view->elapsed_s) ? "" : sm_phrases_seconds(words, view->elapsed_s);
	switch (view->state) {
	case SM_VIEW_READING:
		return sm_phrases_printf(words, "reading what was recorded: %s",
			sm_phrases_share(words, view->read_share));
	case SM_VIEW_ENDING:
		return "over; reading all of it";
	case SM_VIEW_FINISHED:
		return sm_phrases_printf(words, "finished after %s", elapsed);
	default:
		return *elapsed ? sm_phrases_printf(words, "recording for %s", elapsed)
				: "recording";
	}
}

static void add_head(struct sm_picture *page, const struct sm_view *view)
{
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	struct sm_phrases *words = &page->words;
	sm_picture_say(page, line, SM_DIM, "stallmeter top  ");
	sm_picture_put(page, line, SM_BOLD, view->title, page->options.columns / 3);
	sm_picture_say(
		page, line, SM_PLAIN, sm_phrases_printf(words, "  %s", say_state(page, view)));
	if (view->has_judgement && view->judgement.steps > 0) {
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(words, ", %s step%s",
				sm_phrases_count(words, view->judgement.steps),
				view->judgement.steps > 1 ? "s" : ""));
	}
	if (view->ranks > 1) {
		sm_picture_say(
			page, line, SM_PLAIN, sm_phrases_printf(words, ", %d ranks", view->ranks));
	}
	sm_picture_say(page, line, SM_DIM, sm_phrases_printf(words, "  %s", view->run));
	if (page->options.paused) {
		line = sm_picture_add(page, SM_PICTURE_CORE);
		sm_picture_chip(page, line, SM_YELLOW, "paused");
	}
	if (view->events_lost > 0) {
		line = sm_picture_add(page, SM_PICTURE_CORE);
		sm_picture_say(page, line, SM_YELLOW,
			sm_phrases_printf(words, "%s of %s events were lost, so parts are missing",
				sm_phrases_count(words, view->events_lost),
				sm_phrases_count(words, view->events + view->events_lost)));
	}
}

static enum sm_paint verdict_paint(enum sm_verdict_class class_)
{
	return class_ == SM_VERDICT_COMPUTE_BOUND	 ? SM_GREEN
	       : class_ == SM_VERDICT_CANNOT_TELL	 ? SM_CYAN
	       : class_ == SM_VERDICT_PARTLY_INPUT_BOUND ? SM_YELLOW
							 : SM_RED;
}

static void put_recent(
	struct sm_picture *page, struct sm_picture_line *line, const struct sm_view *view)
{
	double stall = sm_view_recent_stall(view);
	if (!isnan(stall)) {
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "   last %.0f s: %s", view->window_s,
				sm_phrases_share(&page->words, stall)));
	}
}

/* Of the time so far; a narrow screen has no room to say so. */
static const char *how_far(const struct sm_picture *page, const struct sm_view *view)
{
	enum { WIDE_ENOUGH = 72 };
	return page->options.columns < WIDE_ENOUGH ? ""
	       : view->state == SM_VIEW_FINISHED   ? " of the time"
						   : " of the time so far";
}

/* A long run is judged anew only now and then. */
static void put_age(
	struct sm_picture *page, struct sm_picture_line *line, const struct sm_view *view)
{
	enum { WORTH_SAYING_S = 5 };
	if (view->judged_s >= WORTH_SAYING_S) {
		sm_picture_say(page, line, SM_DIM,
			sm_phrases_printf(&page->words, " %s ago",
				sm_phrases_seconds(&page->words, view->judged_s)));
	}
}

static void add_verdict(struct sm_picture *page, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	if (view->state == SM_VIEW_RECORDING && !view->loader_count) {
		sm_picture_say(page, line, SM_CYAN, "no batch of a DataLoader was asked for yet");
		return;
	}
	if (!view->has_judgement) {
		sm_picture_say(page, line, SM_CYAN,
			*view->not_judged ? "cannot be judged: " : "not judged yet");
		sm_picture_say(page, line, SM_PLAIN, view->not_judged);
		put_recent(page, line, view);
		return;
	}
	sm_picture_chip(page, line, verdict_paint(judgement->class_), judgement->word);
	sm_picture_say(page, line, SM_PLAIN, "  ");
	if (!isnan(judgement->stall_share)) {
		sm_picture_say(page, line, SM_BOLD,
			sm_phrases_printf(&page->words, "stall %s", judgement->stall));
		sm_picture_say(page, line, SM_PLAIN, how_far(page, view));
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, " (%s)", judgement->stall_range));
		put_age(page, line, view);
	}
	put_recent(page, line, view);
	if (judgement->class_ == SM_VERDICT_CANNOT_TELL) {
		line = sm_picture_add(page, SM_PICTURE_CORE);
		sm_picture_label(page, line, "Missing");
		sm_picture_flow(page, line, SM_PLAIN, judgement->missing, 2);
	}
}

static void add_end(struct sm_picture *page, const struct sm_view *view)
{
	if (view->state == SM_VIEW_FINISHED) {
		struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
		sm_picture_say(page, line, SM_GREEN, "The run is over. ");
		sm_picture_say(page, line, SM_PLAIN, "All of it:  ");
		sm_picture_say(page, line, SM_BOLD,
			sm_phrases_printf(&page->words, "stallmeter report %s", view->run));
	}
}

static void add_alert(struct sm_picture *page, const struct sm_view_alert *alert)
{
	struct sm_phrases *words = &page->words;
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_RATES);
	sm_picture_label(page, line, "Alert");
	sm_picture_say(page, line, SM_YELLOW,
		sm_phrases_printf(words, "%s %s", sm_outline_monitor_label(words, alert->kind),
			sm_phrases_share(words, alert->value)));
	sm_picture_say(page, line, SM_PLAIN,
		sm_phrases_printf(words, ", over %s for %s",
			sm_phrases_share(words, alert->threshold),
			sm_phrases_seconds(words, alert->since_s)));
}

void sm_picture_head(struct sm_picture *page, const struct sm_view *view)
{
	add_head(page, view);
	add_verdict(page, view);
	add_end(page, view);
	for (size_t i = 0; i < view->alert_count; i++) {
		add_alert(page, &view->alerts[i]);
	}
}
