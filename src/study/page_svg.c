/* A chart as inline SVG, 520 by 300 units, which is its size on a screen: text in it is readable on a phone, where it shrinks,
 * and on a desk, where two stand side by side. Colours are the style's; curves differ in dashes and marks too. Marks carry
 * their numbers as <title>, which browsers show under the pointer without a script. */
#include "report/html.h"
#include "report/text.h"
#include "study/axis.h"
#include "study/cell.h"
#include "study/page_blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDTH = 520,
	HEIGHT = 300,
	TOP = 42,
	RIGHT = 500,
	BOTTOM = 250,
	CHARACTER = 8, /* of a digit, about, at the style's 13 units */
	COLOURS = 6,
	MARKS_MAX = 40, /* more and they hide their line */
};

struct sheet {
	const struct sm_page_plot *plot;
	struct sm_axis x, y;
	int left;
	bool has_points;
};

/* --- numbers --- */

/* One decimal at most, the same in every locale. */
static void put_at(FILE *out, double at)
{
	long tenths = lround(at * 10);
	fprintf(out, tenths < 0 ? "-%ld" : "%ld", labs(tenths) / 10);
	if (tenths % 10) {
		fprintf(out, ".%ld", labs(tenths) % 10);
	}
}

static void put_pair(FILE *out, const char *before, double x, const char *between, double y)
{
	fputs(before, out);
	put_at(out, x);
	fputs(between, out);
	put_at(out, y);
}

static double x_of(const struct sheet *sheet, double x)
{
	return sheet->left + sm_axis_place(&sheet->x, x) * (RIGHT - sheet->left);
}

static double y_of(const struct sheet *sheet, double y)
{
	return BOTTOM - sm_axis_place(&sheet->y, y) * (BOTTOM - TOP);
}

/* --- axes --- */

struct extent {
	double low, high;
	bool is_whole, is_doubling;
	size_t distinct;
};

static bool is_power_of_two(double x)
{
	int power;
	return x > 0 && frexp(x, &power) == 0.5;
}

static void look(struct extent *extent, double value)
{
	if (!isnan(value)) {
		extent->low = fmin(extent->low, value);
		extent->high = fmax(extent->high, value);
		extent->is_whole &= value == floor(value);
		extent->is_doubling &= is_power_of_two(value);
	}
}

/* Three sizes, each the double of one before it or more: what was tried by doubling is shown by doubling. */
static bool is_by_doubling(const struct extent *x)
{
	return x->is_doubling && x->high >= 4 * x->low;
}

static void measure(const struct sm_page_plot *plot, struct extent *x, struct extent *y)
{
	*x = *y = (struct extent){NAN, NAN, true, true, 0};
	for (size_t i = 0; i < plot->curve_count; i++) {
		for (size_t k = 0; k < plot->curves[i].count; k++) {
			const struct sm_page_point *point = &plot->curves[i].points[k];
			look(x, point->x);
			look(y, point->y.middle);
			look(y, isnan(point->y.middle) ? NAN : point->y.low);
			look(y, isnan(point->y.middle) ? NAN : point->y.high);
		}
	}
}

/* Of a y axis, whose labels stand left of it. */
static int width_of_labels(const struct sm_axis *axis)
{
	char text[SM_AXIS_TICK];
	double value;
	size_t longest = 1;
	for (int i = 0; sm_axis_tick(axis, i, &value); i++) {
		sm_axis_say(axis, value, text);
		longest = strlen(text) > longest ? strlen(text) : longest;
	}
	return (int)longest * CHARACTER;
}

/* What is measured is shown from 0, so that heights are to each other as the numbers are. */
static void sheet_init(struct sheet *sheet, const struct sm_page_plot *plot)
{
	struct extent x, y;
	measure(plot, &x, &y);
	*sheet = (struct sheet){.plot = plot, .has_points = !isnan(y.low)};
	if (!sheet->has_points) {
		return;
	}
	if (is_by_doubling(&x)) {
		sm_axis_double(&sheet->x, x.low, x.high);
	} else {
		sm_axis_round(&sheet->x, x.low, x.high, 8, x.is_whole);
	}
	sm_axis_round(&sheet->y, fmin(0, y.low), y.low == 0 && y.high == 0 ? 1 : fmax(0, y.high), 5,
		false);
	sheet->left = 14 + width_of_labels(&sheet->y);
}

