/* A finding as Python hands it over: a mapping with the keys of report.json, of which those that are missing are as null. */
#include "py_given.h"
#include "py_study.h"

#include <math.h>
#include <string.h>

/* What stands under a key, kept; None where nothing does. NULL with an error. */
static PyObject *look_up(PyObject *kept, PyObject *mapping, const char *key)
{
	PyObject *value = PyMapping_GetItemString(mapping, key);
	if (!value && PyErr_ExceptionMatches(PyExc_KeyError)) {
		PyErr_Clear();
		return Py_None;
	}
	if (!value || PyList_Append(kept, value)) {
		Py_XDECREF(value);
		return NULL;
	}
	Py_DECREF(value); /* the list has it */
	return value;
}

static int read_text(PyObject *kept, PyObject *mapping, const char *key, const char **ret_text)
{
	PyObject *value = look_up(kept, mapping, key);
	return value ? sm_py_given_text(kept, value, true, key, ret_text) : -1;
}

static int read_number(PyObject *kept, PyObject *mapping, const char *key, double *ret_number)
{
	PyObject *value = look_up(kept, mapping, key);
	return value ? sm_py_given_number(value, true, ret_number, "finding, %s", key) : -1;
}

static int read_int(PyObject *kept, PyObject *mapping, const char *key, int none, int *ret_number)
{
	double number;
	if (read_number(kept, mapping, key, &number)) {
		return -1;
	}
	*ret_number = number >= 0 && number < 1e9 ? (int)number : none;
	return 0;
}

/* --- severity --- */

static int read_ends(PyObject *kept, PyObject *mapping, struct sm_study_interval *severity)
{
	PyObject *ends = look_up(kept, mapping, "severity_ci"), *pair;
	severity->low = severity->high = NAN;
	if (!ends || ends == Py_None) {
		return ends ? 0 : -1;
	}
	pair = sm_py_given_tuple(kept, ends, 2, "finding, severity_ci");
	return pair &&
			       !sm_py_given_number(PyList_GetItem(pair, 0), true, &severity->low,
				       "finding, severity_ci") &&
			       !sm_py_given_number(PyList_GetItem(pair, 1), true, &severity->high,
				       "finding, severity_ci")
		       ? 0
		       : -1;
}

/* --- where --- */

static int read_where(PyObject *kept, PyObject *mapping, struct sm_page_finding *finding)
{
	PyObject *where = look_up(kept, mapping, "where");
	if (!where || where == Py_None) {
		return where ? 0 : -1;
	}
	return read_text(kept, where, "loader", &finding->loader) ||
			       read_text(kept, where, "stage", &finding->stage) ||
			       read_text(kept, where, "name", &finding->name) ||
			       read_text(kept, where, "file", &finding->file) ||
			       read_int(kept, where, "line", 0, &finding->line)
		       ? -1
		       : 0;
}

/* --- lists --- */

/* The list under a key, empty where there is none; NULL with an error. */
static PyObject *read_list(
	PyObject *kept, PyObject *mapping, const char *key, Py_ssize_t most, size_t *ret_count)
{
	PyObject *value = look_up(kept, mapping, key);
	PyObject *list = !value		    ? NULL
			 : value == Py_None ? kept
					    : sm_py_given_list(kept, value, key);
	Py_ssize_t count = list && value != Py_None ? PyList_Size(list) : 0;
	if (count > most) {
		return PyErr_Format(PyExc_ValueError, "finding, %s: at most %zd are shown, not %zd",
			key, most, count);
	}
	*ret_count = (size_t)count;
	return list;
}

static int read_evidence(PyObject *kept, PyObject *mapping, struct sm_page_finding *finding)
{
	PyObject *list = read_list(
		kept, mapping, "evidence", SM_PAGE_EVIDENCE_MAX, &finding->evidence_count);
	struct sm_page_evidence *evidence =
		list ? sm_py_given_room(kept, finding->evidence_count, sizeof(*evidence)) : NULL;
	int rc = evidence ? 0 : -1;
	for (size_t i = 0; i < finding->evidence_count && !rc; i++) {
		PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
		rc = read_text(kept, item, "metric", &evidence[i].metric) ||
				     read_number(kept, item, "value", &evidence[i].value) ||
				     read_text(kept, item, "unit", &evidence[i].unit)
			     ? -1
			     : 0;
	}
	finding->evidence = evidence;
	return rc;
}

