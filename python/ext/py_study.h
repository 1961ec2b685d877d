/* What `_read` says of trials: see stallmeter/study.h. */
#ifndef SM_PY_STUDY_H
#define SM_PY_STUDY_H

#include "py_compat.h"

#include <stallmeter/study.h>

int sm_py_study_add(PyObject *module); /* mean, growth, compare, choose, Page; 0 or -1 */
int sm_py_page_add(PyObject *module);

/* A mapping with the keys of a finding in report.json; what it points at hangs on `kept`. 0, or -1 with an error. */
int sm_py_finding_read(PyObject *kept, PyObject *given, struct sm_page_finding *ret_finding);

#endif
