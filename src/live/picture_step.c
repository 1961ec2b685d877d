/* Where the time of a step goes, so far and in the last seconds, and the last minute second by second. */
#include "live/picture.h"

#include <math.h>

enum { FIGURES = 26 /* columns in front of a sparkline */ };

static const struct {
	char kind;
	const char *block, *letter;
	enum sm_paint paint;
} looks[] = {
	{'d', "\xe2\x96\x88", "#", SM_RED},
	{'t', "\xe2\x96\x93", "=", SM_YELLOW},
	{'h', "\xe2\x96\x92", "-", SM_MAGENTA},
	{'c', "\xe2\x96\x91", ".", SM_BLUE},
};
enum { LOOKS = sizeof(looks) / sizeof(looks[0]) };

static void put_blocks(
	struct sm_picture *page, struct sm_picture_line *line, size_t look, int count)
{
	struct sm_str blocks = SM_STR_EMPTY;
	for (int i = 0; i < count; i++) {
		sm_str_add(&blocks, page->options.unicode ? looks[look].block : looks[look].letter);
	}
	sm_picture_say(page, line, looks[look].paint, sm_picture_keep(page, &blocks));
}

/* Whole columns that add up: each part ends where the sum of shares up to it says. */
static void add_bar(struct sm_picture *page, enum sm_picture_rank rank, const char *label,
	const double shares[LOOKS], const char *value)
{
	struct sm_picture_line *line = sm_picture_add(page, rank);
	sm_picture_label(page, line, label);
	int room = sm_picture_room(page, line) - 12, done = 0;
	double sum = 0;
	for (size_t i = 0; i < LOOKS; i++) {
		sum += fmax(shares[i], 0);
		int end = (int)lround(fmin(sum, 1) * room);
		put_blocks(page, line, i, end - done);
		done = end;
	}
	sm_picture_pad(page, line, SM_PICTURE_LABEL + room + 2);
	sm_picture_say(page, line, SM_PLAIN, value);
}

static void put_legend(
	struct sm_picture *page, const struct sm_view *view, enum sm_picture_rank rank)
{
	struct sm_picture_line *line = sm_picture_add(page, rank);
	sm_picture_pad(page, line, SM_PICTURE_LABEL);
	for (size_t i = 0; i < view->judgement.part_count; i++) {
		const struct sm_judged_part *part = &view->judgement.parts[i];
		for (size_t look = 0; look < LOOKS; look++) {
			if (looks[look].kind == part->kind) {
				put_blocks(page, line, look, 1);
			}
		}
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, " %s %s   ", part->name, part->value));
	}
}

static void add_step(struct sm_picture *page, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	double shares[LOOKS] = {0};
	if (!judgement->part_count) {
		return;
	}
	for (size_t i = 0; i < judgement->part_count; i++) {
		for (size_t look = 0; look < LOOKS; look++) {
			shares[look] += looks[look].kind == judgement->parts[i].kind
						? judgement->parts[i].share
						: 0;
		}
	}
	add_bar(page, SM_PICTURE_RATES, "Mean step", shares, judgement->step);
	put_legend(page, view, SM_PICTURE_MORE);
}

static void add_window(struct sm_picture *page, const struct sm_view *view)
{
	const struct sm_pulse_time *window = &view->window;
	double stall = sm_view_recent_stall(view);
	if (isnan(stall)) {
		return;
	}
	double copy = sm_pulse_share(window->transfer_s, window->known_s);
	double host = sm_pulse_share(window->host_s, window->known_s);
	const double shares[LOOKS] = {stall, copy, host, fmax(1 - stall - copy - host, 0)};
	const char *mean = window->steps > 0 ? sm_phrases_seconds(&page->words,
						       window->known_s / window->steps)
					     : "no step";
	add_bar(page, SM_PICTURE_WINDOW,
		sm_phrases_printf(&page->words, "Last %.0f s", view->window_s), shares, mean);
}

/* --- the last minute --- */

static void put_sparkline(struct sm_picture *page, struct sm_picture_line *line,
	enum sm_paint paint, const double *values, size_t count, double top)
{
	static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
		"\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88"};
	static const char *const letters[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
	enum { LEVELS = sizeof(blocks) / sizeof(blocks[0]) };
	int room = sm_picture_room(page, line);
	size_t first = (int)count > room ? count - (size_t)(room > 0 ? room : 0) : 0;
	struct sm_str text = SM_STR_EMPTY;
	for (size_t i = first; i < count; i++) {
		double height = top > 0 ? fmin(values[i] / top, 1) : 0;
		int level = isnan(values[i]) ? -1 : (int)(height * (LEVELS - 1) + 0.5);
		sm_str_add(&text, level < 0		  ? " "
				  : page->options.unicode ? blocks[level]
							  : letters[level]);
	}
	sm_picture_say(page, line, paint, sm_picture_keep(page, &text));
}

static void add_rates(struct sm_picture *page, const struct sm_view *view)
{
	struct sm_phrases *words = &page->words;
	double steps[SM_PULSE_SECONDS], top = 0;
	size_t count = view->pulse.count;
	const struct sm_pulse_time *seconds = &view->pulse.seconds[SM_PULSE_SECONDS - count];
	int ranks = view->ranks > 1 ? view->ranks : 1;
	if (!count) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		steps[i] = seconds[i].steps / ranks;
		top = fmax(top, steps[i]);
	}
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_RATES);
	double samples = sm_view_samples_per_s(view), rate = sm_view_steps_per_s(view);
	sm_picture_label(page, line, "Steps/s");
	sm_picture_say(
		page, line, SM_BOLD, sm_phrases_printf(words, rate < 10 ? "%.1f" : "%.0f", rate));
	if (!isnan(samples)) {
		sm_picture_say(page, line, SM_PLAIN,
			sm_phrases_printf(
				words, "   %s samples/s", sm_phrases_count(words, round(samples))));
	}
	sm_picture_pad(page, line, SM_PICTURE_LABEL + FIGURES);
	put_sparkline(page, line, SM_GREEN, steps, count, top);
}

static void add_stalls(struct sm_picture *page, const struct sm_view *view)
{
	double stalls[SM_PULSE_SECONDS];
	size_t count = view->pulse.count;
	const struct sm_pulse_time *seconds = &view->pulse.seconds[SM_PULSE_SECONDS - count];
	double stall = sm_view_recent_stall(view);
	if (!count || isnan(stall)) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		stalls[i] = sm_pulse_share(seconds[i].exposed_s, seconds[i].known_s);
	}
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_WINDOW);
	sm_picture_label(page, line, "Stall");
	sm_picture_say(page, line, SM_PLAIN, sm_phrases_share(&page->words, stall));
	sm_picture_pad(page, line, SM_PICTURE_LABEL + FIGURES);
	put_sparkline(page, line, SM_RED, stalls, count, 1);
}

void sm_picture_step(struct sm_picture *page, const struct sm_view *view)
{
	add_step(page, view);
	add_window(page, view);
	add_rates(page, view);
	add_stalls(page, view);
}
