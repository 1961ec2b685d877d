/* A view laid out on a screen: lines of painted runs, never more nor wider than the screen. Who shows them (tui.c, a stream, a
 * test) only walks over them. */
#ifndef SM_LIVE_PICTURE_H
#define SM_LIVE_PICTURE_H

#include "live/view.h"
#include "report/phrases.h"
#include "report/screen.h"

enum {
	SM_PICTURE_LINES = SM_VIEW_WORKERS + 128,
	SM_PICTURE_RUNS = 24,  /* of a line */
	SM_PICTURE_LABEL = 13, /* columns that labels stand in */
	SM_PICTURE_WIDE = 999, /* wider than any line */
};

enum sm_picture_sort { /* of the workers */
	SM_PICTURE_BY_INDEX,
	SM_PICTURE_BY_BUSY,
	SM_PICTURE_BY_CPU,
	SM_PICTURE_BY_MEMORY,
	SM_PICTURE_BY_READ,
	SM_PICTURE_SORT_COUNT,
};

struct sm_picture_options {
	int rows; /* 0: as many as there is to say */
	int columns;
	bool unicode;
	bool keys; /* a last line that names them */
	bool paused, help;
	enum sm_picture_sort sort;
	size_t scroll; /* the first worker that is shown */
};

struct sm_picture_run {
	enum sm_paint paint;
	bool reverse;
	const char *text; /* in the arena, or static */
};

/* Why a line is there: of those that do not fit the last kind goes first. */
enum sm_picture_rank {
	SM_PICTURE_CORE,
	SM_PICTURE_RATES,
	SM_PICTURE_FINDING, /* the first */
	SM_PICTURE_COUNTERS,
	SM_PICTURE_STAGES,
	SM_PICTURE_WINDOW,
	SM_PICTURE_MORE, /* findings, legends */
	SM_PICTURE_GAP,
};

struct sm_picture_line {
	enum sm_picture_rank rank;
	struct sm_picture_run runs[SM_PICTURE_RUNS];
	size_t run_count;
	int used; /* columns */
	bool dropped;
};

struct sm_picture {
	struct sm_arena arena; /* owned */
	struct sm_phrases words;
	struct sm_picture_options options;
	struct sm_picture_line lines[SM_PICTURE_LINES];
	size_t count;
	size_t workers_shown, workers_first; /* what the scroll came to */
};

/* 0 or -ENOMEM. A page is large: keep it in static memory or on the heap. */
int sm_picture_lay(struct sm_picture *page, const struct sm_view *view,
	const struct sm_picture_options *options);
void sm_picture_finish(struct sm_picture *page); /* fine on a zeroed one */
/* The whole as text, with escapes where `colour`. 0 or -EIO. */
int sm_picture_write(const struct sm_picture *page, bool colour, FILE *out);

/* --- for the parts of it --- */

struct sm_picture_line *sm_picture_add(
	struct sm_picture *page, enum sm_picture_rank rank); /* never NULL */
/* At most `columns` of the text, and no more than the line has room for. */
void sm_picture_put(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text, int columns);
void sm_picture_pad(struct sm_picture *page, struct sm_picture_line *line, int to_column);
int sm_picture_room(const struct sm_picture *page, const struct sm_picture_line *line);
void sm_picture_say(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text); /* as much as there is room for */
void sm_picture_label(struct sm_picture *page, struct sm_picture_line *line, const char *label);
void sm_picture_chip(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text); /* reversed */
/* Behind what stands in `line`, broken into at most `most` lines. */
void sm_picture_flow(struct sm_picture *page, struct sm_picture_line *line, enum sm_paint paint,
	const char *text, int most);
const char *sm_picture_keep(
	struct sm_picture *page, struct sm_str *text); /* into the arena; ends the string */

void sm_picture_head(struct sm_picture *page, const struct sm_view *view); /* picture_head.c */
void sm_picture_step(struct sm_picture *page, const struct sm_view *view); /* picture_step.c */
void sm_picture_loaders(
	struct sm_picture *page, const struct sm_view *view); /* picture_loaders.c */
void sm_picture_workers(
	struct sm_picture *page, const struct sm_view *view); /* picture_workers.c */
void sm_picture_help(struct sm_picture *page);		      /* picture_help.c */

#endif
