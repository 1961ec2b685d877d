/* What `_read` measures and says of the calls of one function: see stallmeter/calls.h. */
#ifndef SM_PY_CALLS_H
#define SM_PY_CALLS_H

#include "py_compat.h"

extern PyMethodDef sm_py_measure_functions[]; /* measure, looks, fault_seconds, pass_seconds */
extern PyMethodDef sm_py_calls_functions[];   /* judge_calls */

#endif
