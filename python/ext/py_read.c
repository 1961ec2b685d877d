/* The module `stallmeter._read`: a finished run, read and judged, for Python. What it says of trials is in py_study.c.
 *
 * Imported when the first report is asked for, and never in a worker. It only hands over what C has made: JSON, the page,
 * Markdown and text, each as str. The GIL is let go while a trace is read, so other threads go on. */
#include "py_calls.h"
#include "py_compat.h"
#include "py_study.h"

#include <stallmeter/read.h>

#include <errno.h>
#include <stdlib.h>

struct run {
	PyObject_HEAD struct sm_read *read; /* owned */
};

struct state {
	PyObject *error; /* stallmeter.TraceError */
	PyTypeObject *run_type;
};

/* --- a form, as str --- */

static PyObject *render(PyObject *object, enum sm_read_form form)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (!out) {
		return PyErr_NoMemory();
	}
	int rc;
	Py_BEGIN_ALLOW_THREADS;
	rc = sm_read_write(((struct run *)object)->read, form, out);
	rc = fclose(out) && !rc ? -ENOMEM : rc;
	Py_END_ALLOW_THREADS;
	PyObject *result =
		rc ? PyErr_NoMemory() : PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
	free(text); /* the stream's, so the C library's to free */
	return result;
}

static PyObject *run_json(PyObject *object, PyObject *unused)
{
	return render(object, SM_READ_JSON);
}

static PyObject *run_html(PyObject *object, PyObject *unused)
{
	return render(object, SM_READ_HTML);
}

static PyObject *run_markdown(PyObject *object, PyObject *unused)
{
	return render(object, SM_READ_MARKDOWN);
}

static PyObject *run_text(PyObject *object, PyObject *unused)
{
	return render(object, SM_READ_TEXT);
}

static PyMethodDef run_methods[] = {
	{"json", run_json, METH_NOARGS,
		"json($self, /)\n--\n\nThe report as JSON, schema stallmeter/report/1."},
	{"html", run_html, METH_NOARGS, "html($self, /)\n--\n\nThe report as one offline page."},
	{"markdown", run_markdown, METH_NOARGS,
		"markdown($self, /)\n--\n\nThe report as Markdown."},
	{"text", run_text, METH_NOARGS,
		"text($self, /)\n--\n\nThe verdict as a terminal shows it, without colour."},
	{NULL, NULL, 0, NULL},
};

/* --- opening --- */

static PyObject *raise(struct state *state, int rc, const char *why, PyObject *path)
{
	if (rc == -ENOMEM) {
		return PyErr_NoMemory();
	}
	if (rc > -4096) {
		errno = -rc;
		return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
	}
	return PyErr_Format(state->error, "%S: %s", path, why);
}

static PyObject *open_run(PyObject *module, PyObject *path)
{
	struct state *state = PyModule_GetState(module);
	PyObject *bytes;
	char why[SM_READ_WHY] = "";
	if (!PyUnicode_FSConverter(path, &bytes)) {
		return NULL;
	}
	struct run *run = PyObject_New(struct run, state->run_type);
	if (!run) {
		Py_DECREF(bytes);
		return NULL;
	}
	run->read = NULL;
	const char *name = PyBytes_AsString(bytes);
	int rc;
	Py_BEGIN_ALLOW_THREADS;
	rc = sm_read_open(&run->read, name, why);
	Py_END_ALLOW_THREADS;
	Py_DECREF(bytes);
	if (rc) {
		Py_DECREF((PyObject *)run);
		return raise(state, rc, why, path);
	}
	return (PyObject *)run;
}

static void run_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	sm_read_close(((struct run *)object)->read);
	PyObject_Free(object);
	Py_DECREF(type);
}

static PyType_Slot run_slots[] = {
	{Py_tp_methods, run_methods},
	{Py_tp_dealloc, run_dealloc},
	{0, NULL},
};

static PyType_Spec run_spec = {"stallmeter._read.Run", sizeof(struct run), 0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, run_slots};

/* --- the module --- */

static PyMethodDef functions[] = {
	{"open", open_run, METH_O,
		"open(path, /)\n--\n\nReads a run directory or a .stall file and judges it."},
	{NULL, NULL, 0, NULL},
};

static int read_exec(PyObject *module)
{
	struct state *state = PyModule_GetState(module);
	state->error = PyErr_NewExceptionWithDoc("stallmeter.TraceError",
		"A file that is no trace of stallmeter's, is damaged, or is of a later version.",
		PyExc_ValueError, NULL);
	state->run_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &run_spec, NULL);
	if (!state->error || !state->run_type ||
		PyModule_AddObjectRef(module, "TraceError", state->error)) {
		return -1;
	}
	if (PyModule_AddObjectRef(module, "Run", (PyObject *)state->run_type) ||
		PyModule_AddFunctions(module, sm_py_measure_functions) ||
		PyModule_AddFunctions(module, sm_py_calls_functions)) {
		return -1;
	}
	return sm_py_study_add(module);
}

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, read_exec},
	{0, NULL},
};

/* No m_free: the module lives as long as the process. */
static struct PyModuleDef read_def = {
	PyModuleDef_HEAD_INIT,
	.m_name = "_read",
	.m_doc = "Reads finished runs: see stallmeter/read.h.",
	.m_size = sizeof(struct state),
	.m_methods = functions,
	.m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__read(void);
PyMODINIT_FUNC PyInit__read(void)
{
	return PyModuleDef_Init(&read_def);
}
