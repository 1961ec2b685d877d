/* What Python hands over, looked at: every error names the argument.
 *
 * What one call needs longer than a glance (encoded texts, lists, arrays) hangs on one list, `kept`, which goes when the call
 * ends, whatever happened. */
#ifndef SM_PY_GIVEN_H
#define SM_PY_GIVEN_H

#include "py_compat.h"

#include <stallmeter/study.h>

#include <stdbool.h>

/* A list, owned, of what a sequence holds; NULL with a TypeError. */
PyObject *sm_py_given_sequence(PyObject *given, const char *name);
/* A number, and with `may_lack` None as NaN. 0, or -1 with a TypeError that begins with `format` and what follows. */
int sm_py_given_number(PyObject *given, bool may_lack, double *ret_number, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Zeroed room for an array; NULL with an error. */
void *sm_py_given_room(PyObject *kept, size_t count, size_t bytes);
/* A str as UTF-8, and with `may_lack` None as NULL. 0, or -1 with an error. */
int sm_py_given_text(
	PyObject *kept, PyObject *given, bool may_lack, const char *name, const char **ret_text);
/* A sequence as a list, borrowed; NULL with an error. */
PyObject *sm_py_given_list(PyObject *kept, PyObject *given, const char *name);
/* The same of so many. */
PyObject *sm_py_given_tuple(PyObject *kept, PyObject *given, Py_ssize_t count, const char *name);
/* (middle, low, high), each of which may be None. 0, or -1 with an error. */
int sm_py_given_interval(
	PyObject *kept, PyObject *given, struct sm_study_interval *ret_interval, const char *name);

#endif
