/* From top to bottom: what run this is, the verdict, the step and the last seconds, loaders, counters, findings, workers. The
 * workers come last because only their number has no bound: they take the rows that are left, and scroll. */
#include "live/page.h"

#include "report/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABEL = 13, STAGES_SHOWN = 5, FINDINGS_SHOWN = 8, WIDE = 999 };

/* --- lines and runs --- */

struct sm_page_line *sm_page_add(struct sm_page *page, enum sm_page_rank rank)
{
	struct sm_page_line *line = &page->lines[page->count];
	page->count += page->count + 1 < SM_PAGE_LINES;
	*line = (struct sm_page_line){.rank = rank};
	return line;
}

int sm_page_room(const struct sm_page *page, const struct sm_page_line *line)
{
	return page->options.columns - line->used;
}

static const char *keep(struct sm_page *page, struct sm_str *text)
{
	const char *kept = sm_arena_strdup(&page->arena, sm_str_text(text));
	page->words.failed |= !kept || text->failed;
	sm_str_finish(text);
	return kept ? kept : "";
}

void sm_page_put(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text, int columns)
{
	int room = sm_page_room(page, line);
	struct sm_str cut = SM_STR_EMPTY;
	if (!*text || room <= 0 || line->run_count == SM_PAGE_RUNS) {
		return;
	}
	sm_text_add_cut(&cut, text, columns < room ? columns : room, page->options.unicode);
	const char *kept = keep(page, &cut);
	line->runs[line->run_count++] = (struct sm_page_run){.paint = paint, .text = kept};
	line->used += sm_text_width(kept);
}

static void put(
	struct sm_page *page, struct sm_page_line *line, enum sm_paint paint, const char *text)
{
	sm_page_put(page, line, paint, text, WIDE);
}

void sm_page_pad(struct sm_page *page, struct sm_page_line *line, int to_column)
{
	struct sm_str spaces = SM_STR_EMPTY;
	if (to_column > line->used) {
		sm_text_add_spaces(&spaces, to_column - line->used);
		put(page, line, SM_PLAIN, keep(page, &spaces));
	}
}

static void put_chip(
	struct sm_page *page, struct sm_page_line *line, enum sm_paint paint, const char *text)
{
	size_t before = line->run_count;
	put(page, line, paint, sm_phrases_printf(&page->words, " %s ", text));
	if (line->run_count > before) {
		line->runs[before].reverse = true;
	}
}

static void put_label(struct sm_page *page, struct sm_page_line *line, const char *label)
{
	sm_page_put(page, line, SM_DIM, label, LABEL - 1);
	sm_page_pad(page, line, LABEL);
}

static void add_gap(struct sm_page *page)
{
	sm_page_add(page, SM_PAGE_GAP);
}

/* `text` behind what stands in `line`, broken into at most `most` lines. */
static void flow(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text, int most)
{
	int indent = line->used;
	enum sm_page_rank rank = line->rank;
	for (int i = 0; i < most && *text; i++) {
		const char *next;
		size_t length = sm_text_break(text, page->options.columns - indent, &next);
		if (i) {
			line = sm_page_add(page, rank);
			sm_page_pad(page, line, indent);
		}
		bool last = i + 1 == most;
		put(page, line, paint,
			last ? text : sm_phrases_printf(&page->words, "%.*s", (int)length, text));
		text = next;
	}
}

/* --- the head --- */

static const char *say_state(struct sm_page *page, const struct sm_view *view)
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

