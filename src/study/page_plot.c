/* A chart in words: its points by x, and the same as a table, for forms without pictures and for readers without sight. */
#include "study/cell.h"
#include "study/page_blocks.h"

#include "report/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the table: what a reader takes in. Of more points it has some, evenly, and says so. */
enum { ROWS_MAX = 20, SERIES_MAX = SM_PAGE_COLUMNS_MAX - 1 };
/* Columns of a label, as wide as its chart when all of them are wide. */
enum { LABEL_MAX = 48 };

static int by_x(const void *left, const void *right)
{
	const struct sm_page_point *a = left, *b = right;
	return a->x != b->x		   ? (a->x < b->x ? -1 : 1)
	       : a->y.middle < b->y.middle ? -1
					   : a->y.middle > b->y.middle;
}

static int curve_build(
	struct sm_page *page, const struct sm_page_series *series, struct sm_page_curve *curve)
{
	curve->name = sm_phrases_clean(&page->words, series->name);
	curve->points = sm_page_alloc(page, series->count, sizeof(*curve->points));
	for (size_t i = 0; curve->points && i < series->count; i++) {
		if (!isfinite(series->points[i].x) || isinf(series->points[i].y.middle)) {
			return -EINVAL;
		}
		curve->points[curve->count++] = series->points[i];
	}
	if (curve->points) {
		qsort(curve->points, curve->count, sizeof(*curve->points), by_x);
	}
	return 0;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

/* Every x of every curve, once, ascending. */
static double *gather_x(struct sm_page *page, const struct sm_page_plot *plot, size_t *ret_count)
{
	size_t count = 0, kept = 0;
	for (size_t i = 0; i < plot->curve_count; i++) {
		count += plot->curves[i].count;
	}
	double *x = sm_page_alloc(page, count, sizeof(*x));
	for (size_t i = 0, at = 0; x && i < plot->curve_count; i++) {
		for (size_t k = 0; k < plot->curves[i].count; k++) {
			x[at++] = plot->curves[i].points[k].x;
		}
	}
	if (x) {
		qsort(x, count, sizeof(*x), ascending);
	}
	for (size_t i = 0; x && i < count; i++) {
		if (!i || x[i] != x[i - 1]) {
			x[kept++] = x[i];
		}
	}
	*ret_count = kept;
	return x;
}

static struct sm_page_cell cell_of_x(double x)
{
	return (struct sm_page_cell){
		.kind = x == floor(x) ? SM_PAGE_CELL_COUNT : SM_PAGE_CELL_NUMBER,
		.number = {x, NAN, NAN}};
}

static struct sm_page_cell cell_at(const struct sm_page_curve *curve, double x)
{
	for (size_t i = 0; i < curve->count; i++) {
		if (curve->points[i].x == x) {
			return (struct sm_page_cell){
				.kind = SM_PAGE_CELL_INTERVAL, .number = curve->points[i].y};
		}
	}
	return (struct sm_page_cell){.kind = SM_PAGE_CELL_NONE};
}

static void fill_row(const struct sm_page_plot *plot, double x, struct sm_page_cell *cells)
{
	cells[0] = cell_of_x(x);
	for (size_t i = 0; i < plot->curve_count; i++) {
		cells[i + 1] = cell_at(&plot->curves[i], x);
	}
}

static void fill_columns(const struct sm_page_plot *plot, const char **columns)
{
	columns[0] = plot->x;
	for (size_t i = 0; i < plot->curve_count; i++) {
		columns[i + 1] = plot->curve_count == 1 ? plot->y : plot->curves[i].name;
	}
}

static void tabulate(struct sm_page *page, struct sm_page_plot *plot)
{
	size_t x_count, columns = plot->curve_count + 1;
	double *x = gather_x(page, plot, &x_count);
	size_t every = (x_count + ROWS_MAX - 1) / ROWS_MAX, rows = 0;
	struct sm_page_cell *cells = sm_page_alloc(page, columns * (ROWS_MAX + 1), sizeof(*cells));
	const char *names[SM_PAGE_COLUMNS_MAX];
	ptrdiff_t best = -1;
	for (size_t i = 0; x && cells && i < x_count; i++) {
		if (i % every == 0 || x[i] == plot->best) {
			best = x[i] == plot->best ? (ptrdiff_t)rows : best;
			fill_row(plot, x[i], cells + columns * rows++);
		}
	}
	fill_columns(plot, names);
	const struct sm_page_table table = {.columns = names,
		.cells = cells,
		.column_count = columns,
		.row_count = rows,
		.best = best,
		.note = every > 1 ? sm_phrases_printf(&page->words, "One in %zu of %zu points.",
					    every, x_count)
				  : NULL};
	sm_page_grid_build(page, &table, &plot->grid);
}

static const char *say_range(struct sm_page *page, double low, double high)
{
	char from[SM_CELL_BYTES], to[SM_CELL_BYTES];
	sm_cell_place(from, low);
	sm_cell_place(to, high);
	return sm_phrases_printf(&page->words, "%s to %s", from, to);
}

static const char *summarise(struct sm_page *page, const struct sm_page_plot *plot)
{
	struct sm_study_interval x = {NAN, NAN, NAN}, y = {NAN, NAN, NAN};
	for (size_t i = 0; i < plot->curve_count; i++) {
		for (size_t k = 0; k < plot->curves[i].count; k++) {
			const struct sm_page_point *point = &plot->curves[i].points[k];
			x.low = fmin(x.low, point->x);
			x.high = fmax(x.high, point->x);
			y.low = fmin(y.low, point->y.middle);
			y.high = fmax(y.high, point->y.middle);
		}
	}
	if (isnan(y.low)) {
		return "Nothing was measured.";
	}
	char best[SM_CELL_BYTES] = "";
	sm_cell_place(best, plot->best);
	return sm_phrases_printf(&page->words, "%s from %s against %s from %s%s%s.", plot->y,
		say_range(page, y.low, y.high), plot->x, say_range(page, x.low, x.high),
		isnan(plot->best) ? "" : "; best at ", isnan(plot->best) ? "" : best);
}

static const char *cut(struct sm_page *page, const char *text)
{
	struct sm_str str = SM_STR_EMPTY;
	sm_text_add_cut(&str, text, LABEL_MAX, true);
	page->words.failed |= str.failed;
	const char *kept = sm_phrases_printf(&page->words, "%s", sm_str_text(&str));
	sm_str_finish(&str);
	return kept;
}

int sm_page_plot_build(
	struct sm_page *page, const struct sm_page_chart *chart, struct sm_page_plot *ret_plot)
{
	struct sm_page_plot plot = {.title = sm_phrases_clean(&page->words, chart->title),
		.x = sm_phrases_clean(&page->words, chart->x),
		.y = sm_phrases_clean(&page->words, chart->y),
		.curves = sm_page_alloc(page, chart->series_count, sizeof(*plot.curves)),
		.best = isfinite(chart->best) ? chart->best : NAN};
	if (chart->series_count > SERIES_MAX) {
		return -EINVAL;
	}
	for (size_t i = 0; plot.curves && i < chart->series_count; i++) {
		int rc = curve_build(page, &chart->series[i], &plot.curves[plot.curve_count++]);
		if (rc) {
			return rc;
		}
	}
	plot.x_label = cut(page, plot.x);
	plot.y_label = cut(page, plot.y);
	if (!page->words.failed) {
		tabulate(page, &plot);
		plot.summary = summarise(page, &plot);
	}
	*ret_plot = plot;
	return 0;
}
