/* A callable that stands in for another: same name, same signature, same pickle, same traceback,
 * and a span around.
 *
 * It is written in C for one reason above speed: a wrapper in Python would be a frame, and frames
 * are seen. They stand in tracebacks, they shift what `warnings.warn(stacklevel=2)` points at, and
 * a debugger steps into them. This one leaves no frame, so what it wraps behaves to the letter as
 * before.
 *
 *     wrap(function, span, before=None, after=None, doing=0, while_doing=0)
 *
 * `before(*args)` is called first, outside the span; when it returns False this call is not
 * recorded, and a span that it returns takes the place of `span`. `after(result, *args)` is called
 * inside the span, so the numbers it gives belong to it; `result` is FAILED when the call was left
 * by an exception. What it returns, unless None, is returned in place of the result. Neither can
 * fail the call: what they raise is dropped, and counted (`trouble()`).
 *
 * `doing` is a bit: what the thread does during the call. A call that comes while its thread is
 * doing that already is a part of it, and is not recorded. With `while_doing` only calls are that
 * come while the thread does one of those things. Here and not in `before`, since a callback in
 * Python costs more than all the rest of a call.
 *
 * Attributes are those of the wrapped function: `__class__` says function, so inspect, cloudpickle
 * and Dynamo read the original's code; equality and hash are the original's, so it is found in a
 * table keyed by either. It pickles as the global name under which it stands. As an attribute of a
 * class it binds to a real bound method, whose `__func__` is the wrapper. */
#include "py_state.h"

#include <string.h>

#define ARGUMENTS_FEW 12

struct wrapped {
	PyObject_HEAD vectorcallfunc vectorcall;
	PyObject *function; /* owned */
	PyObject *span;	    /* owned, or NULL: only before and after */
	PyObject *before;   /* owned, or NULL */
	PyObject *after;    /* owned, or NULL */
	PyObject *failed;   /* owned */
	PyObject *weak;
	uint32_t doing, while_doing; /* bits of `busy_with` */
};

static __thread uint32_t busy_with; /* what this thread is doing, by its outer calls */
static int64_t trouble_count;	    /* exceptions dropped in before and after */

/* -------------------------------------------------------------------------------------------------
 * calling */

static PyObject *call_with_dict(
	PyObject *function, PyObject *const *args, size_t nargsf, PyObject *names)
{
	PyObject *dict = PyDict_New();
	Py_ssize_t positional = sm_py_nargs(nargsf);
	for (Py_ssize_t i = 0; dict && i < PyTuple_Size(names); i++) {
		if (PyDict_SetItem(dict, PyTuple_GetItem(names, i), args[positional + i])) {
			Py_CLEAR(dict);
		}
	}
	PyObject *result = dict ? PyObject_VectorcallDict(function, args, nargsf, dict) : NULL;
	Py_XDECREF(dict);
	return result;
}

PyObject *sm_py_call(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *names)
{
	if (!names) {
		return PyObject_VectorcallDict(function, args, nargsf, NULL);
	}
	return PyObject_Vectorcall ? PyObject_Vectorcall(function, args, nargsf, names)
				   : call_with_dict(function, args, nargsf, names);
}

static void drop_exception(void)
{
	PyErr_Clear();
	__atomic_fetch_add(&trouble_count, 1, __ATOMIC_RELAXED);
}

/* Whether this call is to be recorded, and under which span: *span is owned by the caller, or NULL.
 */
static bool ask_before(struct wrapped *self, PyObject *const *args, Py_ssize_t count,
	PyObject *names, PyObject **span)
{
	PyObject *answer = sm_py_call(self->before, args, (size_t)count, names);
	if (!answer) {
		drop_exception();
		return false;
	}
	if (self->span && Py_IS_TYPE(answer, Py_TYPE(self->span))) {
		Py_SETREF(*span, answer);
		return true;
	}
	bool wanted = answer != Py_False;
	Py_DECREF(answer);
	return wanted;
}

static PyObject *call_after(struct wrapped *self, PyObject *result, PyObject *const *args,
	Py_ssize_t count, PyObject *names)
{
	PyObject *few[ARGUMENTS_FEW], **given = few;
	Py_ssize_t all = count + (names ? PyTuple_Size(names) : 0);
	if (all >= ARGUMENTS_FEW) {
		given = PyMem_Malloc((size_t)(all + 1) * sizeof(*given));
		if (!given) {
			return PyErr_NoMemory();
		}
	}
	given[0] = result ? result : self->failed;
	if (all) {
		memcpy(given + 1, args, (size_t)all * sizeof(*args));
	}
	PyObject *answer = sm_py_call(self->after, given, (size_t)count + 1, names);
	if (given != few) {
		PyMem_Free(given);
	}
	return answer;
}

