/* A batch on its way through torch's loader, seen from the process that iterates: what the hooks of
 * torch_loader.py do for every batch, so that no Python of ours runs in a step.
 *
 *     next_begins, next_ends         around __next__: NEXT's numbers, and what the device is asked
 *     sampler_begins, sampler_ends   around _next_index: whose span it is, and how many were drawn
 *     put_ends                       behind _try_put_index: the mark PUT
 *     get_ends                       behind _try_get_data: the mark ARRIVE
 *     load_ends                      behind loads: DESERIALIZE's numbers
 *
 * They are given to wrap() as `before` and `after`. What is known of an iteration stands in a
 * Batches, found in `iterations` by the identity of torch's iterator and never kept in it. torch's
 * own attributes are read by name; where one is missing the exception goes to wrap(), which drops
 * it. */
#include "py_state.h"

struct batches {
	PyObject_HEAD long long ordinal; /* of the loader */
	long long number;		 /* of the iteration */
	long long sent;			 /* torch's _send_idx when we last looked */
	long long drawn;		 /* samples of the batch that the sampler drew last */
	long long arrived;		 /* task */
	long long yielded;		 /* batches so far */
	char parallel, in_order;
	PyObject *sampler; /* owned: its span */
	PyObject *counts;  /* owned, or NULL: task -> samples asked for */
};

static struct sm_py_name put_mark = {
	.text = "put", .length = 3, .kind = SM_MARK, .role = SM_PY_ROLE_PUT};
static struct sm_py_name arrive_mark = {
	.text = "arrive", .length = 6, .kind = SM_MARK, .role = SM_PY_ROLE_ARRIVE};

static struct {
	PyObject *_rcvd_idx, *_send_idx, *_task_info, *__name__;
} word;

/* -------------------------------------------------------------------------------------------------
 * reading */

/* Of the iterator at that place of a hook's arguments. A new reference: it may be forgotten while
 * torch's attributes are read. NULL, mostly without an exception: not one that is recorded. */
static struct batches *batches_of(
	PyObject *module, PyObject *const *args, Py_ssize_t count, Py_ssize_t place)
{
	struct sm_py_state *state = sm_py_state(module);
	PyObject *key = place < count ? PyLong_FromVoidPtr(args[place]) : NULL;
	PyObject *found = key ? PyDict_GetItemWithError(state->iterations, key) : NULL;
	Py_XDECREF(key);
	bool fits = found && PyObject_TypeCheck(found, state->batches_type);
	return fits ? (struct batches *)Py_NewRef(found) : NULL;
}

