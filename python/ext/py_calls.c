/* The facts of a function's calls, as a dict, into the struct that C judges; findings back as dicts. */
#include "py_calls.h"
#include "py_given.h"

#include <stallmeter/calls.h>

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

static const struct {
	const char *name;
	size_t offset;
} numbers[] =
	{
#define NUMBER(name) {#name, offsetof(struct sm_calls, name)},
		SM_CALLS_NUMBERS(NUMBER)
#undef NUMBER
},
  words[] = {
#define WORD(name) {#name, offsetof(struct sm_calls, name)},
	  SM_CALLS_WORDS(WORD)
#undef WORD
};

enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]), WORDS = sizeof(words) / sizeof(words[0]) };

/* What is missing, or None, is NaN or NULL. Returns whether the key is there, or -1 with an exception set. */
static int read_number(PyObject *facts, const char *name, double *place)
{
	PyObject *value = PyDict_GetItemString(facts, name);
	*place = (double)NAN;
	if (value && sm_py_given_number(value, true, place, "facts[%s]", name)) {
		return -1;
	}
	return value != NULL;
}

static int read_word(PyObject *facts, const char *name, const char **place)
{
	PyObject *value = PyDict_GetItemString(facts, name);
	if (value && value != Py_None && !(*place = PyUnicode_AsUTF8AndSize(value, NULL))) {
		return -1;
	}
	return value != NULL;
}

static int read_line(PyObject *item, void *place)
{
	struct sm_calls_line *line = place;
	return PyArg_ParseTuple(item,
		       "sddp;facts[lines]: (where, runs, seconds, is_library) is wanted",
		       &line->where, &line->runs, &line->cpu_s, &line->is_library)
		       ? 0
		       : -1;
}

static int read_batch(PyObject *item, void *place)
{
	struct sm_calls_batch *batch = place;
	PyObject *low, *high;
	if (!PyArg_ParseTuple(item, "ddOO;facts[batches]: (size, seconds, low, high) is wanted",
		    &batch->size, &batch->seconds, &low, &high)) {
		return -1;
	}
	return sm_py_given_number(low, true, &batch->low_s, "facts[batches], low") ||
			       sm_py_given_number(
				       high, true, &batch->high_s, "facts[batches], high")
		       ? -1
		       : 0;
}

/* A list of tuples into an array, owned by the caller. Returns whether the key is there, or -1. */
static int read_rows(PyObject *facts, const char *name, size_t bytes,
	int (*read)(PyObject *, void *), void *ret_rows, size_t *ret_count)
{
	PyObject *list = PyDict_GetItemString(facts, name);
	if (!list) {
		return 0;
	}
	if (!PyList_Check(list)) {
		PyErr_Format(PyExc_TypeError, "facts[%s]: a list is wanted", name);
		return -1;
	}
	size_t count = (size_t)PyList_Size(list);
	char *rows = PyMem_Calloc(count + 1, bytes);
	*(char **)ret_rows = rows;
	*ret_count = count;
	if (!rows) {
		PyErr_NoMemory();
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		PyObject *item = PyList_GetItem(list, (Py_ssize_t)i);
		if (!PyTuple_Check(item)) {
			PyErr_Format(PyExc_TypeError, "facts[%s][%zu]: a tuple is wanted", name, i);
			return -1;
		}
		if (read(item, rows + i * bytes)) {
			return -1;
		}
	}
	return 1;
}

struct reading {
	struct sm_calls calls;
	struct sm_calls_line *lines;	/* owned */
	struct sm_calls_batch *batches; /* owned */
};

static int add(int *known, int found)
{
	*known += found;
	return found < 0 ? -1 : 0;
}

/* A key that nobody reads is a slip of whoever wrote it. */
static int read_facts(PyObject *facts, struct reading *reading)
{
	char *base = (char *)&reading->calls;
	int known = 0, rc = 0;
	for (int i = 0; i < NUMBERS && !rc; i++) {
		rc = add(&known, read_number(facts, numbers[i].name,
					 (double *)(void *)(base + numbers[i].offset)));
	}
	for (int i = 0; i < WORDS && !rc; i++) {
		rc = add(&known, read_word(facts, words[i].name,
					 (const char **)(void *)(base + words[i].offset)));
	}
	rc = rc ? rc
		: add(&known, read_rows(facts, "lines", sizeof(*reading->lines), read_line,
				      &reading->lines, &reading->calls.line_count));
	rc = rc ? rc
		: add(&known, read_rows(facts, "batches", sizeof(*reading->batches), read_batch,
				      &reading->batches, &reading->calls.batch_count));
	reading->calls.lines = reading->lines;
	reading->calls.batches = reading->batches;
	if (!rc && known != PyDict_Size(facts)) {
		PyErr_SetString(PyExc_ValueError, "facts: it holds a key that is no fact of calls");
		rc = -1;
	}
	return rc;
}

static PyObject *parse(const char *text, size_t length)
{
	PyObject *json = PyImport_ImportModule("json");
	PyObject *tree =
		json ? PyObject_CallMethod(json, "loads", "s#", text, (Py_ssize_t)length) : NULL;
	Py_XDECREF(json);
	return tree;
}

static PyObject *judge(const struct sm_calls *calls)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out) {
		return PyErr_NoMemory();
	}
	int rc = sm_study_judge_calls(calls, out);
	rc = fclose(out) && !rc ? -ENOMEM : rc;
	PyObject *tree = rc ? PyErr_NoMemory() : parse(text, length);
	free(text); /* the stream's, so the C library's to free */
	return tree;
}

static PyObject *judge_calls(PyObject *module, PyObject *facts)
{
	struct reading reading = {0};
	if (!PyDict_Check(facts)) {
		return PyErr_Format(PyExc_TypeError, "facts: a dict is wanted, not %R",
			(PyObject *)Py_TYPE(facts));
	}
	int rc = read_facts(facts, &reading);
	PyObject *tree = rc ? NULL : judge(&reading.calls);
	PyMem_Free(reading.lines);
	PyMem_Free(reading.batches);
	return tree;
}

PyMethodDef sm_py_calls_functions[] = {
	{"judge_calls", judge_calls, METH_O,
		"judge_calls($module, facts, /)\n--\n\nWhat holds a function back, by the rules "
		"SM201 "
		"to SM208: {\"findings\", \"passed\", \"not_measured\"}. The facts are\nthose of "
		"stallmeter/calls.h; what is missing or None was not measured."},
	{NULL, NULL, 0, NULL},
};