/* {"num_workers": 6, "pin_memory": True} as Python writes arguments: "num_workers=6, pin_memory=True". */
static PyObject *join_change(PyObject *change)
{
	PyObject *items = PyMapping_Items(change), *text = PyUnicode_FromString("");
	for (Py_ssize_t i = 0; items && text && i < PyList_Size(items); i++) {
		PyObject *pair = PyList_GetItem(items, i);
		PyObject *longer = PyUnicode_FromFormat("%U%s%S=%R", text, i ? ", " : "",
			PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
		Py_DECREF(text);
		text = longer;
	}
	if (!items) {
		Py_XDECREF(text);
		text = NULL;
	}
	Py_XDECREF(items);
	return text;
}

static int read_change(PyObject *kept, PyObject *mapping, const char **ret_text)
{
	PyObject *change = look_up(kept, mapping, "change");
	if (!change || change == Py_None) {
		return change ? 0 : -1;
	}
	PyObject *text = join_change(change);
	int rc = text ? sm_py_given_text(kept, text, false, "change", ret_text) : -1;
	Py_XDECREF(text);
	return rc;
}

/* report.json has low, middle, high. */
static int read_speedup(PyObject *kept, PyObject *mapping, struct sm_study_interval *ret_speedup)
{
	PyObject *given = look_up(kept, mapping, "predicted_speedup");
	struct sm_study_interval read = {NAN, NAN, NAN};
	if (!given || (given != Py_None && sm_py_given_interval(kept, given, &read,
						   "finding, predicted_speedup"))) {
		return -1;
	}
	*ret_speedup = (struct sm_study_interval){read.low, read.middle, read.high};
	return 0;
}

static int read_suggestions(PyObject *kept, PyObject *mapping, struct sm_page_finding *finding)
{
	PyObject *list = read_list(
		kept, mapping, "suggestions", SM_PAGE_SUGGESTIONS_MAX, &finding->suggestion_count);
	struct sm_page_suggestion *suggestions =
		list ? sm_py_given_room(kept, finding->suggestion_count, sizeof(*suggestions))
		     : NULL;
	int rc = suggestions ? 0 : -1;
	for (size_t i = 0; i < finding->suggestion_count && !rc; i++) {
		PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
		rc = read_text(kept, item, "text", &suggestions[i].text) ||
				     read_change(kept, item, &suggestions[i].change) ||
				     read_speedup(kept, item, &suggestions[i].speedup)
			     ? -1
			     : 0;
	}
	finding->suggestions = suggestions;
	return rc;
}

/* --- the whole --- */

static int read_words(PyObject *kept, PyObject *mapping, struct sm_page_finding *finding)
{
	const struct {
		const char *key, **place;
	} words[] = {{"id", &finding->id}, {"type", &finding->type}, {"title", &finding->title},
		{"cause", &finding->cause}, {"cause_detail", &finding->cause_detail},
		{"confidence", &finding->confidence}, {"risk", &finding->risk}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (read_text(kept, mapping, words[i].key, words[i].place)) {
			return -1;
		}
	}
	return 0;
}

static int check(const struct sm_page_finding *finding)
{
	const char *sure = finding->confidence;
	if (!finding->type || !*finding->type) {
		PyErr_SetString(PyExc_ValueError, "finding: it has no type");
		return -1;
	}
	if (!sure || (strcmp(sure, "low") && strcmp(sure, "medium") && strcmp(sure, "high"))) {
		PyErr_Format(PyExc_ValueError,
			"finding, confidence: %s is none of low, medium and high",
			sure ? sure : "None");
		return -1;
	}
	return 0;
}

int sm_py_finding_read(PyObject *kept, PyObject *given, struct sm_page_finding *ret_finding)
{
	struct sm_page_finding finding = {.rank = -1};
	if (!PyMapping_Check(given) || PyUnicode_Check(given) || PyList_Check(given)) {
		PyErr_Format(PyExc_TypeError, "finding: a mapping is wanted, not %R",
			(PyObject *)Py_TYPE(given));
		return -1;
	}
	if (read_words(kept, given, &finding) ||
		read_number(kept, given, "severity", &finding.severity.middle) ||
		read_ends(kept, given, &finding.severity) || read_where(kept, given, &finding) ||
		read_int(kept, given, "rank", -1, &finding.rank) ||
		read_evidence(kept, given, &finding) || read_suggestions(kept, given, &finding) ||
		check(&finding)) {
		return -1;
	}
	*ret_finding = finding;
	return 0;
}