static PyObject *none_unless_failed(struct batches *batches)
{
	Py_XDECREF((PyObject *)batches);
	return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static int64_t number_of(PyObject *owned)
{
	int64_t number = owned ? PyLong_AsLongLong(owned) : -1;
	Py_XDECREF(owned);
	return number;
}

static int64_t attribute_of(PyObject *iterator, PyObject *name)
{
	return number_of(PyObject_GetAttr(iterator, name));
}

/* What passes between worker and loader: (task, data). */
static bool is_message(PyObject *thing)
{
	return PyTuple_CheckExact(thing) && PyTuple_Size(thing) == 2 &&
	       PyLong_CheckExact(PyTuple_GetItem(thing, 0));
}

/* -------------------------------------------------------------------------------------------------
 * samples asked for, by task */

static void put_count(struct batches *batches, int64_t task)
{
	PyObject *key = PyLong_FromLongLong(task), *count = PyLong_FromLongLong(batches->drawn);
	if (!batches->counts) {
		batches->counts = PyDict_New();
	}
	if (key && count && batches->counts) {
		PyDict_SetItem(batches->counts, key, count);
	}
	Py_XDECREF(key);
	Py_XDECREF(count);
}

static int64_t take_count(struct batches *batches, int64_t task)
{
	PyObject *key = PyLong_FromLongLong(task), *count = NULL;
	if (key && batches->counts) {
		count = Py_XNewRef(PyDict_GetItemWithError(batches->counts, key));
	}
	if (count) {
		PyDict_DelItem(batches->counts, key);
	}
	Py_XDECREF(key);
	return count ? number_of(count) : 0;
}

/* -------------------------------------------------------------------------------------------------
 * __next__ */

static PyObject *next_begins(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	PyObject *requested = sm_py_state(module)->requested;
	return requested ? PyObject_CallFunctionObjArgs(requested, NULL) : Py_NewRef(Py_None);
}

/* torch's number of the batch that __next__ is about to return. */
static int64_t task_of(const struct batches *batches, PyObject *iterator)
{
	if (!batches->parallel) {
		return batches->yielded;
	}
	return batches->in_order ? attribute_of(iterator, word._rcvd_idx) - 1 : batches->arrived;
}

static void tell_of_batch(struct batches *batches, PyObject *iterator, PyObject *delivered)
{
	int64_t task = task_of(batches, iterator);
	if (PyErr_Occurred()) {
		return;
	}
	int64_t samples = batches->parallel ? take_count(batches, task) : batches->drawn;
	batches->yielded++;
	sm_span_arg(SM_PY_KEY_LOADER, batches->ordinal);
	sm_span_arg(SM_PY_KEY_ITERATION, batches->number);
	sm_span_arg(SM_PY_KEY_TASK, task);
	sm_span_arg(SM_PY_KEY_COUNT, samples);
	if (delivered) {
		Py_XDECREF(PyObject_CallFunction(
			delivered, "LLL", batches->ordinal, batches->number, (long long)task));
	}
}

static PyObject *next_ends(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct sm_py_state *state = sm_py_state(module);
	struct batches *batches = batches_of(module, args, count, 1);
	if (batches && args[0] == state->failed) {
		sm_span_arg(SM_PY_KEY_LOADER, batches->ordinal);
		sm_span_arg(SM_PY_KEY_ITERATION, batches->number);
	} else if (batches) {
		tell_of_batch(batches, args[1], state->delivered);
	}
	return none_unless_failed(batches);
}

/* -------------------------------------------------------------------------------------------------
 * indices: drawn, and sent to a worker */

static PyObject *sampler_begins(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct batches *batches = batches_of(module, args, count, 0);
	PyObject *span = Py_NewRef(batches && batches->sampler ? batches->sampler : Py_False);
	Py_XDECREF((PyObject *)batches);
	return span;
}

static PyObject *sampler_ends(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct batches *batches = batches_of(module, args, count, 1);
	if (batches) {
		PyObject *indices = args[0];
		bool has_many = PyList_Check(indices) || PyTuple_Check(indices);
		sm_span_arg(SM_PY_KEY_LOADER, batches->ordinal);
		if (indices == sm_py_state(module)->failed) { /* the sampler had ended */
			sm_span_arg(SM_PY_KEY_COUNT, 0);
		} else {
			batches->drawn = has_many ? PyObject_Size(indices) : 1;
		}
	}
	return none_unless_failed(batches);
}

/* torch keeps (worker,) or (worker, data) of every task that is out. */
static int64_t worker_of(PyObject *iterator, int64_t task)
{
	PyObject *tasks = PyObject_GetAttr(iterator, word._task_info);
	PyObject *key = tasks ? PyLong_FromLongLong(task) : NULL;
	PyObject *entry = key ? PyObject_GetItem(tasks, key) : NULL;
	PyObject *worker = entry ? PySequence_GetItem(entry, 0) : NULL;
	Py_XDECREF(tasks);
	Py_XDECREF(key);
	Py_XDECREF(entry);
	return number_of(worker);
}

static void mark_put(struct batches *batches, PyObject *iterator)
{
	static const int keys[] = {
		SM_PY_KEY_LOADER, SM_PY_KEY_ITERATION, SM_PY_KEY_TASK, SM_PY_KEY_WORKER};
	int64_t task = batches->sent - 1;
	put_count(batches, task);
	int64_t values[] = {batches->ordinal, batches->number, task, worker_of(iterator, task)};
	uint32_t id = PyErr_Occurred() ? 0 : sm_py_name_id(&put_mark);
	if (id) {
		sm_mark_args(id, 4, keys, values);
	}
}

static PyObject *put_ends(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct batches *batches = batches_of(module, args, count, 1);
	int64_t sent = batches ? attribute_of(args[1], word._send_idx) : 0;
	if (batches && sent > batches->sent) {
		batches->sent = sent;
		mark_put(batches, args[1]);
	}
	return none_unless_failed(batches);
}

/* -------------------------------------------------------------------------------------------------
 * a batch from a worker */

/* The worker's word that its data set has ended travels as data does. */
static bool is_data(PyObject *thing)
{
	PyObject *name = PyObject_GetAttr((PyObject *)Py_TYPE(thing), word.__name__);
	bool is_end = name &&
		      PyUnicode_CompareWithASCIIString(name, "_IterableDatasetStopIteration") == 0;
	Py_XDECREF(name);
	return name && !is_end;
}

static void mark_arrive(struct batches *batches, PyObject *message)
{
	static const int keys[] = {SM_PY_KEY_LOADER, SM_PY_KEY_ITERATION, SM_PY_KEY_TASK};
	int64_t task = PyLong_AsLongLong(PyTuple_GetItem(message, 0));
	if (!is_data(PyTuple_GetItem(message, 1))) {
		return;
	}
	batches->arrived = task;
	int64_t values[] = {batches->ordinal, batches->number, task};
	uint32_t id = sm_py_name_id(&arrive_mark);
	if (id) {
		sm_mark_args(id, 3, keys, values);
	}
}

/* The result is (whether there was one, (task, data)). */
static PyObject *get_ends(
	PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	struct batches *batches = batches_of(module, args, count, 1);
	bool is_pair = batches && PyTuple_CheckExact(args[0]) && PyTuple_Size(args[0]) == 2;
	if (is_pair && PyTuple_GetItem(args[0], 0) == Py_True) {
		PyObject *message = PyTuple_GetItem(args[0], 1);
		if (is_message(message)) {
			mark_arrive(batches, message);
		}
	}
	return none_unless_failed(batches);
}

static PyObject *load_ends(
	PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	if (count > 1 && is_message(args[0])) {
		sm_span_arg(SM_PY_KEY_BYTES, PyObject_Size(args[1]));
		sm_span_arg(SM_PY_KEY_TASK, PyLong_AsLongLong(PyTuple_GetItem(args[0], 0)));
	}
	return none_unless_failed(NULL);
}

/* -------------------------------------------------------------------------------------------------
 * the type */

static void batches_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
	Py_XDECREF(((struct batches *)object)->sampler);
	Py_XDECREF(((struct batches *)object)->counts);
	release(object);
	Py_DECREF(type);
}

