/* The class `Page` of `_read`: what Python hands over, looked at and turned into the structs of stallmeter/study.h. */
#include "py_given.h"
#include "py_study.h"

#include <stallmeter/study.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct page {
	PyObject_HEAD struct sm_page *page; /* owned */
};

static struct sm_page *page_of(PyObject *object)
{
	return ((struct page *)object)->page;
}

/* What a method returns, at the end of the life of what it kept. */
static PyObject *finish(PyObject *kept, int rc, const char *name)
{
	Py_XDECREF(kept);
	if (PyErr_Occurred()) {
		return NULL;
	}
	if (rc == -ENOMEM) {
		return PyErr_NoMemory();
	}
	if (rc) {
		return PyErr_Format(PyExc_ValueError, "%s: beyond what a page holds", name);
	}
	Py_RETURN_NONE;
}

/* --- making one --- */

static PyObject *page_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"title", "kind", NULL};
	PyObject *given[2];
	const char *title, *kind;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO:Page", names, &given[0], &given[1])) {
		return NULL;
	}
	PyObject *kept = PyList_New(0);
	allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
	PyObject *object = NULL;
	if (kept && !sm_py_given_text(kept, given[0], false, names[0], &title) &&
		!sm_py_given_text(kept, given[1], false, names[1], &kind)) {
		object = alloc(type, 0);
	}
	if (object && sm_page_create(&((struct page *)object)->page, title, kind)) {
		Py_DECREF(object);
		object = PyErr_NoMemory();
	}
	Py_XDECREF(kept);
	return object;
}

static void page_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	sm_page_destroy(page_of(object));
	((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
	Py_DECREF(type);
}

/* --- words --- */

static int tone_of(const char *name)
{
	static const char *const tones[] = {
		[SM_PAGE_PLAIN] = "plain",
		[SM_PAGE_FINE] = "fine",
		[SM_PAGE_PARTLY] = "partly",
		[SM_PAGE_BOUND] = "bound",
		[SM_PAGE_UNSURE] = "unsure",
	};
	for (int i = SM_PAGE_PLAIN; i <= SM_PAGE_UNSURE; i++) {
		if (strcmp(name, tones[i]) == 0) {
			return i;
		}
	}
	PyErr_Format(PyExc_ValueError, "tone: %s is none of plain, fine, partly, bound and unsure",
		name);
	return -1;
}

static PyObject *verdict(PyObject *object, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"word", "sentence", "tone", NULL};
	PyObject *given[2];
	const char *word, *sentence, *tone_name = "plain";
	if (!PyArg_ParseTupleAndKeywords(
		    args, keywords, "OO|s:verdict", names, &given[0], &given[1], &tone_name)) {
		return NULL;
	}
	int tone = tone_of(tone_name), rc = 0;
	PyObject *kept = tone < 0 ? NULL : PyList_New(0);
	if (kept && !sm_py_given_text(kept, given[0], false, names[0], &word) &&
		!sm_py_given_text(kept, given[1], false, names[1], &sentence)) {
		rc = sm_page_verdict(page_of(object), word, sentence, (enum sm_page_tone)tone);
	}
	return finish(kept, rc, "verdict");
}

static PyObject *heading(PyObject *object, PyObject *given)
{
	const char *words;
	PyObject *kept = PyList_New(0);
	int rc = kept ? sm_py_given_text(kept, given, false, "text", &words) : -1;
	return finish(kept, rc ? rc : sm_page_heading(page_of(object), words), "heading");
}

static PyObject *text(PyObject *object, PyObject *given)
{
	const char *words;
	PyObject *kept = PyList_New(0);
	int rc = kept ? sm_py_given_text(kept, given, false, "text", &words) : -1;
	return finish(kept, rc ? rc : sm_page_text(page_of(object), words), "text");
}

static int pair_read(PyObject *kept, PyObject *given, struct sm_page_pair *pair)
{
	PyObject *list = sm_py_given_tuple(kept, given, 2, "pairs");
	return list &&
			       !sm_py_given_text(kept, PyList_GetItem(list, 0), false, "pairs",
				       &pair->label) &&
			       !sm_py_given_text(
				       kept, PyList_GetItem(list, 1), false, "pairs", &pair->value)
		       ? 0
		       : -1;
}

