/* Spans: `with span("decode", type="io"):`, `@span("decode")`, and the names under them.
 *
 * What makes it cheap. `with` looks up __enter__ and __exit__ on the type and binds them; for
 * methods written in C that binding allocates an object, twice per use, on 3.10 to 3.13. So the
 * type holds descriptors of our own instead, whose __get__ hands out a builtin that was bound once,
 * when the handle was made: nothing is allocated. The handle itself comes out of a cache keyed by
 * the *addresses* of the two strings: literals are interned, so a hit is two compares. The strings
 * are pinned, or an address could come back as another name.
 *
 * A handle has no state of its own per use. Begin and end are events on the calling thread, paired
 * by their order, so recursion and nesting need nothing here.
 *
 * Names live for ever, in the file as well. A program that makes names without end (an f-string
 * with a counter) gets one shared name behind the first 16384. */
#include "py_state.h"

#include <string.h>

#define NAMES_MAX  16384
#define MORE_NAMES "(more names)"

uint32_t sm_py_session;
__thread bool sm_py_interlude;

/* -------------------------------------------------------------------------------------------------
 * names */

int sm_py_name_init(
	struct sm_py_name *name, int kind, int role, const char *bytes, Py_ssize_t length)
{
	char *text = PyMem_Malloc((size_t)length + 1);
	if (!text) {
		PyErr_NoMemory();
		return -1;
	}
	memcpy(text, bytes, (size_t)length);
	text[length] = '\0';
	*name = (struct sm_py_name){
		.text = text, .length = (uint32_t)length, .kind = kind, .role = role};
	return 0;
}

uint32_t sm_py_name_register(struct sm_py_name *name)
{
	name->id = sm_py_session ? sm_name_register_role((enum sm_name_of)name->kind, name->role,
					   name->text, name->length)
				 : 0;
	name->session = sm_py_session;
	return name->id;
}

PyObject *sm_py_join(PyObject *first, PyObject *second)
{
	if (!PyUnicode_Check(first) || (second && second != Py_None && !PyUnicode_Check(second))) {
		return PyErr_Format(PyExc_TypeError, "name and type must be str, not %R", first);
	}
	PyObject *text = second && second != Py_None
				 ? PyUnicode_FromFormat("%U%c%U", first, 0, second)
				 : Py_NewRef(first);
	if (!text) {
		return NULL;
	}
	PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
	Py_DECREF(text);
	return bytes;
}

/* -------------------------------------------------------------------------------------------------
 * the type */

static PyObject *span_enter(PyObject *self, PyObject *unused)
{
	sm_py_span_begin((struct sm_py_span *)self);
	return Py_NewRef(self);
}

/* The arguments are the three of __exit__; a first one that is not None means the body failed. */
static PyObject *span_leave(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
	const struct sm_py_name *name = &((struct sm_py_span *)self)->name;
	if (name->id && name->session == sm_py_session && !sm_py_interlude) {
		if (count && args[0] != Py_None) {
			sm_span_arg(SM_PY_KEY_FAILED, 1);
		}
		sm_span_end();
	}
	Py_RETURN_NONE;
}

static PyMethodDef enter_method = {"__enter__", span_enter, METH_NOARGS, NULL};
static PyMethodDef leave_method = {"__exit__", SM_FASTCALL(span_leave), METH_FASTCALL, NULL};

static PyObject *span_make(struct sm_py_state *state, int role, PyObject *bytes)
{
	struct sm_py_span *span = PyObject_New(struct sm_py_span, state->span_type);
	if (!span) {
		return NULL;
	}
	span->name = (struct sm_py_name){0};
	span->enter = PyCFunction_New(&enter_method, (PyObject *)span);
	span->leave = PyCFunction_New(&leave_method, (PyObject *)span);
	if (!span->enter || !span->leave ||
		sm_py_name_init(
			&span->name, SM_SPAN, role, PyBytes_AsString(bytes), PyBytes_Size(bytes))) {
		return NULL; /* out of memory: the handle leaks with its cycle */
	}
	return (PyObject *)span;
}

static PyObject *span_repr(PyObject *self)
{
	return PyUnicode_FromFormat(
		"<stallmeter span '%s'>", ((struct sm_py_span *)self)->name.text);
}