static PyMemberDef batches_members[] = {
	{"ordinal", T_LONGLONG, offsetof(struct batches, ordinal), 0, NULL},
	{"number", T_LONGLONG, offsetof(struct batches, number), 0, NULL},
	{"arrived", T_LONGLONG, offsetof(struct batches, arrived), 0, NULL},
	{"yielded", T_LONGLONG, offsetof(struct batches, yielded), 0, NULL},
	{"parallel", T_BOOL, offsetof(struct batches, parallel), 0, NULL},
	{"in_order", T_BOOL, offsetof(struct batches, in_order), 0, NULL},
	{"sampler", T_OBJECT, offsetof(struct batches, sampler), 0, NULL},
	{NULL, 0, 0, 0, NULL},
};
static PyType_Slot batches_slots[] = {
	{Py_tp_members, batches_members},
	{Py_tp_dealloc, batches_dealloc},
	{Py_tp_doc, "The batches of one iteration: see ext/py_loader.c."},
	{0, NULL},
};
static PyType_Spec batches_spec = {
	"_stallmeter._record.Batches",
	sizeof(struct batches),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	batches_slots,
};

/* -------------------------------------------------------------------------------------------------
 * the module's part */

static PyObject *watch_batches(PyObject *module, PyObject *args)
{
	struct sm_py_state *state = sm_py_state(module);
	PyObject *requested, *delivered;
	if (!PyArg_ParseTuple(args, "OO:watch_batches", &requested, &delivered)) {
		return NULL;
	}
	Py_XSETREF(state->requested, Py_NewRef(requested));
	Py_XSETREF(state->delivered, Py_NewRef(delivered));
	Py_RETURN_NONE;
}

#define HOOK(name, flags)                                                                          \
	{                                                                                          \
#name, SM_FASTCALL(name), METH_FASTCALL | (flags), NULL                            \
	}

PyMethodDef sm_py_loader_functions[] = {
	HOOK(next_begins, 0),
	HOOK(next_ends, 0),
	HOOK(sampler_begins, 0),
	HOOK(sampler_ends, 0),
	HOOK(put_ends, 0),
	HOOK(get_ends, METH_KEYWORDS),
	HOOK(load_ends, METH_KEYWORDS),
	{"watch_batches", watch_batches, METH_VARARGS,
		"watch_batches(requested, delivered)\n--\n\nCalls requested() before a batch is "
		"asked for, delivered(loader, iteration, task) when it is here."},
	{NULL, NULL, 0, NULL},
};

int sm_py_loader_setup(PyObject *module, struct sm_py_state *state)
{
	word._rcvd_idx = PyUnicode_InternFromString("_rcvd_idx");
	word._send_idx = PyUnicode_InternFromString("_send_idx");
	word._task_info = PyUnicode_InternFromString("_task_info");
	word.__name__ = PyUnicode_InternFromString("__name__");
	state->iterations = PyDict_New();
	state->batches_type = sm_py_type(module, &batches_spec, "Batches");
	if (!word._rcvd_idx || !word._send_idx || !word._task_info || !word.__name__ ||
		!state->iterations || !state->batches_type) {
		return -1;
	}
	return PyModule_AddObjectRef(module, "iterations", state->iterations);
}
