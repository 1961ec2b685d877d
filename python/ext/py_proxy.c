/* What stands in for the data set inside torch's fetcher, and nowhere else.
 *
 * A loader's worker makes one private object, the fetcher, which holds the data set (or an iterator
 * over it) and the collate function. The adapter replaces what *that object* holds; the user's
 * objects are never touched.
 *
 *     Dataset(inner, span)           inner[index]      one SAMPLE span, with its index
 *     Iterator(inner, span)          next(inner)       one SAMPLE span
 *     Fetcher(inner, span, worker)   inner.fetch(...)  one BATCH span, with worker, sequence and
 * count
 *
 * All other attributes, `__class__` included, are those of the inner object. In C, so that no frame
 * of ours stands in a traceback. A span whose COUNT is 0 is one that brought nothing: the data set
 * had ended. */
#include "py_state.h"

#include <string.h>
#include <time.h>

#define INDEX_TEXTS_MAX                                                                            \
	4096 /* distinct names are for ever; so few samples are told by an index that is no number \
	      */
#define INDEX_TEXT_LENGTH 200
#define SLOW_FACTOR	  2

struct proxy {
	PyObject_HEAD PyObject *inner; /* owned */
	struct sm_py_span *span;       /* owned */
	int64_t worker;		       /* fetcher: -1 in the main process */
	int64_t sequence;	       /* fetcher: batches so far */
	int64_t mean_ns; /* data set: running mean of samples whose index is no number */
};

static __thread int64_t samples; /* taken by this thread since its fetch began */
static int index_texts;		 /* registered so far in this process */

/* -------------------------------------------------------------------------------------------------
 * indices */

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* An int, a bool, a numpy integer, a tensor of one. */
static bool number_of(PyObject *index, int64_t *ret_number)
{
	if (!PyLong_Check(index)) {
		if (!PyIndex_Check(index)) {
			return false;
		}
		PyObject *number = PyNumber_Index(index);
		if (!number) {
			PyErr_Clear();
			return false;
		}
		bool fine = number_of(number, ret_number);
		Py_DECREF(number);
		return fine;
	}
	int overflow;
	*ret_number = PyLong_AsLongLongAndOverflow(index, &overflow);
	return !overflow;
}

/* A text for an index such as a path or (scene, frame); only of samples that took long, since those
 * are shown. */
static void note_text(PyObject *index)
{
	PyObject *text = PyUnicode_Check(index) ? Py_NewRef(index) : PyObject_Repr(index);
	Py_ssize_t length;
	const char *bytes = text ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
	if (bytes && length <= INDEX_TEXT_LENGTH &&
		__atomic_fetch_add(&index_texts, 1, __ATOMIC_RELAXED) < INDEX_TEXTS_MAX) {
		uint32_t id = sm_name_register_role(SM_TEXT, 0, bytes, (uint32_t)length);
		sm_span_arg(SM_PY_KEY_INDEX_TEXT, id);
	}
	PyErr_Clear();
	Py_XDECREF(text);
}

static bool can_be_text(PyObject *index)
{
	return PyUnicode_Check(index) || PyTuple_Check(index) || PyBytes_Check(index);
}

static bool was_slow(struct proxy *self, int64_t took_ns)
{
	bool slow = took_ns > SLOW_FACTOR * self->mean_ns;
	self->mean_ns += (took_ns - self->mean_ns) / 16;
	return slow;
}

/* --------------------------------------------------------------------------------------------- the
 * three */

static PyObject *dataset_get(PyObject *object, PyObject *index)
{
	struct proxy *self = (struct proxy *)object;
	int64_t number = 0;
	uint32_t begun = sm_py_span_begin(self->span);
	bool is_number = begun && number_of(index, &number);
	bool is_text = begun && !is_number && can_be_text(index);
	int64_t begin_ns = is_text ? now_ns() : 0;
	if (is_number) {
		sm_span_arg(SM_PY_KEY_INDEX, number);
	}
	PyObject *sample = PyObject_GetItem(self->inner, index);
	if (sample) {
		samples++;
	} else if (begun) {
		sm_py_span_failed();
	}
	if (is_text && sample && was_slow(self, now_ns() - begin_ns)) {
		note_text(index);
	}
	sm_py_span_end(begun);
	return sample;
}

