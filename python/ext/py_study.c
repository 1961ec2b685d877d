/* Statistics of trials for Python: lists in, tuples out. What the numbers cannot tell is None. */
#include "py_study.h"

#include "py_given.h"

#include <stallmeter/study.h>

#include <errno.h>
#include <math.h>

/* --- what is handed in --- */

struct numbers {
	double *items; /* owned */
	size_t count;
};

static int numbers_read(struct numbers *numbers, PyObject *given, const char *name)
{
	PyObject *list = sm_py_given_sequence(given, name);
	if (!list) {
		return -1;
	}
	Py_ssize_t count = PyList_Size(list);
	double *items = PyMem_Malloc(((size_t)count + 1) * sizeof(*items));
	int rc = items ? 0 : -1;
	if (!items) {
		PyErr_NoMemory();
	}
	for (Py_ssize_t i = 0; i < count && !rc; i++) {
		rc = sm_py_given_number(
			PyList_GetItem(list, i), false, &items[i], "%s[%zd]", name, i);
	}
	Py_DECREF(list);
	if (rc) {
		PyMem_Free(items);
		return -1;
	}
	*numbers = (struct numbers){items, (size_t)count};
	return 0;
}

/* Two series by the names of their arguments, a NULL behind them. */
static int pair_read(struct numbers pair[2], PyObject *args, PyObject *keywords, const char *format,
	char *names[3])
{
	PyObject *given[2];
	pair[0] = pair[1] = (struct numbers){0};
	if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names, &given[0], &given[1]) ||
		numbers_read(&pair[0], given[0], names[0])) {
		return -1;
	}
	if (numbers_read(&pair[1], given[1], names[1])) {
		PyMem_Free(pair[0].items);
		return -1;
	}
	return 0;
}

/* --- what is handed back --- */

static PyObject *number_or_none(double number)
{
	if (isnan(number)) {
		Py_RETURN_NONE;
	}
	return PyFloat_FromDouble(number);
}

static PyObject *interval_or_error(
	int rc, const struct sm_study_interval *interval, const char *why)
{
	if (rc == -ENOMEM) {
		return PyErr_NoMemory();
	}
	if (rc) {
		PyErr_SetString(PyExc_ValueError, why);
		return NULL;
	}
	return Py_BuildValue("(NNN)", number_or_none(interval->middle),
		number_or_none(interval->low), number_or_none(interval->high));
}

/* --- the functions --- */

static PyObject *mean(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"values", NULL};
	PyObject *given;
	struct numbers values;
	struct sm_study_interval interval;
	char why[SM_STUDY_WHY] = "";
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:mean", names, &given) ||
		numbers_read(&values, given, names[0])) {
		return NULL;
	}
	int rc = sm_study_mean(values.items, values.count, &interval, why);
	PyMem_Free(values.items);
	return interval_or_error(rc, &interval, why);
}

static PyObject *growth(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"sizes", "seconds", NULL};
	struct numbers pair[2];
	struct sm_study_interval interval;
	char why[SM_STUDY_WHY] = "";
	if (pair_read(pair, args, keywords, "OO:growth", names)) {
		return NULL;
	}
	int rc = -EINVAL;
	if (pair[0].count != pair[1].count) {
		snprintf(why, sizeof(why), "seconds: %zu values for %zu sizes", pair[1].count,
			pair[0].count);
	} else {
		rc = sm_study_growth(pair[0].items, pair[1].items, pair[0].count, &interval, why);
	}
	PyMem_Free(pair[0].items);
	PyMem_Free(pair[1].items);
	return interval_or_error(rc, &interval, why);
}

static PyObject *compare(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"before", "after", NULL};
	struct numbers pair[2];
	struct sm_study_interval interval;
	char why[SM_STUDY_WHY] = "";
	if (pair_read(pair, args, keywords, "OO:compare", names)) {
		return NULL;
	}
	int rc = sm_study_compare(
		pair[0].items, pair[0].count, pair[1].items, pair[1].count, &interval, why);
	PyMem_Free(pair[0].items);
	PyMem_Free(pair[1].items);
	return interval_or_error(rc, &interval, why);
}

/* (cost, mean, low, high), of which all but the cost may be None. */
static int trial_read(struct sm_study_trial *trial, PyObject *given, Py_ssize_t at)
{
	static const char *const parts[] = {"cost", "mean", "low", "high"};
	double *const places[] = {
		&trial->cost, &trial->rate.middle, &trial->rate.low, &trial->rate.high};
	PyObject *list = sm_py_given_sequence(given, "trials");
	int rc = list ? 0 : -1;
	if (list && PyList_Size(list) != 4) {
		PyErr_Format(PyExc_ValueError,
			"trials[%zd]: (cost, mean, low, high) is wanted, not %zd values", at,
			PyList_Size(list));
		rc = -1;
	}
	for (int i = 0; i < 4 && !rc; i++) {
		rc = sm_py_given_number(
			PyList_GetItem(list, i), i > 0, places[i], "trials[%zd], %s", at, parts[i]);
	}
	Py_XDECREF(list);
	if (!rc && isnan(trial->cost)) {
		PyErr_Format(PyExc_ValueError, "trials[%zd]: its cost is no number", at);
		rc = -1;
	}
	return rc;
}

static PyObject *choose(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"trials", NULL};
	PyObject *given;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:choose", names, &given)) {
		return NULL;
	}
	PyObject *list = sm_py_given_sequence(given, names[0]);
	if (!list) {
		return NULL;
	}
	size_t count = (size_t)PyList_Size(list);
	struct sm_study_trial *trials = PyMem_Calloc(count + 1, sizeof(*trials));
	PyObject *chosen = trials ? NULL : PyErr_NoMemory();
	int rc = trials ? 0 : -1;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = trial_read(&trials[i], PyList_GetItem(list, (Py_ssize_t)i), (Py_ssize_t)i);
	}
	if (!rc) {
		chosen = PyLong_FromSsize_t((Py_ssize_t)sm_study_choose(trials, count));
	}
	PyMem_Free(trials);
	Py_DECREF(list);
	return chosen;
}

#define KEYWORDS(function) SM_FASTCALL(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
	{"mean", KEYWORDS(mean),
		"mean($module, /, values)\n--\n\nThe mean of values in the order in which they "
		"were "
		"measured, and its 90 % interval by batch means:\n(mean, low, high). The interval "
		"is "
		"None for fewer than five values, the mean for none."},
	{"growth", KEYWORDS(growth),
		"growth($module, /, sizes, seconds)\n--\n\nThe exponent of seconds = c * size ** "
		"exponent, and its 90 % interval. The exponent is None for\nfewer than two sizes "
		"that "
		"differ, the interval for fewer than three."},
	{"compare", KEYWORDS(compare),
		"compare($module, /, before, after)\n--\n\nmean(before) / mean(after) of times: "
		"above "
		"1, after is faster; with its 90 % interval by a seeded\nblock bootstrap, None for "
		"fewer "
		"than five values on either side."},
	{"choose", KEYWORDS(choose),
		"choose($module, /, trials)\n--\n\nIndex of the cheapest trial whose rate is not "
		"significantly below the best; -1 for none. A trial is\n(cost, mean, low, high); a "
		"mean of None is a trial that failed."},
	{NULL, NULL, 0, NULL},
};

int sm_py_study_add(PyObject *module)
{
	return PyModule_AddFunctions(module, functions) ? -1 : sm_py_page_add(module);
}