/* Spans are equal where they are the same; a copy or a pickle is found again by its name. */
static PyObject *span_reduce(PyObject *self, PyObject *unused)
{
	const struct sm_py_name *name = &((struct sm_py_span *)self)->name;
	PyObject *module = PyType_GetModule(Py_TYPE(self));
	PyObject *make = module ? PyObject_GetAttrString(module, "span") : NULL;
	size_t first = strlen(name->text);
	if (!make) {
		return NULL;
	}
	return first < name->length
		       ? Py_BuildValue("N(ss)", make, name->text, name->text + first + 1)
		       : Py_BuildValue("N(s)", make, name->text);
}

/* Whether a call only makes what does the work later, in steps: a generator, a coroutine. */
static bool works_in_steps(PyObject *function)
{
	enum { GENERATOR = 0x20, COROUTINE = 0x80, ASYNC_GENERATOR = 0x200 }; /* inspect.CO_... */
	PyObject *code = PyObject_GetAttrString(function, "__code__");
	PyObject *flags = code ? PyObject_GetAttrString(code, "co_flags") : NULL;
	long bits = flags && PyLong_Check(flags) ? PyLong_AsLong(flags) : 0;
	Py_XDECREF(code);
	Py_XDECREF(flags);
	PyErr_Clear(); /* a builtin, or a callable of some class: its call does the work */
	return bits & (GENERATOR | COROUTINE | ASYNC_GENERATOR);
}

static PyObject *wrap_steps(PyObject *function, PyObject *span)
{
	PyObject *module = PyImport_ImportModule("_stallmeter.in_steps");
	PyObject *wrapped =
		module ? PyObject_CallMethod(module, "wrap", "OO", function, span) : NULL;
	Py_XDECREF(module);
	return wrapped;
}

/* As a decorator. What it makes behaves as the function does: py_wrap.c. */
static PyObject *span_call(PyObject *self, PyObject *args, PyObject *keywords)
{
	PyObject *function;
	if (!PyArg_ParseTuple(args, "O:span", &function)) {
		return NULL;
	}
	if (works_in_steps(function)) {
		return wrap_steps(function, self);
	}
	PyObject *module = PyType_GetModule(Py_TYPE(self));
	PyObject *made = module ? PyObject_GetAttrString(module, "wrap") : NULL;
	PyObject *wrapped = made ? PyObject_CallFunctionObjArgs(made, function, self, NULL) : NULL;
	Py_XDECREF(made);
	return wrapped;
}