static void add_head(struct sm_page *page, const struct sm_view *view)
{
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_CORE);
	struct sm_phrases *words = &page->words;
	put(page, line, SM_DIM, "stallmeter top  ");
	sm_page_put(page, line, SM_BOLD, view->title, page->options.columns / 3);
	put(page, line, SM_PLAIN, sm_phrases_printf(words, "  %s", say_state(page, view)));
	if (view->has_judgement && view->judgement.steps > 0) {
		put(page, line, SM_PLAIN,
			sm_phrases_printf(words, ", %s steps",
				sm_phrases_count(words, view->judgement.steps)));
	}
	if (view->ranks > 1) {
		put(page, line, SM_PLAIN, sm_phrases_printf(words, ", %d ranks", view->ranks));
	}
	put(page, line, SM_DIM, sm_phrases_printf(words, "  %s", view->run));
	if (page->options.paused) {
		line = sm_page_add(page, SM_PAGE_CORE);
		put_chip(page, line, SM_YELLOW, "paused");
	}
	if (view->events_lost > 0) {
		line = sm_page_add(page, SM_PAGE_CORE);
		put(page, line, SM_YELLOW,
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

static void put_recent(struct sm_page *page, struct sm_page_line *line, const struct sm_view *view)
{
	double stall = sm_view_recent_stall(view);
	if (!isnan(stall)) {
		put(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "   last %.0f s: %s", view->window_s,
				sm_phrases_share(&page->words, stall)));
	}
}

static void add_verdict(struct sm_page *page, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_CORE);
	if (!view->has_judgement) {
		put(page, line, SM_CYAN,
			*view->not_judged ? "cannot be judged: " : "not judged yet");
		put(page, line, SM_PLAIN, view->not_judged);
		put_recent(page, line, view);
		return;
	}
	put_chip(page, line, verdict_paint(judgement->class_), judgement->word);
	put(page, line, SM_PLAIN, "  ");
	if (!isnan(judgement->stall_share)) {
		put(page, line, SM_BOLD,
			sm_phrases_printf(&page->words, "stall %s", judgement->stall));
		put(page, line, SM_PLAIN,
			sm_phrases_printf(
				&page->words, " of the time so far (%s)", judgement->stall_range));
	}
	put_recent(page, line, view);
	if (judgement->class_ == SM_VERDICT_CANNOT_TELL) {
		line = sm_page_add(page, SM_PAGE_CORE);
		put_label(page, line, "Missing");
		flow(page, line, SM_PLAIN, judgement->missing, 2);
	}
}

static void add_end(struct sm_page *page, const struct sm_view *view)
{
	if (view->state == SM_VIEW_FINISHED) {
		struct sm_page_line *line = sm_page_add(page, SM_PAGE_CORE);
		put(page, line, SM_GREEN, "The run is over. ");
		put(page, line, SM_PLAIN, "All of it:  ");
		put(page, line, SM_BOLD,
			sm_phrases_printf(&page->words, "stallmeter report %s", view->run));
	}
}

/* --- the step --- */

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

static void put_blocks(struct sm_page *page, struct sm_page_line *line, size_t look, int count)
{
	struct sm_str blocks = SM_STR_EMPTY;
	for (int i = 0; i < count; i++) {
		sm_str_add(&blocks, page->options.unicode ? looks[look].block : looks[look].letter);
	}
	put(page, line, looks[look].paint, keep(page, &blocks));
}

/* Whole columns that add up: each part ends where the sum of shares up to it says. */
static void add_bar(struct sm_page *page, enum sm_page_rank rank, const char *label,
	const double shares[LOOKS], const char *value)
{
	struct sm_page_line *line = sm_page_add(page, rank);
	put_label(page, line, label);
	int room = sm_page_room(page, line) - 12, done = 0;
	double sum = 0;
	for (size_t i = 0; i < LOOKS; i++) {
		sum += fmax(shares[i], 0);
		int end = (int)lround(fmin(sum, 1) * room);
		put_blocks(page, line, i, end - done);
		done = end;
	}
	sm_page_pad(page, line, LABEL + room + 2);
	put(page, line, SM_PLAIN, value);
}

