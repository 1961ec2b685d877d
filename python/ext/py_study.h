/* What `_read` says of trials: see stallmeter/study.h. */
#ifndef SM_PY_STUDY_H
#define SM_PY_STUDY_H

#include "py_compat.h"

#include <stdbool.h>

int sm_py_study_add(PyObject *module); /* mean, growth, compare, choose; 0 or -1 */

/* A list, owned, of what a sequence named `name` holds; NULL with a TypeError that names it. */
PyObject *sm_py_study_list(PyObject *given, const char *name);
/* A number, and with `may_lack` None as NaN. 0, or -1 with a TypeError that names it by `format` and what follows. */
int sm_py_study_number(PyObject *given, bool may_lack, double *ret_number, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
