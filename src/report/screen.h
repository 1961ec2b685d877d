/* Lines for a terminal, each with a rank. When there are more than a screen holds (a narrow terminal wraps more), those
 * that a reader misses least go first. */
#ifndef SM_REPORT_SCREEN_H
#define SM_REPORT_SCREEN_H

#include "base/str.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	SM_SCREEN_LINES_MAX = 25,
	SM_SCREEN_COLUMNS_MAX = 100,
	SM_SCREEN_COLUMNS_MIN = 40,
	SM_SCREEN_ROOM = 96, /* lines that may be made before some are dropped */
};

/* When a line is dropped: never, or the higher the earlier. */
enum sm_rank {
	SM_RANK_CORE,
	SM_RANK_FIGURES,
	SM_RANK_FINDINGS,
	SM_RANK_PROOF,
	SM_RANK_STAGES,
	SM_RANK_GAP, /* an empty line between sections */
	SM_RANK_QUALITY,
	SM_RANK_MINOR, /* small stages, small gaps */
};

enum sm_paint {
	SM_PLAIN,
	SM_BOLD,
	SM_DIM,
	SM_RED,
	SM_GREEN,
	SM_YELLOW,
	SM_BLUE,
	SM_MAGENTA,
	SM_CYAN,
	SM_PAINT_COUNT,
};

struct sm_screen_line {
	struct sm_str text; /* owned */
	enum sm_rank rank;
	bool dropped;
};

struct sm_screen {
	bool colour, unicode;
	int columns;
	int label; /* columns that labels stand in, margin included */
	struct sm_screen_line lines[SM_SCREEN_ROOM];
	size_t count;
	struct sm_str spare; /* takes what has no room; owned */
};

void sm_screen_init(struct sm_screen *screen, const struct sm_report_style *style);
struct sm_str *sm_screen_line(struct sm_screen *screen, enum sm_rank rank); /* never NULL */
void sm_screen_blank(struct sm_screen *screen, enum sm_rank rank);
void sm_screen_paint(
	const struct sm_screen *screen, struct sm_str *line, enum sm_paint how, const char *text);
void sm_screen_padded(const struct sm_screen *screen, struct sm_str *line, enum sm_paint how,
	const char *text, int columns);
void sm_screen_cut(const struct sm_screen *screen, struct sm_str *line, enum sm_paint how,
	const char *text, int columns);
/* White on the colour; without colour the bare text between spaces. */
void sm_screen_chip(
	const struct sm_screen *screen, struct sm_str *line, enum sm_paint how, const char *text);
/* `text` from column `indent` on, broken into at most `most` lines; the last is cut. `first` holds what stands left. */
void sm_screen_flow(struct sm_screen *screen, struct sm_str *first, enum sm_rank rank, int indent,
	enum sm_paint how, const char *text, int most);
/* The same behind a label; nothing at all for an empty text. */
void sm_screen_labelled(struct sm_screen *screen, enum sm_rank rank, const char *label,
	enum sm_paint how, const char *text, int most);
/* Drops lines until the rest fits, writes it and frees all: 0, -ENOMEM or -EIO. */
int sm_screen_show(struct sm_screen *screen, FILE *out);

#endif
