/* A view laid out on a screen: lines of painted runs, never more nor wider than the screen. Who shows them (tui.c, a stream, a
 * test) only walks over them. */
#ifndef SM_LIVE_PAGE_H
#define SM_LIVE_PAGE_H

#include "live/view.h"
#include "report/phrases.h"
#include "report/screen.h"

enum {
	SM_PAGE_LINES = SM_VIEW_WORKERS + 128,
	SM_PAGE_RUNS = 24,  /* of a line */
	SM_PAGE_LABEL = 13, /* columns that labels stand in */
	SM_PAGE_WIDE = 999, /* wider than any line */
};

enum sm_page_sort { /* of the workers */
	SM_PAGE_BY_INDEX,
	SM_PAGE_BY_BUSY,
	SM_PAGE_BY_CPU,
	SM_PAGE_BY_MEMORY,
	SM_PAGE_BY_READ,
	SM_PAGE_SORT_COUNT,
};

struct sm_page_options {
	int rows; /* 0: as many as there is to say */
	int columns;
	bool unicode;
	bool keys; /* a last line that names them */
	bool paused, help;
	enum sm_page_sort sort;
	size_t scroll; /* the first worker that is shown */
};

struct sm_page_run {
	enum sm_paint paint;
	bool reverse;
	const char *text; /* in the arena, or static */
};

/* Why a line is there: of those that do not fit the last kind goes first. */
enum sm_page_rank {
	SM_PAGE_CORE,
	SM_PAGE_RATES,
	SM_PAGE_FINDING, /* the first */
	SM_PAGE_COUNTERS,
	SM_PAGE_STAGES,
	SM_PAGE_WINDOW,
	SM_PAGE_MORE, /* findings, legends */
	SM_PAGE_GAP,
};

struct sm_page_line {
	enum sm_page_rank rank;
	struct sm_page_run runs[SM_PAGE_RUNS];
	size_t run_count;
	int used; /* columns */
	bool dropped;
};

struct sm_page {
	struct sm_arena arena; /* owned */
	struct sm_phrases words;
	struct sm_page_options options;
	struct sm_page_line lines[SM_PAGE_LINES];
	size_t count;
	size_t workers_shown, workers_first; /* what the scroll came to */
};

/* 0 or -ENOMEM. A page is large: keep it in static memory or on the heap. */
int sm_page_lay(
	struct sm_page *page, const struct sm_view *view, const struct sm_page_options *options);
void sm_page_finish(struct sm_page *page); /* fine on a zeroed one */
/* The whole as text, with escapes where `colour`. 0 or -EIO. */
int sm_page_write(const struct sm_page *page, bool colour, FILE *out);

/* --- for the parts of it --- */

struct sm_page_line *sm_page_add(struct sm_page *page, enum sm_page_rank rank); /* never NULL */
/* At most `columns` of the text, and no more than the line has room for. */
void sm_page_put(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text, int columns);
void sm_page_pad(struct sm_page *page, struct sm_page_line *line, int to_column);
int sm_page_room(const struct sm_page *page, const struct sm_page_line *line);
void sm_page_say(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text); /* as much as there is room for */
void sm_page_label(struct sm_page *page, struct sm_page_line *line, const char *label);
void sm_page_chip(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text); /* reversed */
/* Behind what stands in `line`, broken into at most `most` lines. */
void sm_page_flow(struct sm_page *page, struct sm_page_line *line, enum sm_paint paint,
	const char *text, int most);
const char *sm_page_keep(
	struct sm_page *page, struct sm_str *text); /* into the arena; ends the string */

void sm_page_head(struct sm_page *page, const struct sm_view *view);	/* page_head.c */
void sm_page_step(struct sm_page *page, const struct sm_view *view);	/* page_step.c */
void sm_page_loaders(struct sm_page *page, const struct sm_view *view); /* page_loaders.c */
void sm_page_workers(struct sm_page *page, const struct sm_view *view); /* page_workers.c */
void sm_page_help(struct sm_page *page);				/* page_help.c */

#endif