static PyObject *iterator_next(PyObject *object)
{
	struct proxy *self = (struct proxy *)object;
	iternextfunc next = (iternextfunc)PyType_GetSlot(Py_TYPE(self->inner), Py_tp_iternext);
	uint32_t begun = sm_py_span_begin(self->span);
	PyObject *sample = next(self->inner);
	if (sample) {
		samples++;
	} else if (begun) {
		sm_span_arg(SM_PY_KEY_COUNT, 0);
		sm_py_span_failed();
	}
	sm_py_span_end(begun);
	return sample;
}

/* Where nothing counted samples (`__getitems__`, no batching) the indices say how many were asked
 * for. */
static int64_t count_of(PyObject *indices)
{
	if (samples) {
		return samples;
	}
	Py_ssize_t length = indices && PySequence_Check(indices) ? PySequence_Size(indices) : 1;
	PyErr_Clear();
	return length < 0 ? 1 : length;
}

static PyObject *fetcher_fetch(
	PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
	struct proxy *self = (struct proxy *)object;
	PyObject *fetch = PyObject_GetAttrString(self->inner, "fetch");
	if (!fetch) {
		return NULL;
	}
	PyObject *indices = count ? args[0] : NULL;
	int64_t outer = samples;
	samples = 0;
	uint32_t begun = sm_py_span_begin(self->span);
	if (begun && self->worker >= 0) {
		sm_span_arg(SM_PY_KEY_WORKER, self->worker);
	}
	if (begun) {
		sm_span_arg(SM_PY_KEY_SEQUENCE, self->sequence++);
	}
	PyObject *batch = sm_py_call(fetch, args, (size_t)count, names);
	if (begun) {
		sm_span_arg(SM_PY_KEY_COUNT, batch ? count_of(indices) : 0);
	}
	if (begun && !batch) {
		sm_py_span_failed();
	}
	sm_py_span_end(begun);
	samples = outer;
	Py_DECREF(fetch);
	return batch;
}

/* -------------------------------------------------------------------------------- behaving as what
 * is inside */

static PyObject *proxy_getattro(PyObject *object, PyObject *name)
{
	return PyObject_GetAttr(((struct proxy *)object)->inner, name);
}

/* A fetcher is its inner one but for `fetch`. */
static PyObject *fetcher_getattro(PyObject *object, PyObject *name)
{
	return PyUnicode_CompareWithASCIIString(name, "fetch") == 0
		       ? PyObject_GenericGetAttr(object, name)
		       : proxy_getattro(object, name);
}

static int proxy_setattro(PyObject *object, PyObject *name, PyObject *value)
{
	return PyObject_SetAttr(((struct proxy *)object)->inner, name, value);
}

static PyObject *proxy_repr(PyObject *object)
{
	return PyObject_Repr(((struct proxy *)object)->inner);
}

static Py_ssize_t proxy_length(PyObject *object)
{
	return PyObject_Size(((struct proxy *)object)->inner);
}

static PyObject *proxy_iter(PyObject *object)
{
	return PyObject_GetIter(((struct proxy *)object)->inner);
}

static int proxy_bool(PyObject *object)
{
	return PyObject_IsTrue(((struct proxy *)object)->inner);
}

static int proxy_traverse(PyObject *object, visitproc visit, void *arg)
{
	Py_VISIT(Py_TYPE(object));
	Py_VISIT(((struct proxy *)object)->inner);
	return 0;
}

static int proxy_clear(PyObject *object)
{
	return 0; /* a cycle through here goes through the inner object too, which is cleared */
}

static void proxy_dealloc(PyObject *object)
{
	struct proxy *self = (struct proxy *)object;
	PyTypeObject *type = Py_TYPE(object);
	PyObject_GC_UnTrack(object);
	Py_DECREF(self->inner);
	Py_DECREF((PyObject *)self->span);
	PyObject_GC_Del(object);
	Py_DECREF(type);
}

static PyMethodDef fetcher_methods[] = {
	{"fetch", SM_FASTCALL(fetcher_fetch), METH_FASTCALL | METH_KEYWORDS, NULL},
	{NULL, NULL, 0, NULL},
};

#define PROXY_SLOTS                                                                                \
	{Py_tp_setattro, proxy_setattro}, {Py_tp_repr, proxy_repr},                                \
		{Py_tp_traverse, proxy_traverse}, {Py_tp_clear, proxy_clear},                      \
		{Py_tp_dealloc, proxy_dealloc},                                                    \
	{                                                                                          \
		Py_nb_bool, proxy_bool                                                             \
	}