static PyObject *facts(PyObject *object, PyObject *given)
{
	PyObject *kept = PyList_New(0);
	PyObject *list = kept ? sm_py_given_list(kept, given, "pairs") : NULL;
	size_t count = list ? (size_t)PyList_Size(list) : 0;
	struct sm_page_pair *pairs = list ? sm_py_given_room(kept, count, sizeof(*pairs)) : NULL;
	int rc = pairs ? 0 : -1;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = pair_read(kept, PyList_GetItem(list, (Py_ssize_t)i), &pairs[i]);
	}
	return finish(kept, rc ? rc : sm_page_facts(page_of(object), pairs, count), "facts");
}

/* --- tables --- */

/* What counts is an int, also numpy's. */
static int number_read(PyObject *given, struct sm_page_cell *cell)
{
	if (PyIndex_Check(given)) {
		PyObject *whole = PyNumber_Index(given);
		if (whole) {
			cell->kind = SM_PAGE_CELL_COUNT;
			int rc = sm_py_given_number(whole, false, &cell->number.middle, "rows");
			Py_DECREF(whole);
			return rc;
		}
		PyErr_Clear();
	}
	cell->kind = SM_PAGE_CELL_NUMBER;
	return sm_py_given_number(given, false, &cell->number.middle, "rows");
}

static int cell_read(PyObject *kept, PyObject *given, struct sm_page_cell *cell)
{
	if (given == Py_None) {
		cell->kind = SM_PAGE_CELL_NONE;
		return 0;
	}
	if (PyBool_Check(given)) {
		*cell = (struct sm_page_cell){
			.kind = SM_PAGE_CELL_TEXT, .text = given == Py_True ? "yes" : "no"};
		return 0;
	}
	if (PyUnicode_Check(given)) {
		cell->kind = SM_PAGE_CELL_TEXT;
		return sm_py_given_text(kept, given, false, "rows", &cell->text);
	}
	if (PyTuple_Check(given)) {
		cell->kind = SM_PAGE_CELL_INTERVAL;
		return sm_py_given_interval(kept, given, &cell->number, "rows");
	}
	return number_read(given, cell);
}

static int columns_read(PyObject *kept, PyObject *given, struct sm_page_table *table)
{
	PyObject *list = sm_py_given_list(kept, given, "columns");
	size_t count = list ? (size_t)PyList_Size(list) : 0;
	const char **columns = list ? sm_py_given_room(kept, count, sizeof(*columns)) : NULL;
	int rc = columns ? 0 : -1;
	if (!rc && (!count || count > SM_PAGE_COLUMNS_MAX)) {
		PyErr_Format(PyExc_ValueError, "columns: 1 to %d are wanted, not %zu",
			SM_PAGE_COLUMNS_MAX, count);
		rc = -1;
	}
	for (size_t i = 0; i < count && !rc; i++) {
		rc = sm_py_given_text(
			kept, PyList_GetItem(list, (Py_ssize_t)i), false, "columns", &columns[i]);
	}
	table->columns = columns;
	table->column_count = count;
	return rc;
}

static int row_read(PyObject *kept, PyObject *given, const struct sm_page_table *table, size_t row,
	struct sm_page_cell *cells)
{
	PyObject *list = sm_py_given_list(kept, given, "rows");
	if (list && PyList_Size(list) != (Py_ssize_t)table->column_count) {
		PyErr_Format(PyExc_ValueError, "rows[%zu]: %zd cells for %zu columns", row,
			PyList_Size(list), table->column_count);
		return -1;
	}
	int rc = list ? 0 : -1;
	for (size_t i = 0; i < table->column_count && !rc; i++) {
		rc = cell_read(kept, PyList_GetItem(list, (Py_ssize_t)i), &cells[i]);
	}
	return rc;
}

static int rows_read(PyObject *kept, PyObject *given, struct sm_page_table *table)
{
	PyObject *list = sm_py_given_list(kept, given, "rows");
	size_t count = list ? (size_t)PyList_Size(list) : 0;
	struct sm_page_cell *cells =
		list ? sm_py_given_room(kept, count * table->column_count, sizeof(*cells)) : NULL;
	int rc = cells ? 0 : -1;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = row_read(kept, PyList_GetItem(list, (Py_ssize_t)i), table, i,
			cells + i * table->column_count);
	}
	table->cells = cells;
	table->row_count = count;
	return rc;
}

