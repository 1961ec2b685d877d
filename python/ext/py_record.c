/* Marks, counters, facts, plain begin and end, and the session of this process. */
#include "py_state.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define PAIRS_MAX 8
#define NAMES_MAX 16384

/* --------------------------------------------------------------------------------------------------
 * session */

static uint32_t sessions; /* opened so far */

static PyObject *session_start(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {
		"directory", "limit_bytes", "rank", "program", "cause_threshold_us", NULL};
	struct sm_session_options options = {.rank = -1};
	unsigned long long limit_bytes = 0;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "|zKizi:session_start", names,
		    &options.directory, &limit_bytes, &options.rank, &options.program,
		    &options.cause_threshold_us)) {
		return NULL;
	}
	options.limit_bytes = limit_bytes;
	int error = sm_session_start(&options);
	if (error) {
		errno = -error;
		return PyErr_SetFromErrnoWithFilename(PyExc_OSError, options.directory);
	}
	sm_py_session = ++sessions;
	Py_RETURN_NONE;
}

static PyObject *session_stop(PyObject *module, PyObject *unused)
{
	sm_py_session = 0;
	sm_session_stop();
	Py_RETURN_NONE;
}

static PyObject *session_is_open(PyObject *module, PyObject *unused)
{
	return PyBool_FromLong(sm_session_is_open());
}

static PyObject *session_path(PyObject *module, PyObject *unused)
{
	return PyUnicode_DecodeFSDefault(sm_session_path());
}

/* A child that a thread makes while in an interlude is for what it does there. */
static void stay_in_interlude(void)
{
	sm_py_session = sm_py_interlude ? 0 : sm_py_session;
}

static pthread_once_t watch_forks_once = PTHREAD_ONCE_INIT;

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, stay_in_interlude);
}

static PyObject *interlude(PyObject *module, PyObject *on)
{
	int is_on = PyObject_IsTrue(on);
	if (is_on < 0) {
		return NULL;
	}
	pthread_once(&watch_forks_once, watch_forks);
	sm_py_interlude = is_on;
	Py_RETURN_NONE;
}

static PyObject *lost(PyObject *module, PyObject *unused)
{
	return PyLong_FromUnsignedLongLong(sm_session_lost());
}

/* -------------------------------------------------------------------------------------------------
 * numbers */

/* Reads key, value, key, value. Returns how many pairs, or -1 with an exception set. */
static int read_pairs(PyObject *const *args, Py_ssize_t count, int *keys, int64_t *values)
{
	if (count % 2 || count > 2 * PAIRS_MAX) {
		PyErr_SetString(
			PyExc_TypeError, "numbers come in pairs of key and value, at most eight");
		return -1;
	}
	for (Py_ssize_t i = 0; i < count / 2; i++) {
		keys[i] = (int)PyLong_AsLong(args[2 * i]);
		values[i] = PyLong_AsLongLong(args[2 * i + 1]);
	}
	return PyErr_Occurred() ? -1 : (int)(count / 2);
}

static PyObject *span_args(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	int keys[PAIRS_MAX];
	int64_t values[PAIRS_MAX];
	int pairs = read_pairs(args, count, keys, values);
	if (pairs < 0) {
		return NULL;
	}
	for (int i = 0; i < pairs && sm_py_records(); i++) {
		sm_span_arg(keys[i], values[i]);
	}
	Py_RETURN_NONE;
}

/* ---------------------------------------------------------------------------------------------------
 * marks */

struct mark {
	PyObject_HEAD vectorcallfunc vectorcall;
	struct sm_py_name name;
};

static PyObject *mark_vectorcall(
	PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
	int keys[PAIRS_MAX];
	int64_t values[PAIRS_MAX];
	int pairs = read_pairs(args, sm_py_nargs(nargsf), keys, values);
	if (pairs < 0) {
		return NULL;
	}
	uint32_t id = sm_py_name_id(&((struct mark *)object)->name);
	if (id) {
		sm_mark_args(id, pairs, keys, values);
	}
	Py_RETURN_NONE;
}

static void mark_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	PyMem_Free(((struct mark *)object)->name.text);
	PyObject_Free(object);
	Py_DECREF(type);
}