static PyType_Slot dataset_slots[] = {
	{Py_tp_getattro, proxy_getattro},
	{Py_tp_iter, proxy_iter},
	{Py_mp_subscript, dataset_get},
	{Py_mp_length, proxy_length},
	PROXY_SLOTS,
	{0, NULL},
};
static PyType_Slot iterator_slots[] = {
	{Py_tp_getattro, proxy_getattro},
	{Py_tp_iter, PyObject_SelfIter},
	{Py_tp_iternext, iterator_next},
	PROXY_SLOTS,
	{0, NULL},
};
static PyType_Slot fetcher_slots[] = {
	{Py_tp_getattro, fetcher_getattro},
	{Py_tp_methods, fetcher_methods},
	PROXY_SLOTS,
	{0, NULL},
};

#define PROXY_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)
#define SPEC(what, name)                                                                           \
	static PyType_Spec what##_spec = {                                                         \
		"_stallmeter._record." name, sizeof(struct proxy), 0, PROXY_FLAGS, what##_slots}
SPEC(dataset, "Dataset");
SPEC(iterator, "Iterator");
SPEC(fetcher, "Fetcher");

/* ------------------------------------------------------------------------------------------------
 * factories */

static PyObject *proxy_make(
	struct sm_py_state *state, PyTypeObject *type, PyObject *inner, PyObject *span)
{
	if (!Py_IS_TYPE(span, state->span_type)) {
		return PyErr_Format(PyExc_TypeError, "span must be a span, not %R", span);
	}
	struct proxy *self = PyObject_GC_New(struct proxy, type);
	if (!self) {
		return NULL;
	}
	self->inner = Py_NewRef(inner);
	self->span = (struct sm_py_span *)Py_NewRef(span);
	self->worker = -1;
	self->sequence = 0;
	self->mean_ns = 0;
	PyObject_GC_Track((PyObject *)self);
	return (PyObject *)self;
}

static PyObject *make_dataset(PyObject *module, PyObject *args)
{
	PyObject *inner, *span;
	if (!PyArg_ParseTuple(args, "OO:dataset", &inner, &span)) {
		return NULL;
	}
	return proxy_make(sm_py_state(module), sm_py_state(module)->dataset_type, inner, span);
}

static PyObject *make_iterator(PyObject *module, PyObject *args)
{
	PyObject *inner, *span;
	if (!PyArg_ParseTuple(args, "OO:iterator", &inner, &span)) {
		return NULL;
	}
	if (!PyIter_Check(inner)) {
		return PyErr_Format(PyExc_TypeError, "%R is not an iterator", inner);
	}
	return proxy_make(sm_py_state(module), sm_py_state(module)->iterator_type, inner, span);
}

static PyObject *make_fetcher(PyObject *module, PyObject *args)
{
	PyObject *inner, *span;
	long long worker;
	if (!PyArg_ParseTuple(args, "OOL:fetcher", &inner, &span, &worker)) {
		return NULL;
	}
	PyObject *self =
		proxy_make(sm_py_state(module), sm_py_state(module)->fetcher_type, inner, span);
	if (self) {
		((struct proxy *)self)->worker = worker;
	}
	return self;
}

PyMethodDef sm_py_proxy_functions[] = {
	{"dataset", make_dataset, METH_VARARGS,
		"dataset(inner, span)\n--\n\nStands for a map-style data set; each item is a "
		"span."},
	{"iterator", make_iterator, METH_VARARGS,
		"iterator(inner, span)\n--\n\nStands for an iterator; each item is a span."},
	{"fetcher", make_fetcher, METH_VARARGS,
		"fetcher(inner, span, worker)\n--\n\nStands for torch's fetcher; each batch is a "
		"span."},
	{NULL, NULL, 0, NULL},
};

int sm_py_proxy_setup(PyObject *module, struct sm_py_state *state)
{
	state->dataset_type = sm_py_type(module, &dataset_spec, "Dataset");
	state->iterator_type = sm_py_type(module, &iterator_spec, "Iterator");
	state->fetcher_type = sm_py_type(module, &fetcher_spec, "Fetcher");
	return state->dataset_type && state->iterator_type && state->fetcher_type ? 0 : -1;
}