static PyObject *table(PyObject *object, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"columns", "rows", "best", "note", NULL};
	PyObject *given[2], *note = Py_None;
	Py_ssize_t best = -1;
	struct sm_page_table made = {0};
	if (!PyArg_ParseTupleAndKeywords(
		    args, keywords, "OO|nO:table", names, &given[0], &given[1], &best, &note)) {
		return NULL;
	}
	PyObject *kept = PyList_New(0);
	int rc = kept ? columns_read(kept, given[0], &made) : -1;
	rc = rc ? rc : rows_read(kept, given[1], &made);
	rc = rc ? rc : sm_py_given_text(kept, note, true, names[3], &made.note);
	if (!rc && best >= (Py_ssize_t)made.row_count) {
		PyErr_Format(PyExc_ValueError, "best: row %zd of %zu", best, made.row_count);
		rc = -1;
	}
	made.best = best;
	return finish(kept, rc ? rc : sm_page_table(page_of(object), &made), "table");
}

/* --- charts --- */

/* (x, y) or (x, y, low, high); all but x may be None. */
static int point_read(PyObject *kept, PyObject *given, struct sm_page_point *point)
{
	PyObject *list = sm_py_given_list(kept, given, "series");
	Py_ssize_t count = list ? PyList_Size(list) : 0;
	double *const places[] = {&point->x, &point->y.middle, &point->y.low, &point->y.high};
	point->y.low = point->y.high = NAN;
	if (list && count != 2 && count != 4) {
		PyErr_Format(PyExc_ValueError,
			"series: a point is (x, y) or (x, y, low, high), not %zd values", count);
		return -1;
	}
	int rc = list ? 0 : -1;
	for (Py_ssize_t i = 0; i < count && !rc; i++) {
		rc = sm_py_given_number(
			PyList_GetItem(list, i), i > 0, places[i], "series, of a point");
	}
	bool is_sound = isfinite(point->x) && !isinf(point->y.middle) && !isinf(point->y.low) &&
			!isinf(point->y.high);
	if (!rc && !is_sound) {
		PyErr_SetString(
			PyExc_ValueError, "series: x of a point must be finite, y finite or None");
		rc = -1;
	}
	return rc;
}

static int series_read(PyObject *kept, PyObject *given, struct sm_page_series *series)
{
	PyObject *pair = sm_py_given_tuple(kept, given, 2, "series");
	if (!pair || sm_py_given_text(kept, PyList_GetItem(pair, 0), false, "series, a name",
			     &series->name)) {
		return -1;
	}
	PyObject *list = sm_py_given_list(kept, PyList_GetItem(pair, 1), "series, points");
	size_t count = list ? (size_t)PyList_Size(list) : 0;
	struct sm_page_point *points = list ? sm_py_given_room(kept, count, sizeof(*points)) : NULL;
	int rc = points ? 0 : -1;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = point_read(kept, PyList_GetItem(list, (Py_ssize_t)i), &points[i]);
	}
	series->points = points;
	series->count = count;
	return rc;
}

static int all_series_read(PyObject *kept, PyObject *given, struct sm_page_chart *chart)
{
	PyObject *list = sm_py_given_list(kept, given, "series");
	size_t count = list ? (size_t)PyList_Size(list) : 0;
	struct sm_page_series *series =
		list ? sm_py_given_room(kept, count, sizeof(*series)) : NULL;
	int rc = series ? 0 : -1;
	if (!rc && count >= SM_PAGE_COLUMNS_MAX) {
		PyErr_Format(PyExc_ValueError, "series: at most %d are wanted, not %zu",
			SM_PAGE_COLUMNS_MAX - 1, count);
		rc = -1;
	}
	for (size_t i = 0; i < count && !rc; i++) {
		rc = series_read(kept, PyList_GetItem(list, (Py_ssize_t)i), &series[i]);
	}
	chart->series = series;
	chart->series_count = count;
	return rc;
}