/* Returns the result that the caller gets: the given reference, or another. */
static PyObject *tell_after(struct wrapped *self, PyObject *result, PyObject *const *args,
	Py_ssize_t count, PyObject *names)
{
	PyObject *type, *value, *traceback;
	PyErr_Fetch(&type, &value, &traceback);
	PyObject *answer = call_after(self, result, args, count, names);
	if (!answer) {
		drop_exception();
	}
	PyErr_Restore(type, value, traceback);
	if (!answer || answer == Py_None || !result) {
		Py_XDECREF(answer);
		return result;
	}
	Py_DECREF(result);
	return answer;
}

void sm_py_span_failed(void)
{
	if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_StopIteration)) {
		sm_span_arg(SM_PY_KEY_FAILED, 1);
	}
}

static bool is_counted(const struct wrapped *self)
{
	bool is_part = busy_with & self->doing;
	bool is_its_time = !self->while_doing || (busy_with & self->while_doing);
	return sm_py_records() && !is_part && is_its_time;
}

static PyObject *wrapped_vectorcall(
	PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
	struct wrapped *self = (struct wrapped *)object;
	Py_ssize_t count = sm_py_nargs(nargsf);
	if (!is_counted(self)) {
		return sm_py_call(self->function, args, nargsf, names);
	}
	Py_INCREF(object); /* the call may take the last other reference away */
	busy_with |= self->doing;
	PyObject *span = Py_XNewRef(self->span);
	bool wanted = !self->before || ask_before(self, args, count, names, &span);
	uint32_t begun = wanted && span ? sm_py_span_begin((struct sm_py_span *)span) : 0;
	PyObject *result = sm_py_call(self->function, args, nargsf, names);
	if (!result && begun) {
		sm_py_span_failed();
	}
	if (wanted && self->after) {
		result = tell_after(self, result, args, count, names);
	}
	sm_py_span_end(begun);
	busy_with &= ~self->doing;
	Py_XDECREF(span);
	Py_DECREF(object);
	return result;
}

/* --------------------------------------------------------------------------------- behaving as the
 * function */

static PyObject *wrapped_descr_get(PyObject *self, PyObject *object, PyObject *type)
{
	return object && object != Py_None ? PyMethod_New(self, object) : Py_NewRef(self);
}

static bool is_own(PyObject *name)
{
	static const char *const own[] = {"__wrapped__", "__reduce__", "__reduce_ex__", "__get__",
		"__call__", "__eq__", "__ne__", "__hash__"};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (PyUnicode_CompareWithASCIIString(name, own[i]) == 0) {
			return true;
		}
	}
	return false;
}

static PyObject *wrapped_getattro(PyObject *object, PyObject *name)
{
	return is_own(name) ? PyObject_GenericGetAttr(object, name)
			    : PyObject_GetAttr(((struct wrapped *)object)->function, name);
}

static int wrapped_setattro(PyObject *object, PyObject *name, PyObject *value)
{
	return PyObject_SetAttr(((struct wrapped *)object)->function, name, value);
}

static PyObject *wrapped_repr(PyObject *object)
{
	return PyObject_Repr(((struct wrapped *)object)->function);
}

static Py_hash_t wrapped_hash(PyObject *object)
{
	return PyObject_Hash(((struct wrapped *)object)->function);
}

static PyObject *wrapped_compare(PyObject *object, PyObject *other, int operation)
{
	if (Py_IS_TYPE(other, Py_TYPE(object))) {
		other = ((struct wrapped *)other)->function;
	}
	return PyObject_RichCompare(((struct wrapped *)object)->function, other, operation);
}

/* Only the string form keeps the pickle's bytes: "look me up under this name", where this wrapper
 * is found. */
static PyObject *wrapped_reduce(PyObject *object, PyObject *unused)
{
	return PyObject_GetAttrString(((struct wrapped *)object)->function, "__qualname__");
}

