/* From top to bottom: what run this is, the verdict, the step and the last seconds, loaders, counters, findings, workers. The
 * workers come last because only their number has no bound: they take the rows that are left, and scroll. */
#include "live/picture.h"

#include "report/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- lines and runs --- */

struct sm_picture_line *sm_picture_add(struct sm_picture *page, enum sm_picture_rank rank)
{
	struct sm_picture_line *line = &page->lines[page->count];
	page->count += page->count + 1 < SM_PICTURE_LINES;
	*line = (struct sm_picture_line){.rank = rank};
	return line;
}

int sm_picture_room(const struct sm_picture *page, const struct sm_picture_line *line)
{
	return page->options.columns - line->used;
}

const char *sm_picture_keep(struct sm_picture *page, struct sm_str *text)
{
	const char *kept = sm_arena_strdup(&page->arena, sm_str_text(text));
	page->words.failed |= !kept || text->failed;
	sm_str_finish(text);
	return kept ? kept : "";
}

void sm_picture_put(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text, int columns)
{
	int room = sm_picture_room(page, line);
	struct sm_str cut = SM_STR_EMPTY;
	if (!*text || room <= 0 || line->run_count == SM_PICTURE_RUNS) {
		return;
	}
	sm_text_add_cut(&cut, text, columns < room ? columns : room, page->options.unicode);
	const char *kept = sm_picture_keep(page, &cut);
	line->runs[line->run_count++] = (struct sm_picture_run){.paint = paint, .text = kept};
	line->used += sm_text_width(kept);
}

void sm_picture_say(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text)
{
	sm_picture_put(page, line, paint, text, SM_PICTURE_WIDE);
}

void sm_picture_pad(struct sm_picture *page, struct sm_picture_line *line, int to_column)
{
	struct sm_str spaces = SM_STR_EMPTY;
	if (to_column > line->used) {
		sm_text_add_spaces(&spaces, to_column - line->used);
		sm_picture_say(page, line, SM_PLAIN, sm_picture_keep(page, &spaces));
	}
}

void sm_picture_chip(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text)
{
	size_t before = line->run_count;
	sm_picture_say(page, line, paint, sm_phrases_printf(&page->words, " %s ", text));
	if (line->run_count > before) {
		line->runs[before].reverse = true;
	}
}

void sm_picture_label(struct sm_picture *page, struct sm_picture_line *line, const char *label)
{
	sm_picture_put(page, line, SM_DIM, label, SM_PICTURE_LABEL - 1);
	sm_picture_pad(page, line, SM_PICTURE_LABEL);
}

static void add_gap(struct sm_picture *page)
{
	sm_picture_add(page, SM_PICTURE_GAP);
}

/* `text` behind what stands in `line`, broken into at most `most` lines. */
void sm_picture_flow(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text, int most)
{
	int indent = line->used;
	enum sm_picture_rank rank = line->rank;
	for (int i = 0; i < most && *text; i++) {
		const char *next;
		size_t length = sm_text_break(text, page->options.columns - indent, &next);
		if (i) {
			line = sm_picture_add(page, rank);
			sm_picture_pad(page, line, indent);
		}
		bool last = i + 1 == most;
		sm_picture_say(page, line, paint,
			last ? text : sm_phrases_printf(&page->words, "%.*s", (int)length, text));
		text = next;
	}
}

/* --- the whole --- */

static void add_keys(struct sm_picture *page)
{
	static const char *const sorts[] = {"index", "busy", "CPU", "memory", "read"};
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	const struct {
		const char *key, *does;
	} keys[] = {
		{"q", "quit"},
		{"p", page->options.paused ? "go on" : "pause"},
		{"s", sm_phrases_printf(&page->words, "sort: %s", sorts[page->options.sort])},
		{"?", page->options.help ? "back" : "help"},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		sm_picture_say(
			page, line, SM_BOLD, sm_phrases_printf(&page->words, " %s", keys[i].key));
		sm_picture_say(
			page, line, SM_DIM, sm_phrases_printf(&page->words, " %s  ", keys[i].does));
	}
}

/* Drops the last of the lines of the highest rank until `rows` are left. Returns how many are. */
static size_t fit(struct sm_picture *page, size_t rows)
{
	size_t kept = page->count;
	for (int rank = SM_PICTURE_GAP; rank > SM_PICTURE_CORE && kept > rows; rank--) {
		for (size_t i = page->count; i-- > 0 && kept > rows;) {
			struct sm_picture_line *line = &page->lines[i];
			if (line->rank == (enum sm_picture_rank)rank && !line->dropped) {
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

static void add_body(struct sm_picture *page, const struct sm_view *view)
{
	sm_picture_head(page, view);
	add_gap(page);
	sm_picture_step(page, view);
	add_gap(page);
	sm_picture_loaders(page, view);
	add_gap(page);
}

/* Rows that the workers get before anything else is shortened further: a third of the screen, and no less than three and
 * their heading. */
static size_t rows_for_workers(const struct sm_view *view, size_t rows)
{
	enum { LEAST = 3 };
	size_t wanted = rows / 3 > LEAST ? rows / 3 : LEAST;
	return view->worker_count ? 1 + (view->worker_count < wanted ? view->worker_count : wanted)
				  : 0;
}

int sm_picture_lay(struct sm_picture *page, const struct sm_view *view,
	const struct sm_picture_options *options)
{
	*page = (struct sm_picture){.options = *options};
	page->words = (struct sm_phrases){.arena = &page->arena, .unicode = options->unicode};
	size_t rows = options->rows > 0 ? (size_t)options->rows : SM_PICTURE_LINES - 1;
	bool keys = options->keys && rows > 1;
	rows -= keys;
	if (options->help) {
		sm_picture_help(page);
		fit(page, rows);
	} else {
		add_body(page, view);
		size_t workers = rows_for_workers(view, rows);
		fit(page, rows > workers + 4 ? rows - workers : rows);
		page->options.rows = (int)(rows - page->count);
		sm_picture_workers(page, view);
	}
	page->options.rows = options->rows;
	while (keys && page->count < rows) {
		sm_picture_add(page, SM_PICTURE_GAP); /* the keys stand in the last row */
	}
	if (keys) {
		add_keys(page);
	}
	return page->words.failed ? -ENOMEM : 0;
}

void sm_picture_finish(struct sm_picture *page)
{
	sm_arena_finish(&page->arena);
	page->count = 0;
}

int sm_picture_write(const struct sm_picture *page, bool colour, FILE *out)
{
	static const char *const codes[SM_PAINT_COUNT] = {
		"", "1", "2", "31", "32", "33", "34", "35", "36"};
	for (size_t i = 0; i < page->count; i++) {
		const struct sm_picture_line *line = &page->lines[i];
		for (size_t r = 0; r < line->run_count; r++) {
			const struct sm_picture_run *run = &line->runs[r];
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
