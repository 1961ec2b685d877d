#include "report/screen.h"

#include "report/text.h"

#include <errno.h>

static const char *const codes[SM_PAINT_COUNT] = {
	[SM_PLAIN] = "",
	[SM_BOLD] = "1",
	[SM_DIM] = "2",
	[SM_RED] = "31",
	[SM_GREEN] = "32",
	[SM_YELLOW] = "33",
	[SM_BLUE] = "34",
	[SM_MAGENTA] = "35",
	[SM_CYAN] = "36",
};

void sm_screen_init(struct sm_screen *screen, const struct sm_report_style *style)
{
	int columns = style->columns > 0 ? style->columns : SM_SCREEN_COLUMNS_MAX;
	columns = columns > SM_SCREEN_COLUMNS_MAX ? SM_SCREEN_COLUMNS_MAX : columns;
	columns = columns < SM_SCREEN_COLUMNS_MIN ? SM_SCREEN_COLUMNS_MIN : columns;
	*screen = (struct sm_screen){.colour = style->colour,
		.unicode = style->unicode,
		.columns = columns,
		.label = 15};
}

struct sm_str *sm_screen_line(struct sm_screen *screen, enum sm_rank rank)
{
	if (screen->count == SM_SCREEN_ROOM) {
		return &screen->spare;
	}
	struct sm_screen_line *line = &screen->lines[screen->count++];
	line->rank = rank;
	return &line->text;
}

void sm_screen_paint(
	const struct sm_screen *screen, struct sm_str *line, enum sm_paint how, const char *text)
{
	if (screen->colour && how != SM_PLAIN && *text) {
		sm_str_addf(line, "\x1b[%sm%s\x1b[0m", codes[how], text);
	} else {
		sm_str_add(line, text);
	}
}

void sm_screen_padded(const struct sm_screen *screen, struct sm_str *line, enum sm_paint how,
	const char *text, int columns)
{
	struct sm_str padded = SM_STR_EMPTY;
	sm_text_add_padded(&padded, text, columns, screen->unicode);
	sm_screen_paint(screen, line, how, sm_str_text(&padded));
	line->failed |= padded.failed;
	sm_str_finish(&padded);
}

void sm_screen_cut(const struct sm_screen *screen, struct sm_str *line, enum sm_paint how,
	const char *text, int columns)
{
	struct sm_str cut = SM_STR_EMPTY;
	sm_text_add_cut(&cut, text, columns, screen->unicode);
	sm_screen_paint(screen, line, how, sm_str_text(&cut));
	line->failed |= cut.failed;
	sm_str_finish(&cut);
}

void sm_screen_blank(struct sm_screen *screen, enum sm_rank rank)
{
	sm_screen_line(screen, rank);
}

/* `text` from column `indent` on, broken into at most `most` lines; the last is cut. `first` already holds what stands
 * left of it. */
void sm_screen_flow(struct sm_screen *screen, struct sm_str *first, enum sm_rank rank, int indent,
	enum sm_paint how, const char *text, int most)
{
	struct sm_str *line = first;
	for (int i = 0; i < most && *text; i++) {
		const char *next;
		size_t length = sm_text_break(text, screen->columns - indent, &next);
		if (i) {
			line = sm_screen_line(screen, rank);
			sm_text_add_spaces(line, indent);
		}
		if (i + 1 == most) {
			sm_screen_cut(screen, line, how, text, screen->columns - indent);
			return;
		}
		struct sm_str part = SM_STR_EMPTY;
		sm_str_add_bytes(&part, text, length);
		sm_screen_paint(screen, line, how, sm_str_text(&part));
		line->failed |= part.failed;
		sm_str_finish(&part);
		text = next;
	}
}

void sm_screen_labelled(struct sm_screen *screen, enum sm_rank rank, const char *label,
	enum sm_paint how, const char *text, int most)
{
	if (!*text) {
		return;
	}
	struct sm_str *line = sm_screen_line(screen, rank);
	sm_text_add_spaces(line, 2);
	sm_screen_padded(screen, line, SM_DIM, label, screen->label - 2);
	sm_screen_flow(screen, line, rank, screen->label, how, text, most);
}

void sm_screen_chip(
	const struct sm_screen *screen, struct sm_str *line, enum sm_paint how, const char *text)
{
	if (screen->colour) {
		sm_str_addf(line, "\x1b[1;7;%sm %s \x1b[0m", codes[how], text);
	} else {
		sm_str_addf(line, " %s ", text);
	}
}

/* Drops the last of the lines with the highest rank until the rest fits. */
static void fit(struct sm_screen *screen)
{
	size_t kept = screen->count;
	for (int rank = SM_RANK_MINOR; rank > SM_RANK_CORE && kept > SM_SCREEN_LINES_MAX; rank--) {
		for (size_t i = screen->count; i-- > 0 && kept > SM_SCREEN_LINES_MAX;) {
			if (screen->lines[i].rank == (enum sm_rank)rank &&
				!screen->lines[i].dropped) {
				screen->lines[i].dropped = true;
				kept--;
			}
		}
	}
}

int sm_screen_show(struct sm_screen *screen, FILE *out)
{
	fit(screen);
	bool failed = screen->spare.failed;
	for (size_t i = 0; i < screen->count; i++) {
		struct sm_screen_line *line = &screen->lines[i];
		failed |= line->text.failed;
		if (!line->dropped) {
			size_t length = line->text.length;
			while (length && line->text.text[length - 1] == ' ') {
				length--;
			}
			fwrite(sm_str_text(&line->text), 1, length, out);
			fputc('\n', out);
		}
		sm_str_finish(&line->text);
	}
	sm_str_finish(&screen->spare);
	return failed ? -ENOMEM : fflush(out) || ferror(out) ? -EIO : 0;
}