static void put_label(FILE *out, double x, double y, const char *anchor, const char *text)
{
	put_pair(out, "<text x=\"", x, "\" y=\"", y);
	sm_html_put(out, "\" text-anchor=\"%s\">%s</text>\n", anchor, text);
}

static void put_grid(FILE *out, const struct sheet *sheet)
{
	char text[SM_AXIS_TICK];
	double value;
	for (int i = 0; sm_axis_tick(&sheet->y, i, &value); i++) {
		put_pair(out, "<path class=\"grid\" d=\"M", sheet->left, " ", y_of(sheet, value));
		fprintf(out, "H%d\"/>", RIGHT);
		sm_axis_say(&sheet->y, value, text);
		put_label(out, sheet->left - 8, y_of(sheet, value) + 4, "end", text);
	}
}

static void put_x_axis(FILE *out, const struct sheet *sheet)
{
	char text[SM_AXIS_TICK];
	double value, base = y_of(sheet, fmax(0, sheet->y.low)), taken = 0;
	put_pair(out, "<path class=\"axis\" d=\"M", sheet->left, " ", base);
	fprintf(out, "H%d\"/>\n", RIGHT);
	for (int i = 0; sm_axis_tick(&sheet->x, i, &value); i++) {
		double x = x_of(sheet, value), half;
		sm_axis_say(&sheet->x, value, text);
		half = (double)strlen(text) * CHARACTER / 2;
		double middle = fmin(x, WIDTH - half); /* none is cut off, */
		if (middle - half >= taken) {	       /* or lies over another */
			put_pair(out, "<path class=\"axis\" d=\"M", x, " ", BOTTOM);
			fputs("v5\"/>", out);
			put_label(out, middle, BOTTOM + 20, "middle", text);
			taken = middle + half + CHARACTER;
		}
	}
}

static void put_axes(FILE *out, const struct sheet *sheet)
{
	put_grid(out, sheet);
	put_x_axis(out, sheet);
	put_label(out, 2, 14, "start", sheet->plot->y_label);
	put_label(out, (sheet->left + RIGHT) / 2.0, HEIGHT - 8, "middle", sheet->plot->x_label);
}

/* --- curves --- */

static void put_line(FILE *out, const struct sheet *sheet, const struct sm_page_curve *curve)
{
	bool is_open = false; /* what was not measured is a gap */
	fputs("<path class=\"line\" d=\"", out);
	for (size_t i = 0; i < curve->count; i++) {
		const struct sm_page_point *point = &curve->points[i];
		if (!isnan(point->y.middle)) {
			put_pair(out, is_open ? "L" : "M", x_of(sheet, point->x), " ",
				y_of(sheet, point->y.middle));
			fputs(is_open ? "" : "h0", out);
		}
		is_open = !isnan(point->y.middle);
	}
	fputs("\"/>\n", out);
}

static void put_bars(FILE *out, const struct sheet *sheet, const struct sm_page_curve *curve)
{
	for (size_t i = 0; i < curve->count; i++) {
		const struct sm_study_interval *y = &curve->points[i].y;
		double x = x_of(sheet, curve->points[i].x);
		if (isnan(y->middle + y->low + y->high)) {
			continue;
		}
		put_pair(out, "<path class=\"bar\" d=\"M", x - 4, " ", y_of(sheet, y->low));
		put_pair(out, "h8M", x - 4, " ", y_of(sheet, y->high));
		put_pair(out, "h8M", x, " ", y_of(sheet, y->low));
		put_pair(out, "L", x, " ", y_of(sheet, y->high));
		fputs("\"/>\n", out);
	}
}

