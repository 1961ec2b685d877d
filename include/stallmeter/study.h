/* stallmeter, a study: trials of a setting or a function, what they prove, and a page that says it.
 *
 *     struct sm_study_interval mean;
 *     char why[SM_STUDY_WHY];
 *     if (!sm_study_mean(seconds, count, &mean, why)) ...
 *
 *     struct sm_page *page;
 *     if (!sm_page_create(&page, "train.py", "Data loading")) {
 *             sm_page_verdict(page, "8 WORKERS", "Twice as fast as now.", SM_PAGE_PLAIN);
 *             sm_page_write(page, SM_PAGE_HTML, stdout);
 *             sm_page_destroy(page);
 *     }
 *
 * It knows nothing of runs and files: numbers and words are handed in. What could not be measured is NaN. It is part of the
 * extension `_read`, not of the library that programs link to record. */
#ifndef STALLMETER_STUDY_H
#define STALLMETER_STUDY_H

#include <stallmeter/stallmeter.h>

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- what the numbers prove; each interval holds 90 % --- */

enum { SM_STUDY_WHY = 160, SM_STUDY_VALUES_MIN = 5 };

struct sm_study_interval {
	double middle, low, high; /* NaN where the numbers are too few to say */
};

/* Each returns 0, -ENOMEM, or -EINVAL for numbers that cannot be: then `why` names the argument, in one line for people. */

/* The mean of values in the order in which they were measured, which may depend on each other. The interval, by batch means,
 * needs SM_STUDY_VALUES_MIN values. */
SM_API int sm_study_mean(const double *values, size_t count, struct sm_study_interval *ret_mean,
	char why[SM_STUDY_WHY]);
/* The exponent of seconds = c * size^exponent. It needs two sizes that differ, its interval three. */
SM_API int sm_study_growth(const double *sizes, const double *seconds, size_t count,
	struct sm_study_interval *ret_exponent, char why[SM_STUDY_WHY]);
/* mean(before) / mean(after) of times, each in its order: above 1, after is faster. The interval needs SM_STUDY_VALUES_MIN
 * values of each. The same values give the same interval. */
SM_API int sm_study_compare(const double *before, size_t before_count, const double *after,
	size_t after_count, struct sm_study_interval *ret_speedup, char why[SM_STUDY_WHY]);

struct sm_study_trial {
	double cost; /* what a setting takes: workers, bytes */
	struct sm_study_interval
		rate; /* what it gives: the larger, the better; NaN: the trial failed */
};

/* Index of the cheapest trial that is not significantly below the best, -1 when no trial has a rate. */
SM_API ptrdiff_t sm_study_choose(const struct sm_study_trial *trials, size_t count);

/* --- the page that says it --- */

struct sm_page; /* blocks in the order in which they were added; not safe to change from two threads at once */

enum sm_page_form {
	SM_PAGE_HTML,	  /* one page that needs no network and no script */
	SM_PAGE_MARKDOWN, /* for an issue or a pull request */
	SM_PAGE_TEXT,	  /* 100 columns, plain */
};
enum sm_page_tone { /* of a verdict: its colour */
	SM_PAGE_PLAIN,
	SM_PAGE_FINE,	/* nothing to do */
	SM_PAGE_PARTLY, /* something */
	SM_PAGE_BOUND,	/* much */
	SM_PAGE_UNSURE,
};
enum { SM_PAGE_COLUMNS_MAX = 32, SM_PAGE_EVIDENCE_MAX = 12, SM_PAGE_SUGGESTIONS_MAX = 4 };

struct sm_page_pair {
	const char *label, *value;
};

enum sm_page_cell_kind {
	SM_PAGE_CELL_NONE, /* not measured */
	SM_PAGE_CELL_TEXT,
	SM_PAGE_CELL_COUNT,    /* `number.middle`, exactly */
	SM_PAGE_CELL_NUMBER,   /* in three significant digits; NaN: not measured */
	SM_PAGE_CELL_INTERVAL, /* the same, with its ends */
};
struct sm_page_cell {
	enum sm_page_cell_kind kind;
	const char *text;
	struct sm_study_interval number;
};
struct sm_page_table {
	const char *const *columns;
	const struct sm_page_cell *cells; /* row by row */
	size_t column_count, row_count;
	ptrdiff_t best;	  /* the row to mark; -1: none */
	const char *note; /* below; NULL: none */
};

struct sm_page_point {
	double x;
	struct sm_study_interval y; /* NaN: not measured; low and high NaN: no error bar */
};
struct sm_page_series {
	const char *name;
	const struct sm_page_point *points;
	size_t count;
};
struct sm_page_chart {
	const char *title, *x, *y; /* what the axes show, with units */
	const struct sm_page_series *series;
	size_t series_count;
	double best; /* where on x the optimum is; NaN: none */
};

struct sm_page_evidence {
	const char *metric, *unit;
	double value;
};
struct sm_page_suggestion {
	const char *text, *change;	  /* "num_workers=6"; NULL: no setting */
	struct sm_study_interval speedup; /* predicted; NaN: it cannot be */
};
/* A finding as docs/report-1.schema.json has it; NULL where there is none. */
struct sm_page_finding {
	const char *id, *type, *title, *cause, *cause_detail, *confidence, *risk;
	struct sm_study_interval severity; /* NaN: a risk or symptom */
	const char *loader, *stage, *name, *file;
	int line, rank; /* 0, -1: none */
	const struct sm_page_evidence *evidence;
	const struct sm_page_suggestion *suggestions;
	size_t evidence_count, suggestion_count;
};

/* All that is handed over is copied. 0, -ENOMEM, or -EINVAL for what is beyond the bounds above or no number where one is
 * needed; then the page is as it was. `kind` says what it is a report of: "Data loading". */
SM_API int sm_page_create(struct sm_page **ret_page, const char *title, const char *kind);
SM_API void sm_page_destroy(struct sm_page *page); /* NULL is fine */
SM_API int sm_page_verdict(
	struct sm_page *page, const char *word, const char *sentence, enum sm_page_tone tone);
/* Directly after the verdict they stand beside it. */
SM_API int sm_page_facts(struct sm_page *page, const struct sm_page_pair *pairs, size_t count);
SM_API int sm_page_heading(struct sm_page *page, const char *text);
SM_API int sm_page_text(struct sm_page *page, const char *text);
SM_API int sm_page_table(struct sm_page *page, const struct sm_page_table *table);
SM_API int sm_page_chart(struct sm_page *page, const struct sm_page_chart *chart);
SM_API int sm_page_finding(struct sm_page *page, const struct sm_page_finding *finding);
/* 0, -ENOMEM, or -EIO when the stream failed. The same blocks give the same bytes. */
SM_API int sm_page_write(const struct sm_page *page, enum sm_page_form form, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
