#include "py_given.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PyObject *sm_py_given_sequence(PyObject *given, const char *name)
{
	if (PyUnicode_Check(given) || PyBytes_Check(given) || PyDict_Check(given)) {
		return PyErr_Format(PyExc_TypeError, "%s: a sequence is wanted, not %R", name,
			(PyObject *)Py_TYPE(given));
	}
	PyObject *list = PySequence_List(given);
	if (!list && PyErr_ExceptionMatches(PyExc_TypeError)) {
		PyErr_Format(PyExc_TypeError, "%s: a sequence is wanted, not %R", name,
			(PyObject *)Py_TYPE(given));
	}
	return list;
}

int sm_py_given_number(PyObject *given, bool may_lack, double *ret_number, const char *format, ...)
{
	char name[128];
	if (may_lack && given == Py_None) {
		*ret_number = NAN;
		return 0;
	}
	double number = PyFloat_AsDouble(given);
	if (number == -1 && PyErr_Occurred()) {
		if (PyErr_ExceptionMatches(PyExc_TypeError)) {
			va_list args;
			va_start(args, format);
			vsnprintf(name, sizeof(name), format, args);
			va_end(args);
			PyErr_Format(PyExc_TypeError, "%s: a number is wanted, not %R", name,
				(PyObject *)Py_TYPE(given));
		}
		return -1;
	}
	*ret_number = number;
	return 0;
}

/* Zeroed, alive as long as the list; NULL with an error. */
void *sm_py_given_room(PyObject *kept, size_t count, size_t bytes)
{
	PyObject *room = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * bytes + 1));
	if (!room || PyList_Append(kept, room)) {
		Py_XDECREF(room);
		return NULL;
	}
	Py_DECREF(room); /* the list has it */
	return memset(PyBytes_AsString(room), 0, count * bytes + 1);
}

/* UTF-8 without a NUL inside. Half a surrogate pair, as in the name of a file that is no UTF-8, becomes '?'. */
static PyObject *encode(PyObject *text)
{
	PyObject *nul = PyUnicode_FromOrdinal(0), *mark = PyUnicode_FromString("?");
	PyObject *whole = nul && mark ? PyUnicode_Replace(text, nul, mark, -1) : NULL;
	PyObject *bytes = whole ? PyUnicode_AsEncodedString(whole, "utf-8", "replace") : NULL;
	Py_XDECREF(nul);
	Py_XDECREF(mark);
	Py_XDECREF(whole);
	return bytes;
}

/* A str, and with `may_lack` None as NULL. 0, or -1 with an error that names it. */
int sm_py_given_text(
	PyObject *kept, PyObject *given, bool may_lack, const char *name, const char **ret_text)
{
	if (may_lack && given == Py_None) {
		*ret_text = NULL;
		return 0;
	}
	if (!PyUnicode_Check(given)) {
		PyErr_Format(PyExc_TypeError, "%s: a str is wanted, not %R", name,
			(PyObject *)Py_TYPE(given));
		return -1;
	}
	PyObject *bytes = encode(given);
	if (!bytes || PyList_Append(kept, bytes)) {
		Py_XDECREF(bytes);
		return -1;
	}
	Py_DECREF(bytes);
	*ret_text = PyBytes_AsString(bytes);
	return 0;
}

/* A sequence as a list that is kept; NULL with an error that names it. */
PyObject *sm_py_given_list(PyObject *kept, PyObject *given, const char *name)
{
	PyObject *list = sm_py_given_sequence(given, name);
	if (!list || PyList_Append(kept, list)) {
		Py_XDECREF(list);
		return NULL;
	}
	Py_DECREF(list);
	return list;
}

/* A sequence of so many; NULL with an error that names it. */
PyObject *sm_py_given_tuple(PyObject *kept, PyObject *given, Py_ssize_t count, const char *name)
{
	PyObject *list = sm_py_given_list(kept, given, name);
	if (list && PyList_Size(list) != count) {
		PyErr_Format(PyExc_ValueError, "%s: %zd values are wanted, not %zd", name, count,
			PyList_Size(list));
		return NULL;
	}
	return list;
}

int sm_py_given_interval(
	PyObject *kept, PyObject *given, struct sm_study_interval *interval, const char *name)
{
	PyObject *list = sm_py_given_tuple(kept, given, 3, name);
	double *const places[] = {&interval->middle, &interval->low, &interval->high};
	int rc = list ? 0 : -1;
	for (int i = 0; i < 3 && !rc; i++) {
		rc = sm_py_given_number(PyList_GetItem(list, i), true, places[i], "%s", name);
	}
	return rc;
}