static void put_legend(struct sm_page *page, const struct sm_view *view, enum sm_page_rank rank)
{
	struct sm_page_line *line = sm_page_add(page, rank);
	sm_page_pad(page, line, LABEL);
	for (size_t i = 0; i < view->judgement.part_count; i++) {
		const struct sm_judged_part *part = &view->judgement.parts[i];
		for (size_t look = 0; look < LOOKS; look++) {
			if (looks[look].kind == part->kind) {
				put_blocks(page, line, look, 1);
			}
		}
		put(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, " %s %s   ", part->name, part->value));
	}
}

static void add_step(struct sm_page *page, const struct sm_view *view)
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
	add_bar(page, SM_PAGE_RATES, "Mean step", shares, judgement->step);
	put_legend(page, view, SM_PAGE_MORE);
}

static void add_window(struct sm_page *page, const struct sm_view *view)
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
	add_bar(page, SM_PAGE_WINDOW,
		sm_phrases_printf(&page->words, "Last %.0f s", view->window_s), shares, mean);
}

/* --- the last minute --- */

static void put_sparkline(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const double *values, size_t count, double top)
{
	static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
		"\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88"};
	static const char *const letters[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
	enum { LEVELS = sizeof(blocks) / sizeof(blocks[0]) };
	int room = sm_page_room(page, line);
	size_t first = (int)count > room ? count - (size_t)(room > 0 ? room : 0) : 0;
	struct sm_str text = SM_STR_EMPTY;
	for (size_t i = first; i < count; i++) {
		double height = top > 0 ? fmin(values[i] / top, 1) : 0;
		int level = isnan(values[i]) ? -1 : (int)(height * (LEVELS - 1) + 0.5);
		sm_str_add(&text, level < 0		  ? " "
				  : page->options.unicode ? blocks[level]
							  : letters[level]);
	}
	put(page, line, paint, keep(page, &text));
}

static void add_rates(struct sm_page *page, const struct sm_view *view)
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
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_RATES);
	double samples = sm_view_samples_per_s(view), rate = sm_view_steps_per_s(view);
	put_label(page, line, "Steps/s");
	put(page, line, SM_BOLD, sm_phrases_printf(words, rate < 10 ? "%.1f" : "%.0f", rate));
	if (!isnan(samples)) {
		put(page, line, SM_PLAIN,
			sm_phrases_printf(
				words, "   %s samples/s", sm_phrases_count(words, round(samples))));
	}
	sm_page_pad(page, line, LABEL + 26);
	put_sparkline(page, line, SM_GREEN, steps, count, top);
}

static void add_stalls(struct sm_page *page, const struct sm_view *view)
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
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_WINDOW);
	put_label(page, line, "Stall");
	put(page, line, SM_PLAIN, sm_phrases_share(&page->words, stall));
	sm_page_pad(page, line, LABEL + 26);
	put_sparkline(page, line, SM_RED, stalls, count, 1);
}

/* --- loaders --- */

static void put_loader_name(
	struct sm_page *page, struct sm_page_line *line, const struct sm_view *view, size_t index)
{
	const struct sm_view_loader *loader = &view->loaders[index];
	const char *name =
		view->ranks > 1 && loader->rank >= 0
			? sm_phrases_printf(&page->words, "%s, rank %d", loader->name, loader->rank)
			: loader->name;
	sm_page_put(page, line, SM_BOLD, name, page->options.columns / 3);
}

static void add_stages(struct sm_page *page, const struct sm_judged_loader *loader)
{
	bool used[SM_STAGE_COUNT] = {false};
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_STAGES);
	put_label(page, line, "  path");
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
		put(page, line, rank ? SM_PLAIN : SM_BOLD,
			sm_phrases_printf(&page->words, "%s %s   ",
				sm_vocabulary_stage_name(best->stage),
				sm_phrases_share(&page->words, best->share)));
	}
}

