/* Calls of one function, timed where no Python runs between the edges and the call; and looks at it while it works. */
#include "py_calls.h"

#include <stallmeter/calls.h>

#include <errno.h>
#include <math.h>
#include <time.h>

static double now_s(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static PyObject *number_or_none(double number)
{
	if (isnan(number)) {
		Py_RETURN_NONE;
	}
	return PyFloat_FromDouble(number);
}

/* --- timed calls --- */

/* (wall, cpu, helper cpu, run delay, blocked, read bytes, minor faults, major faults) */
static PyObject *cost_tuple(const struct sm_call_cost *cost)
{
	return Py_BuildValue("(NNNNNNNN)", number_or_none(cost->wall_s),
		number_or_none(cost->cpu_s), number_or_none(cost->helper_cpu_s),
		number_or_none(cost->run_delay_s), number_or_none(cost->blocked_s),
		number_or_none(cost->read_bytes), number_or_none(cost->minor_faults),
		number_or_none(cost->major_faults));
}

static int append(PyObject *list, PyObject *item)
{
	int rc = item ? PyList_Append(list, item) : -1;
	Py_XDECREF(item);
	return rc;
}

struct measuring {
	PyObject *function, *prepare; /* borrowed */
	PyObject *costs;	      /* owned: a list */
	PyObject *result;	      /* owned, or NULL: what the last call returned */
	struct sm_call_meter *meter;
};

/* One call on its own input. What it returns is let go before the next one is prepared, outside the edges. */
static int measure_one(struct measuring *measuring, Py_ssize_t number)
{
	struct sm_call_cost cost;
	PyObject *input = PyObject_CallFunction(measuring->prepare, "n", number);
	if (!input) {
		return -1;
	}
	Py_CLEAR(measuring->result);
	sm_call_meter_begin(measuring->meter);
	measuring->result = PyObject_CallFunctionObjArgs(measuring->function, input, NULL);
	sm_call_meter_end(measuring->meter, &cost);
	Py_DECREF(input);
	return measuring->result ? append(measuring->costs, cost_tuple(&cost)) : -1;
}

/* What the function raised, as a value; what is no Exception (KeyboardInterrupt) goes on. */
static PyObject *take_error(void)
{
	PyObject *type, *value, *traceback;
	if (!PyErr_ExceptionMatches(PyExc_Exception)) {
		return NULL;
	}
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (traceback) {
		PyException_SetTraceback(value, traceback);
	}
	Py_DECREF(type);
	Py_XDECREF(traceback);
	return value;
}

static PyObject *finish(struct measuring *measuring, int rc)
{
	PyObject *error = rc ? take_error() : Py_NewRef(Py_None);
	PyObject *result = measuring->result ? measuring->result : Py_NewRef(Py_None);
	if (!error) {
		Py_DECREF(result);
		Py_DECREF(measuring->costs);
		return NULL;
	}
	return Py_BuildValue("(NNN)", measuring->costs, result, error);
}

static PyObject *measure(PyObject *module, PyObject *args)
{
	struct measuring measuring = {0};
	Py_ssize_t count;
	double seconds;
	if (!PyArg_ParseTuple(args, "OOnd:measure", &measuring.function, &measuring.prepare, &count,
		    &seconds)) {
		return NULL;
	}
	measuring.costs = PyList_New(0);
	if (!measuring.costs || sm_call_meter_open(&measuring.meter)) {
		Py_XDECREF(measuring.costs);
		return PyErr_NoMemory();
	}
	double end_s = now_s(CLOCK_MONOTONIC) + seconds;
	int rc = 0;
	for (Py_ssize_t i = 0; i < count && !rc && (i == 0 || now_s(CLOCK_MONOTONIC) < end_s);
		i++) {
		rc = measure_one(&measuring, i);
	}
	sm_call_meter_close(measuring.meter);
	return finish(&measuring, rc);
}

/* --- looks --- */

static PyObject *looks_dict(
	const struct sm_call_looks_count *count, Py_ssize_t calls, const char *why)
{
	PyObject *dict = Py_BuildValue("{s:N,s:N,s:n,s:s}", "cpu", number_or_none(count->cpu),
		"python", number_or_none(count->python), "calls", calls, "why", why);
	for (int i = 0; i < SM_CALL_WAITS && dict; i++) {
		PyObject *number = number_or_none(count->waits[i]);
		if (!number || PyDict_SetItemString(dict, sm_call_looks_wait_name(i), number)) {
			Py_CLEAR(dict);
		}
		Py_XDECREF(number);
	}
	return dict;
}

static int call_one(PyObject *function, PyObject *prepare, Py_ssize_t number)
{
	PyObject *input = PyObject_CallFunction(prepare, "n", number);
	PyObject *result = input ? PyObject_CallFunctionObjArgs(function, input, NULL) : NULL;
	Py_XDECREF(input);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

static PyObject *looks(PyObject *module, PyObject *args)
{
	PyObject *function, *prepare;
	double seconds, cpu_seconds;
	int waits;
	char why[SM_CALL_WHY];
	struct sm_call_looks *at_work;
	struct sm_call_looks_count count;
	if (!PyArg_ParseTuple(
		    args, "OOddp:looks", &function, &prepare, &seconds, &cpu_seconds, &waits)) {
		return NULL;
	}
	if (sm_call_looks_start(&at_work, waits, why)) {
		return PyErr_NoMemory();
	}
	double end_s = now_s(CLOCK_MONOTONIC) + seconds;
	double enough_s = now_s(CLOCK_THREAD_CPUTIME_ID) + cpu_seconds;
	Py_ssize_t calls = 0;
	int rc = 0;
	do {
		rc = call_one(function, prepare, calls);
	} while (!rc && ++calls && now_s(CLOCK_MONOTONIC) < end_s &&
		 now_s(CLOCK_THREAD_CPUTIME_ID) < enough_s);
	Py_BEGIN_ALLOW_THREADS;
	sm_call_looks_stop(at_work, &count);
	Py_END_ALLOW_THREADS;
	return rc ? NULL : looks_dict(&count, calls, why);
}

/* --- the machine --- */

static PyObject *fault_seconds(PyObject *module, PyObject *huge)
{
	struct sm_call_range range = {NAN, NAN, NAN};
	int asked = PyObject_IsTrue(huge);
	int rc = asked < 0 ? -1 : sm_call_machine_fault(asked, &range);
	if (rc == -ENOMEM) {
		return PyErr_NoMemory();
	}
	return asked < 0 ? NULL
			 : Py_BuildValue("(NNN)", number_or_none(range.middle),
				   number_or_none(range.low), number_or_none(range.high));
}

static PyObject *huge_page_bytes(PyObject *module, PyObject *unused)
{
	return number_or_none(sm_call_machine_huge_bytes());
}

static PyObject *pass_seconds(PyObject *module, PyObject *given)
{
	double seconds, bytes = PyFloat_AsDouble(given);
	if (PyErr_Occurred()) {
		return NULL;
	}
	return sm_call_machine_pass(bytes, &seconds) ? PyErr_NoMemory()
						     : PyFloat_FromDouble(seconds);
}

PyMethodDef sm_py_measure_functions[] = {
	{"measure", measure, METH_VARARGS,
		"measure($module, function, prepare, count, seconds, /)\n--\n\nCalls "
		"function(prepare(i)) count times, or until the seconds are over, and returns "
		"(costs, "
		"last result, error).\nA cost is (wall, cpu, helper cpu, run delay, blocked, read "
		"bytes, "
		"minor faults, major faults); None: could not be read."},
	{"looks", looks, METH_VARARGS,
		"looks($module, function, prepare, seconds, cpu_seconds, waits, /)\n--\n\nCalls "
		"function(prepare(i)) until the seconds are over, or so many of CPU, and counts "
		"looks at the thread: "
		"in "
		"the interpreter or not, and with\n`waits` what it waits for, by a thread of "
		"ours."},
	{"fault_seconds", fault_seconds, METH_O,
		"fault_seconds($module, huge, /)\n--\n\nWhat touching a page of fresh memory takes "
		"here: (middle, low, high); None without huge pages."},
	{"huge_page_bytes", huge_page_bytes, METH_NOARGS,
		"huge_page_bytes($module, /)\n--\n\nOf a page that a fault fills where huge ones "
		"are "
		"had; None: nobody has them."},
	{"pass_seconds", pass_seconds, METH_O,
		"pass_seconds($module, bytes, /)\n--\n\nWhat copying so many bytes in warm memory "
		"takes "
		"here."},
	{NULL, NULL, 0, NULL},
};