static PyObject *chart(PyObject *object, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"title", "x", "y", "series", "best", NULL};
	PyObject *given[4], *best = Py_None;
	struct sm_page_chart made = {0};
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOOO|O:chart", names, &given[0],
		    &given[1], &given[2], &given[3], &best)) {
		return NULL;
	}
	const char **const places[] = {&made.title, &made.x, &made.y};
	PyObject *kept = PyList_New(0);
	int rc = kept ? sm_py_given_number(best, true, &made.best, "%s", names[4]) : -1;
	for (int i = 0; i < 3 && !rc; i++) {
		rc = sm_py_given_text(kept, given[i], false, names[i], places[i]);
	}
	rc = rc ? rc : all_series_read(kept, given[3], &made);
	return finish(kept, rc ? rc : sm_page_chart(page_of(object), &made), "chart");
}

static PyObject *finding(PyObject *object, PyObject *given)
{
	PyObject *kept = PyList_New(0);
	struct sm_page_finding made;
	int rc = kept ? sm_py_finding_read(kept, given, &made) : -1;
	return finish(kept, rc ? rc : sm_page_finding(page_of(object), &made), "finding");
}

/* --- the class --- */

#define KEYWORDS(function) SM_FASTCALL(function), METH_VARARGS | METH_KEYWORDS

static PyObject *render(PyObject *object, enum sm_page_form form)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out) {
		return PyErr_NoMemory();
	}
	int rc = sm_page_write(page_of(object), form, out);
	rc = fclose(out) && !rc ? -ENOMEM : rc;
	PyObject *result =
		rc ? PyErr_NoMemory() : PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
	free(text); /* the stream's, so the C library's to free */
	return result;
}

static PyObject *html(PyObject *object, PyObject *unused)
{
	return render(object, SM_PAGE_HTML);
}

static PyObject *markdown(PyObject *object, PyObject *unused)
{
	return render(object, SM_PAGE_MARKDOWN);
}

static PyObject *text_form(PyObject *object, PyObject *unused)
{
	return render(object, SM_PAGE_TEXT);
}

static PyMethodDef methods[] = {
	{"verdict", KEYWORDS(verdict),
		"verdict($self, /, word, sentence, tone='plain')\n--\n\nThe line that is read "
		"first. "
		"`tone` colours it: plain, fine, partly, bound, unsure."},
	{"facts", facts, METH_O,
		"facts($self, pairs, /)\n--\n\nLabels and values; directly after the verdict they "
		"stand in its card."},
	{"heading", heading, METH_O, "heading($self, text, /)\n--\n\nBegins a section."},
	{"text", text, METH_O, "text($self, text, /)\n--\n\nA paragraph."},
	{"table", KEYWORDS(table),
		"table($self, /, columns, rows, best=-1, note='')\n--\n\nCells are str, int (shown "
		"exactly), float (three significant digits), (value, low, high), or None for\nwhat "
		"was "
		"not measured. `best` is the row to mark."},
	{"chart", KEYWORDS(chart),
		"chart($self, /, title, x, y, series, best=None)\n--\n\nCurves (name, points), a "
		"point (x, y) or (x, y, low, high); a y of None is a gap. `best` is the x to "
		"mark."},
	{"finding", finding, METH_O,
		"finding($self, finding, /)\n--\n\nA finding with the keys of report.json."},
	{"html", html, METH_NOARGS, "html($self, /)\n--\n\nOne page that needs no network."},
	{"markdown", markdown, METH_NOARGS, "markdown($self, /)\n--\n\nFor an issue."},
	{"text_form", text_form, METH_NOARGS, "text_form($self, /)\n--\n\nPlain, in 100 columns."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_doc, "Page(title, kind)\n--\n\nA report that is not of a run: blocks, written as a "
		    "page, Markdown or text. The same blocks give the same bytes."},
	{Py_tp_new, page_new},
	{Py_tp_dealloc, page_dealloc},
	{Py_tp_methods, methods},
	{0, NULL},
};

static PyType_Spec spec = {
	"stallmeter._read.Page", sizeof(struct page), 0, Py_TPFLAGS_DEFAULT, slots};

int sm_py_page_add(PyObject *module)
{
	PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
	int rc = type ? PyModule_AddObjectRef(module, "Page", type) : -1;
	Py_XDECREF(type);
	return rc;
}