static PyMemberDef mark_members[] = {
	{"__vectorcalloffset__", T_PYSSIZET, offsetof(struct mark, vectorcall), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};
static PyType_Slot mark_slots[] = {
	{Py_tp_call, PyVectorcall_Call},
	{Py_tp_members, mark_members},
	{Py_tp_dealloc, mark_dealloc},
	{0, NULL},
};
static PyType_Spec mark_spec = {
	"_stallmeter._record.Mark",
	sizeof(struct mark),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	mark_slots,
};

static PyObject *mark_make(struct sm_py_state *state, int kind, int role, PyObject *bytes)
{
	struct mark *mark = PyObject_New(struct mark, state->mark_type);
	if (!mark) {
		return NULL;
	}
	mark->vectorcall = mark_vectorcall;
	mark->name = (struct sm_py_name){0};
	if (sm_py_name_init(
		    &mark->name, kind, role, PyBytes_AsString(bytes), PyBytes_Size(bytes))) {
		Py_DECREF(mark);
		return NULL;
	}
	return (PyObject *)mark;
}

/* The mark or counter of that name, out of `table`. Borrowed; NULL without an exception where there
 * is no room. */
static struct mark *mark_find(
	struct sm_py_state *state, PyObject *table, int kind, PyObject *first, PyObject *second)
{
	PyObject *bytes = sm_py_join(first, second);
	PyObject *mark = bytes ? PyDict_GetItemWithError(table, bytes) : NULL;
	if (bytes && !mark && !PyErr_Occurred() && PyDict_Size(table) < NAMES_MAX) {
		PyObject *made = mark_make(state, kind, 0, bytes);
		mark = made && PyDict_SetItem(table, bytes, made) == 0 ? made : NULL;
		Py_XDECREF(made);
	}
	Py_XDECREF(bytes);
	return (struct mark *)mark;
}

static PyObject *make_mark_role(PyObject *module, PyObject *args)
{
	int role;
	PyObject *text;
	if (!PyArg_ParseTuple(args, "iO:mark_role", &role, &text)) {
		return NULL;
	}
	PyObject *bytes = sm_py_join(text, NULL);
	PyObject *mark = bytes ? mark_make(sm_py_state(module), SM_MARK, role, bytes) : NULL;
	Py_XDECREF(bytes);
	return mark;
}

static PyObject *mark(PyObject *module, PyObject *name)
{
	struct sm_py_state *state = sm_py_state(module);
	struct mark *found = mark_find(state, state->marks, SM_MARK, name, NULL);
	uint32_t id = found ? sm_py_name_id(&found->name) : 0;
	if (PyErr_Occurred()) {
		return NULL;
	}
	if (id) {
		sm_mark(id);
	}
	Py_RETURN_NONE;
}

static PyObject *counter(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {"name", "value", "unit", NULL};
	struct sm_py_state *state = sm_py_state(module);
	PyObject *name, *unit = Py_None;
	double value;
	if (!PyArg_ParseTupleAndKeywords(
		    args, keywords, "Od|O:counter", names, &name, &value, &unit)) {
		return NULL;
	}
	struct mark *found = mark_find(state, state->meters, SM_COUNTER, name, unit);
	uint32_t id = found ? sm_py_name_id(&found->name) : 0;
	if (PyErr_Occurred()) {
		return NULL;
	}
	if (id) {
		sm_counter(id, value);
	}
	Py_RETURN_NONE;
}

/* ---------------------------------------------------------------------------------------- facts,
 * begin, end */

static PyObject *fact(PyObject *module, PyObject *text)
{
	PyObject *bytes = sm_py_join(text, NULL);
	if (!bytes) {
		return NULL;
	}
	if (sm_py_records()) {
		sm_name_register_role(
			SM_FACT, 0, PyBytes_AsString(bytes), (uint32_t)PyBytes_Size(bytes));
	}
	Py_DECREF(bytes);
	Py_RETURN_NONE;
}

static PyObject *begin(PyObject *module, PyObject *span)
{
	if (!Py_IS_TYPE(span, sm_py_state(module)->span_type)) {
		return PyErr_Format(PyExc_TypeError, "begin() takes a span, not %R", span);
	}
	sm_py_span_begin((struct sm_py_span *)span);
	Py_RETURN_NONE;
}

static PyObject *end(PyObject *module, PyObject *unused)
{
	if (sm_py_records()) {
		sm_span_end();
	}
	Py_RETURN_NONE;
}

static PyObject *thread_name(PyObject *module, PyObject *text)
{
	PyObject *bytes = sm_py_join(text, NULL);
	if (!bytes) {
		return NULL;
	}
	if (sm_py_records()) {
		sm_thread_name(PyBytes_AsString(bytes));
	}
	Py_DECREF(bytes);
	Py_RETURN_NONE;
}

PyMethodDef sm_py_record_functions[] = {
	{"session_start", SM_FASTCALL(session_start), METH_VARARGS | METH_KEYWORDS,
		"session_start(directory=None, limit_bytes=0, rank=-1, program=None, "
		"cause_threshold_us=0)\n--\n\n"
		"Opens this process's mapping; OSError where that fails."},
	{"session_stop", session_stop, METH_NOARGS, "session_stop()\n--\n\n"},
	{"interlude", interlude, METH_O,
		"interlude(on, /)\n--\n\nWhether what the calling thread does from here on is left "
		"out, and the children it makes."},
	{"session_is_open", session_is_open, METH_NOARGS, "session_is_open()\n--\n\n"},
	{"session_path", session_path, METH_NOARGS,
		"session_path()\n--\n\nPath of this process's mapping, or \"\"."},
	{"lost", lost, METH_NOARGS,
		"lost()\n--\n\nEvents that could not be kept, exact, all threads."},
	{"args", SM_FASTCALL(span_args), METH_FASTCALL,
		"args(key, value, ...)\n--\n\nNumbers for the innermost open span of this thread."},
	{"mark_role", make_mark_role, METH_VARARGS,
		"mark_role(role, text)\n--\n\nA mark for an adapter: call it with key, value, ..."},
	{"mark", mark, METH_O, "mark(name)\n--\n\nAn instant on this thread."},
	{"counter", SM_FASTCALL(counter), METH_VARARGS | METH_KEYWORDS,
		"counter(name, value, unit=None)\n--\n\nOne sample of a number."},
	{"fact", fact, METH_O,
		"fact(text)\n--\n\nLines `key=value`; the first line is the kind of fact."},
	{"begin", begin, METH_O, "begin(span)\n--\n\nWhat `with span:` does on entry."},
	{"end", end, METH_NOARGS, "end()\n--\n\nEnds the innermost open span of this thread."},
	{"thread_name", thread_name, METH_O,
		"thread_name(text)\n--\n\nA name for this thread's track."},
	{NULL, NULL, 0, NULL},
};

int sm_py_record_setup(PyObject *module, struct sm_py_state *state)
{
	state->marks = PyDict_New();
	state->meters = PyDict_New();
	state->mark_type = sm_py_type(module, &mark_spec, "Mark");
	if (!state->marks || !state->meters || !state->mark_type) {
		return -1;
	}
	return PyModule_AddStringConstant(module, "__version__", SM_VERSION);
}