static void add_loader(struct sm_page *page, const struct sm_view *view, size_t index)
{
	const struct sm_view_loader *loader = &view->loaders[index];
	const struct sm_judged_loader *judged = sm_view_judged(view, loader);
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_STAGES);
	put_label(page, line, "Loader");
	put_loader_name(page, line, view, index);
	if (judged && !isnan(judged->stall_share)) {
		put(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "  stall %s",
				sm_phrases_share(&page->words, judged->stall_share)));
	}
	if (loader->waiting_s >= 0.5) {
		put(page, line, SM_YELLOW,
			sm_phrases_printf(&page->words, "  waiting for %s",
				sm_phrases_seconds(&page->words, loader->waiting_s)));
	}
	if (judged) {
		put(page, line, SM_DIM, sm_phrases_printf(&page->words, "  %s", judged->settings));
	}
	if (judged && judged->stage_count) {
		add_stages(page, judged);
	}
}

static void add_loaders(struct sm_page *page, const struct sm_view *view)
{
	enum { SHOWN = 4 };
	size_t shown = 0;
	for (size_t i = 0; i < view->loader_count && shown < SHOWN; i++) {
		if (view->loaders[i].batches > 0 || view->loaders[i].waiting_s > 0) {
			add_loader(page, view, i);
			shown++;
		}
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

static void add_counters(struct sm_page *page, const struct sm_view *view)
{
	struct sm_page_line *line = NULL;
	for (size_t i = 0; i < view->counter_count; i++) {
		const struct sm_view_counter *counter = &view->counters[i];
		const char *label = counter_label(&page->words, counter);
		const char *text = say_counter(&page->words, counter);
		int width = sm_text_width(label) + 1 + sm_text_width(text);
		if (!line || width > sm_page_room(page, line) ||
			line->run_count + 3 > SM_PAGE_RUNS) {
			line = sm_page_add(page, line ? SM_PAGE_MORE : SM_PAGE_COUNTERS);
			put_label(page, line, i ? "" : "Machine");
		}
		put(page, line, SM_DIM, sm_phrases_printf(&page->words, "%s ", label));
		put(page, line, counter_paint(counter), text);
		put(page, line, SM_PLAIN, "   ");
	}
}

/* --- findings --- */

static void add_finding(struct sm_page *page, const struct sm_judged_finding *finding, bool first)
{
	struct sm_page_line *line = sm_page_add(page, first ? SM_PAGE_FINDING : SM_PAGE_MORE);
	const char *more = *finding->where ? finding->where : finding->risk;
	put_label(page, line, first ? "Findings" : "");
	sm_page_put(page, line, SM_CYAN, finding->id, 7);
	sm_page_pad(page, line, LABEL + 7);
	if (page->options.columns >= 80) {
		sm_page_put(page, line, SM_PLAIN, finding->gives_back, 32);
		sm_page_pad(page, line, LABEL + 7 + 33);
	}
	put(page, line, SM_PLAIN,
		sm_phrases_printf(&page->words, "%s%s%s", finding->title, *more ? ": " : "", more));
}

static void add_findings(struct sm_page *page, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	size_t shown = 0;
	for (size_t i = 0; i < judgement->finding_count && shown < FINDINGS_SHOWN; i++) {
		if (judgement->findings[i].shown) {
			add_finding(page, &judgement->findings[i], !shown);
			shown++;
		}
	}
	if (!shown && view->has_judgement && judgement->class_ != SM_VERDICT_CANNOT_TELL) {
		struct sm_page_line *line = sm_page_add(page, SM_PAGE_FINDING);
		put_label(page, line, "Findings");
		put(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "none so far; %zu checks passed",
				judgement->passed_count));
	}
}

/* --- the whole --- */

static void add_keys(struct sm_page *page)
{
	static const char *const sorts[] = {"index", "busy", "CPU", "memory", "read"};
	struct sm_page_line *line = sm_page_add(page, SM_PAGE_CORE);
	const struct {
		const char *key, *does;
	} keys[] = {
		{"q", "quit"},
		{"p", page->options.paused ? "go on" : "pause"},
		{"s", sm_phrases_printf(&page->words, "sort: %s", sorts[page->options.sort])},
		{"?", page->options.help ? "back" : "help"},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		put(page, line, SM_BOLD, sm_phrases_printf(&page->words, " %s", keys[i].key));
		put(page, line, SM_DIM, sm_phrases_printf(&page->words, " %s  ", keys[i].does));
	}
}

/* Drops the last of the lines of the highest rank until `rows` are left. Returns how many are. */
static size_t fit(struct sm_page *page, size_t rows)
{
	size_t kept = page->count;
	for (int rank = SM_PAGE_GAP; rank > SM_PAGE_CORE && kept > rows; rank--) {
		for (size_t i = page->count; i-- > 0 && kept > rows;) {
			struct sm_page_line *line = &page->lines[i];
			if (line->rank == (enum sm_page_rank)rank && !line->dropped) {
				line->dropped = true;
				kept--;
			}
		}
	}
	size_t left = 0;
	for (size_t i = 0; i < page->count; i++) {
		if (!page->lines[i].dropped && left < rows) {
			page->lines[left++] = page->lines[i];
		}
	}
	page->count = left;
	return left;
}

static void add_body(struct sm_page *page, const struct sm_view *view)
{
	add_head(page, view);
	add_verdict(page, view);
	add_end(page, view);
	add_gap(page);
	add_step(page, view);
	add_window(page, view);
	add_rates(page, view);
	add_stalls(page, view);
	add_gap(page);
	add_loaders(page, view);
	add_counters(page, view);
	add_findings(page, view);
}

/* Rows that the workers want before anything else is shortened further: their heading, and three of them. */
static size_t rows_for_workers(const struct sm_view *view)
{
	enum { LEAST = 3 };
	return view->worker_count ? 1 + (view->worker_count < LEAST ? view->worker_count : LEAST)
				  : 0;
}

int sm_page_lay(
	struct sm_page *page, const struct sm_view *view, const struct sm_page_options *options)
{
	*page = (struct sm_page){.options = *options};
	page->words = (struct sm_phrases){.arena = &page->arena, .unicode = options->unicode};
	size_t rows = options->rows > 0 ? (size_t)options->rows : SM_PAGE_LINES - 1;
	rows -= options->keys && rows > 1;
	if (options->help) {
		sm_page_help(page);
		fit(page, rows);
	} else {
		add_body(page, view);
		size_t workers = rows_for_workers(view);
		fit(page, rows > workers + 4 ? rows - workers : rows);
		page->options.rows = (int)(rows - page->count);
		sm_page_workers(page, view);
	}
	page->options.rows = options->rows;
	while (options->keys && page->count < rows) {
		sm_page_add(page, SM_PAGE_GAP); /* the keys stand in the last row */
	}
	if (options->keys) {
		add_keys(page);
	}
	return page->words.failed ? -ENOMEM : 0;
}

void sm_page_finish(struct sm_page *page)
{
	sm_arena_finish(&page->arena);
	page->count = 0;
}

int sm_page_write(const struct sm_page *page, bool colour, FILE *out)
{
	static const char *const codes[SM_PAINT_COUNT] = {
		"", "1", "2", "31", "32", "33", "34", "35", "36"};
	for (size_t i = 0; i < page->count; i++) {
		const struct sm_page_line *line = &page->lines[i];
		for (size_t r = 0; r < line->run_count; r++) {
			const struct sm_page_run *run = &line->runs[r];
			bool last = r + 1 == line->run_count;
			size_t bytes = strlen(run->text);
			while (last && !run->reverse && bytes && run->text[bytes - 1] == ' ') {
				bytes--; /* nothing but spaces before the line's end */
			}
			if (colour && (run->paint || run->reverse)) {
				fprintf(out, "\x1b[%s%sm%.*s\x1b[0m", run->reverse ? "1;7;" : "",
					codes[run->paint], (int)bytes, run->text);
			} else {
				fwrite(run->text, 1, bytes, out);
			}
		}
		fputc('\n', out);
	}
	return ferror(out) ? -EIO : 0;
}