static PyMethodDef wrapped_methods[] = {
	{"__reduce__", wrapped_reduce, METH_NOARGS, NULL},
	{"__reduce_ex__", wrapped_reduce, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};

static PyMemberDef wrapped_members[] = {
	{"__vectorcalloffset__", T_PYSSIZET, offsetof(struct wrapped, vectorcall), READONLY, NULL},
	{"__weaklistoffset__", T_PYSSIZET, offsetof(struct wrapped, weak), READONLY, NULL},
	{"__wrapped__", T_OBJECT, offsetof(struct wrapped, function), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};

/* ------------------------------------------------------------------------------------------------
 * lifetime */

static int wrapped_traverse(PyObject *object, visitproc visit, void *arg)
{
	struct wrapped *self = (struct wrapped *)object;
	Py_VISIT(Py_TYPE(object));
	Py_VISIT(self->function);
	Py_VISIT(self->before);
	Py_VISIT(self->after);
	return 0;
}

static int wrapped_clear(PyObject *object)
{
	struct wrapped *self = (struct wrapped *)object;
	Py_CLEAR(self->before);
	Py_CLEAR(self->after);
	return 0;
}

static void wrapped_dealloc(PyObject *object)
{
	struct wrapped *self = (struct wrapped *)object;
	PyTypeObject *type = Py_TYPE(object);
	PyObject_GC_UnTrack(object);
	if (self->weak) {
		PyObject_ClearWeakRefs(object);
	}
	wrapped_clear(object);
	Py_XDECREF(self->function);
	Py_XDECREF(self->span);
	Py_XDECREF(self->failed);
	PyObject_GC_Del(object);
	Py_DECREF(type);
}

static PyType_Slot wrapped_slots[] = {
	{Py_tp_call, PyVectorcall_Call},
	{Py_tp_descr_get, wrapped_descr_get},
	{Py_tp_getattro, wrapped_getattro},
	{Py_tp_setattro, wrapped_setattro},
	{Py_tp_repr, wrapped_repr},
	{Py_tp_hash, wrapped_hash},
	{Py_tp_richcompare, wrapped_compare},
	{Py_tp_methods, wrapped_methods},
	{Py_tp_members, wrapped_members},
	{Py_tp_traverse, wrapped_traverse},
	{Py_tp_clear, wrapped_clear},
	{Py_tp_dealloc, wrapped_dealloc},
	{0, NULL},
};

static PyType_Spec wrapped_spec = {
	"_stallmeter._record.Wrapped",
	sizeof(struct wrapped),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
		Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	wrapped_slots,
};

/* -------------------------------------------------------------------------------------------------
 * factory */

static PyObject *reference_or_null(PyObject *object)
{
	return object && object != Py_None ? Py_NewRef(object) : NULL;
}

static PyObject *make_wrapped(PyObject *module, PyObject *args, PyObject *keywords)
{
	static char *names[] = {
		"function", "span", "before", "after", "doing", "while_doing", NULL};
	struct sm_py_state *state = sm_py_state(module);
	PyObject *function, *span, *before = NULL, *after = NULL;
	unsigned int doing = 0, while_doing = 0;
	if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|OOII:wrap", names, &function, &span,
		    &before, &after, &doing, &while_doing)) {
		return NULL;
	}
	if (!PyCallable_Check(function)) {
		return PyErr_Format(PyExc_TypeError, "function must be callable, not %R", function);
	}
	if (span != Py_None && !Py_IS_TYPE(span, state->span_type)) {
		return PyErr_Format(PyExc_TypeError, "span must be a span or None, not %R", span);
	}
	struct wrapped *self = PyObject_GC_New(struct wrapped, state->wrapped_type);
	if (!self) {
		return NULL;
	}
	self->vectorcall = wrapped_vectorcall;
	self->function = Py_NewRef(function);
	self->span = reference_or_null(span);
	self->before = reference_or_null(before);
	self->after = reference_or_null(after);
	self->failed = Py_NewRef(state->failed);
	self->weak = NULL;
	self->doing = doing;
	self->while_doing = while_doing;
	PyObject_GC_Track((PyObject *)self);
	return (PyObject *)self;
}

static PyObject *is_wrapped(PyObject *module, PyObject *object)
{
	return PyBool_FromLong(Py_IS_TYPE(object, sm_py_state(module)->wrapped_type));
}

static PyObject *trouble(PyObject *module, PyObject *unused)
{
	return PyLong_FromLongLong(__atomic_load_n(&trouble_count, __ATOMIC_RELAXED));
}

PyMethodDef sm_py_wrap_functions[] = {
	{"wrap", SM_FASTCALL(make_wrapped), METH_VARARGS | METH_KEYWORDS,
		"wrap(function, span, before=None, after=None, doing=0, while_doing=0)\n--\n\n"
		"The function, with a span around each call."},
	{"is_wrapped", is_wrapped, METH_O, "is_wrapped(object)\n--\n\nWhether wrap() made it."},
	{"trouble", trouble, METH_NOARGS,
		"trouble()\n--\n\nExceptions raised by before and after callbacks, all dropped."},
	{NULL, NULL, 0, NULL},
};

int sm_py_wrap_setup(PyObject *module, struct sm_py_state *state)
{
	state->wrapped_type = sm_py_type(module, &wrapped_spec, "Wrapped");
	state->failed = PyObject_CallFunction((PyObject *)&PyBaseObject_Type, NULL);
	if (!state->wrapped_type || !state->failed) {
		return -1;
	}
	return PyModule_AddObjectRef(module, "FAILED", state->failed);
}