/* Begins an element; a circle, a square, a triangle, a diamond, by turns. */
static void put_mark(FILE *out, size_t index, double x, double y)
{
	static const char *const shapes[] = {
		"m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
		"m-4 -4h8v8h-8z",
		"m0 -5.5l5 9h-10z",
		"m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
	};
	put_pair(out, "<path class=\"point\" d=\"M", x, " ", y);
	fprintf(out, "%s\">", shapes[index % (sizeof(shapes) / sizeof(shapes[0]))]);
}

static void put_marks(
	FILE *out, const struct sheet *sheet, const struct sm_page_curve *curve, size_t index)
{
	char x[SM_CELL_BYTES], y[SM_CELL_INTERVAL_BYTES];
	for (size_t i = 0; curve->count <= MARKS_MAX && i < curve->count; i++) {
		const struct sm_page_point *point = &curve->points[i];
		if (!isnan(point->y.middle)) {
			sm_cell_place(x, point->x);
			sm_cell_interval(y, &point->y);
			put_mark(out, index, x_of(sheet, point->x), y_of(sheet, point->y.middle));
			sm_html_put(out, "<title>%s %s: %s</title></path>\n", curve->name, x, y);
		}
	}
}

static void put_curves(FILE *out, const struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->plot->curve_count; i++) {
		fprintf(out, "<g class=\"c-%zu\">", i % COLOURS);
		put_line(out, sheet, &sheet->plot->curves[i]);
		put_bars(out, sheet, &sheet->plot->curves[i]);
		put_marks(out, sheet, &sheet->plot->curves[i], i);
		fputs("</g>\n", out);
	}
}

static void put_best(FILE *out, const struct sheet *sheet)
{
	double best = sheet->plot->best, x = x_of(sheet, best);
	char number[SM_CELL_BYTES], label[SM_CELL_BYTES + 8];
	if (!(best >= sheet->x.low && best <= sheet->x.high)) {
		return;
	}
	sm_cell_place(number, best);
	snprintf(label, sizeof(label), "best %s", number);
	put_pair(out, "<path class=\"optimum\" d=\"M", x, " ", TOP - 8);
	fprintf(out, "V%d\"/>", BOTTOM);
	put_pair(out, "<text class=\"optimum\" x=\"", x, "\" y=\"", TOP - 12);
	double half = (double)strlen(label) * CHARACTER / 2;
	sm_html_put(out, "\" text-anchor=\"%s\">%s</text>\n",
		x - half < 0	   ? "start"
		: x + half > WIDTH ? "end"
				   : "middle",
		label);
}

/* --- the figure --- */

static void put_legend(FILE *out, const struct sm_page_plot *plot)
{
	if (plot->curve_count < 2) {
		return;
	}
	fputs("<ul class=\"legend\">", out);
	for (size_t i = 0; i < plot->curve_count; i++) {
		fprintf(out,
			"<li><svg viewBox=\"0 0 24 12\" aria-hidden=\"true\" class=\"c-%zu\">"
			"<path class=\"line\" d=\"M1 6H23\"/>",
			i % COLOURS);
		put_mark(out, i, 12, 6);
		sm_html_put(out, "</path></svg>%s</li>", plot->curves[i].name);
	}
	fputs("</ul>", out);
}

void sm_page_svg_write(FILE *out, const struct sm_page_plot *plot, int number)
{
	struct sheet sheet;
	sheet_init(&sheet, plot);
	sm_html_put(out, "<figcaption>%s", plot->title);
	put_legend(out, plot);
	fputs("</figcaption>\n", out);
	if (!sheet.has_points) {
		fputs("<p class=\"none\">Nothing was measured.</p>\n", out);
		return;
	}
	sm_html_put(out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-%d-title "
		"chart-%d-desc\">\n<title id=\"chart-%d-title\">%s</title>"
		"<desc id=\"chart-%d-desc\">%s</desc>\n",
		WIDTH, HEIGHT, number, number, number, plot->title, number, plot->summary);
	put_axes(out, &sheet);
	put_best(out, &sheet);
	put_curves(out, &sheet);
	fputs("</svg>\n", out);
}