static PyMethodDef span_methods[] = {
	{"__reduce__", span_reduce, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot span_slots[] = {
	{Py_tp_repr, span_repr},
	{Py_tp_call, span_call},
	{Py_tp_methods, span_methods},
	{Py_tp_doc,
		"A named span: a context manager and a decorator. Made by span(name, type=None)."},
	{0, NULL},
};

static PyType_Spec span_spec = {
	"_stallmeter._record.Span",
	sizeof(struct sm_py_span),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	span_slots,
};

/* -------------------------------------------------------------------------- what `with` finds on
 * the type */

struct bound_once {
	PyObject_HEAD Py_ssize_t offset; /* of the builtin in the handle */
};

static PyObject *bound_once_get(PyObject *self, PyObject *object, PyObject *type)
{
	if (!object) {
		return Py_NewRef(self);
	}
	PyObject **member = (void *)((char *)object + ((struct bound_once *)self)->offset);
	return Py_NewRef(*member);
}

static PyType_Slot bound_once_slots[] = {{Py_tp_descr_get, bound_once_get}, {0, NULL}};
static PyType_Spec bound_once_spec = {
	"_stallmeter._record.BoundOnce",
	sizeof(struct bound_once),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	bound_once_slots,
};

static int bind_once(
	PyTypeObject *descriptor, PyTypeObject *span_type, const char *name, size_t offset)
{
	struct bound_once *bound = PyObject_New(struct bound_once, descriptor);
	if (!bound) {
		return -1;
	}
	bound->offset = (Py_ssize_t)offset;
	int failed = PyObject_SetAttrString((PyObject *)span_type, name, (PyObject *)bound);
	Py_DECREF(bound);
	return failed;
}

/* ------------------------------------------------------------------------------------------------
 * factories */

/* Makes the handle and files it under `key` for ever. Borrowed. */
static PyObject *span_file(struct sm_py_state *state, PyObject *key, PyObject *bytes)
{
	PyObject *span = bytes ? span_make(state, 0, bytes) : NULL;
	bool filed = span && PyDict_SetItem(state->spans, key, span) == 0;
	Py_XDECREF(span);
	return filed ? span : NULL;
}

/* The one handle of all names behind the limit. Borrowed. */
static PyObject *span_of_more(struct sm_py_state *state)
{
	PyObject *span = PyDict_GetItemWithError(state->spans, Py_None);
	if (span || PyErr_Occurred()) {
		return span;
	}
	PyObject *bytes = PyBytes_FromString(MORE_NAMES);
	span = span_file(state, Py_None, bytes);
	Py_XDECREF(bytes);
	return span;
}

/* The handle of (name, type), made at the first use. Borrowed. */
static PyObject *span_find(struct sm_py_state *state, PyObject *name, PyObject *type)
{
	PyObject *key = PyTuple_Pack(2, name, type);
	PyObject *span = key ? PyDict_GetItemWithError(state->spans, key) : NULL;
	if (!span && key && !PyErr_Occurred()) {
		PyObject *bytes = sm_py_join(name, type);
		bool full = PyDict_Size(state->spans) >= NAMES_MAX;
		span = !bytes ? NULL : full ? span_of_more(state) : span_file(state, key, bytes);
		Py_XDECREF(bytes);
	}
	Py_XDECREF(key);
	return span;
}

static PyObject *span_cached(struct sm_py_state *state, PyObject *name, PyObject *type)
{
	size_t hash = ((uintptr_t)name >> 4 ^ (uintptr_t)type >> 6) & 255;
	struct sm_py_way *way = &state->ways[hash];
	if (__builtin_expect(way->name == name && way->type == type, 1)) {
		return Py_NewRef(way->span);
	}
	PyObject *span = span_find(state, name, type);
	if (!span) {
		return NULL;
	}
	struct sm_py_way old = *way;
	*way = (struct sm_py_way){Py_NewRef(name), Py_NewRef(type), Py_NewRef(span)};
	Py_XDECREF(old.name);
	Py_XDECREF(old.type);
	Py_XDECREF(old.span);
	return Py_NewRef(span);
}

static PyObject *wrong_span_arguments(void)
{
	PyErr_SetString(PyExc_TypeError,
		"span() takes a name and, optionally, a type: span(name, type=None)");
	return NULL;
}

/* span(name, type=None) */
static PyObject *make_span(
	PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
	PyObject *given[2] = {NULL, Py_None};
	Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
	if (count > 2 || count + named > 2) {
		return wrong_span_arguments();
	}
	for (Py_ssize_t i = 0; i < count; i++) {
		given[i] = args[i];
	}
	for (Py_ssize_t i = 0; i < named; i++) {
		PyObject *keyword = PyTuple_GetItem(keywords, i);
		int place = PyUnicode_CompareWithASCIIString(keyword, "type") == 0   ? 1
			    : PyUnicode_CompareWithASCIIString(keyword, "name") == 0 ? 0
										     : -1;
		if (place < count) {
			return wrong_span_arguments();
		}
		given[place] = args[count + i];
	}
	return given[0] ? span_cached(sm_py_state(module), given[0], given[1])
			: wrong_span_arguments();
}

/* span_role(role, text, second=None): for adapters. A new handle each time; the caller keeps it. */
static PyObject *make_span_role(PyObject *module, PyObject *args)
{
	int role;
	PyObject *text, *second = Py_None;
	if (!PyArg_ParseTuple(args, "iO|O:span_role", &role, &text, &second)) {
		return NULL;
	}
	PyObject *bytes = sm_py_join(text, second);
	PyObject *span = bytes ? span_make(sm_py_state(module), role, bytes) : NULL;
	Py_XDECREF(bytes);
	return span;
}

PyMethodDef sm_py_span_functions[] = {
	{"span", SM_FASTCALL(make_span), METH_FASTCALL | METH_KEYWORDS,
		"span(name, type=None)\n--\n\nThe span of that name: `with span(\"decode\"):` or "
		"`@span(\"decode\")`."},
	{"span_role", make_span_role, METH_VARARGS,
		"span_role(role, text, second=None)\n--\n\nA span for an adapter; each call makes "
		"a new handle."},
	{NULL, NULL, 0, NULL},
};

int sm_py_span_setup(PyObject *module, struct sm_py_state *state)
{
	PyTypeObject *descriptor =
		(PyTypeObject *)PyType_FromModuleAndSpec(module, &bound_once_spec, NULL);
	state->spans = PyDict_New();
	state->span_type = sm_py_type(module, &span_spec, "Span");
	int failed = !descriptor || !state->spans || !state->span_type ||
		     bind_once(descriptor, state->span_type, "__enter__",
			     offsetof(struct sm_py_span, enter)) ||
		     bind_once(descriptor, state->span_type, "__exit__",
			     offsetof(struct sm_py_span, leave));
	Py_XDECREF(descriptor);
	return failed ? -1 : 0;
}
