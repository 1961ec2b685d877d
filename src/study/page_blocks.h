/* What a page is made of, in words: all text is clean (no control bytes, valid UTF-8) but not yet escaped for any format, and
 * all numbers are figures already, so that the forms only place them and need no memory. */
#ifndef SM_STUDY_PAGE_BLOCKS_H
#define SM_STUDY_PAGE_BLOCKS_H

#include <stallmeter/study.h>

#include "report/outline.h"

#include <stdbool.h>

/* The dash that stands for what was not measured. */
#define SM_PAGE_DASH "\xe2\x80\x93"

struct sm_page_grid { /* a table */
	const char **columns;
	bool *is_number;    /* a column of figures */
	const char **cells; /* NULL: not measured */
	size_t column_count, row_count;
	ptrdiff_t best;
	const char *note; /* "" without one */
	bool lacks;	  /* some cell was not measured */
};

struct sm_page_curve {
	const char *name;
	struct sm_page_point *points; /* by x */
	size_t count;
};

struct sm_page_plot { /* a chart */
	const char *title, *x, *y;
	const char *x_label, *y_label; /* the same, cut to what fits beside an axis */
	const char *summary;	       /* for who cannot see it */
	struct sm_page_curve *curves;
	size_t curve_count;
	double best;
	struct sm_page_grid grid; /* the same points as a table */
};

struct sm_page_card { /* a finding */
	struct sm_finding finding;
	struct sm_detector detector;
	struct sm_outline_finding words;
	int number;
};

enum sm_page_block_kind {
	SM_PAGE_BLOCK_VERDICT,
	SM_PAGE_BLOCK_FACTS,
	SM_PAGE_BLOCK_HEADING,
	SM_PAGE_BLOCK_TEXT,
	SM_PAGE_BLOCK_TABLE,
	SM_PAGE_BLOCK_CHART,
	SM_PAGE_BLOCK_FINDING,
};

struct sm_page_block {
	enum sm_page_block_kind kind;
	struct sm_page_block *next;
	const char *text; /* heading, text, and the word of a verdict */
	const char *sentence;
	enum sm_page_tone tone;
	struct sm_outline_pair *facts;
	size_t fact_count;
	struct sm_page_grid grid;
	struct sm_page_plot plot;
	struct sm_page_card card;
};

struct sm_page {
	struct sm_arena arena; /* owns all but this struct */
	struct sm_phrases words;
	const char *title, *kind;
	struct sm_page_block *first, *last;
	int finding_count;
};

/* Memory in the page's arena; NULL sets words.failed. */
void *sm_page_alloc(struct sm_page *page, size_t count, size_t bytes);

/* What was handed over, in words. Without memory words.failed is set; 0 or -EINVAL. */
int sm_page_grid_build(
	struct sm_page *page, const struct sm_page_table *table, struct sm_page_grid *ret_grid);
int sm_page_plot_build(
	struct sm_page *page, const struct sm_page_chart *chart, struct sm_page_plot *ret_plot);
int sm_page_card_build(
	struct sm_page *page, const struct sm_page_finding *given, struct sm_page_card *ret_card);

/* The forms. 0 or -ENOMEM; what the stream says is asked once, behind them. */
int sm_page_html_write(const struct sm_page *page, FILE *out);
int sm_page_markdown_write(const struct sm_page *page, FILE *out);
int sm_page_plain_write(const struct sm_page *page, FILE *out);

void sm_page_svg_write(FILE *out, const struct sm_page_plot *plot, int number);

#endif
