/* What the files of `_record` share: the module's state, and a name that outlives sessions. */
#ifndef SM_PY_STATE_H
#define SM_PY_STATE_H

#include "py_compat.h"

#include <stallmeter/stallmeter.h>
#include <stdbool.h>

/* Keys that are written from C; numbers of base/vocabulary.h (tests/python/test_vocabulary.py
 * compares). */
enum {
	SM_PY_KEY_LOADER = 0,
	SM_PY_KEY_ITERATION = 1,
	SM_PY_KEY_TASK = 2,
	SM_PY_KEY_WORKER = 3,
	SM_PY_KEY_SEQUENCE = 4,
	SM_PY_KEY_INDEX = 5,
	SM_PY_KEY_COUNT = 6,
	SM_PY_KEY_BYTES = 7,
	SM_PY_KEY_INDEX_TEXT = 9,
	SM_PY_KEY_FAILED = 12,
};

/* And roles of marks, likewise. */
enum {
	SM_PY_ROLE_PUT = 4,
	SM_PY_ROLE_ARRIVE = 5,
};

/* A name as Python holds it: registered when first used in a session, and again in the next one.
 * Ids belong to a session, so the number of the session they were made in stands beside them. */
struct sm_py_name {
	char *text; /* owned; may hold a NUL between its two strings */
	uint32_t length;
	int kind; /* enum sm_name_of */
	int role;
	uint32_t id;
	uint32_t session;
};

/* One handle per name; it has no state per use, so it nests and recurses, and any number of threads
 * share it. */
struct sm_py_span {
	PyObject_HEAD struct sm_py_name name;
	PyObject *enter; /* owned; __enter__ and __exit__ bound to this handle, once: it lives for
			    ever */
	PyObject *leave;
};

struct sm_py_state {
	PyTypeObject *span_type;
	PyTypeObject *mark_type;
	PyTypeObject *wrapped_type;
	PyTypeObject *dataset_type;
	PyTypeObject *iterator_type;
	PyTypeObject *fetcher_type;
	PyTypeObject *batches_type;
	PyObject *spans;      /* dict: (name, type) -> span */
	PyObject *marks;      /* dict: name -> mark */
	PyObject *meters;     /* dict: (name, unit) -> mark, of kind SM_COUNTER */
	PyObject *failed;     /* what `after` is given when the call was left by an exception */
	PyObject *iterations; /* dict: id(iterator) -> Batches */
	PyObject *requested, *delivered; /* what watch_batches() was given, or NULL */
	struct sm_py_way {
		PyObject *name, *type; /* owned: pinned, so that an address is never used again */
		PyObject *span;
	} ways[256]; /* by the addresses of the two strings: literals are interned, so a hit is two
			compares */
};

/* 0 when there is no session; changes with each. */
extern uint32_t sm_py_session;
/* The calling thread does something that is not the program's, a trial of ours say: nothing is recorded of it. Handles of
 * names stay as they are, since spans that enclose it may have them. */
extern __thread bool sm_py_interlude __attribute__((tls_model("initial-exec")));

static inline bool sm_py_records(void)
{
	return sm_py_session && !sm_py_interlude;
}

uint32_t sm_py_name_register(struct sm_py_name *name);
/* Copies `bytes`, which may be two strings with a NUL between them. Returns 0, or -1 with an
 * exception set. */
int sm_py_name_init(
	struct sm_py_name *name, int kind, int role, const char *bytes, Py_ssize_t length);

/* One text of two, the second behind a NUL; with `second` NULL or None the first alone. New
 * reference to bytes. */
PyObject *sm_py_join(PyObject *first, PyObject *second);

void sm_py_span_failed(void); /* notes an exception other than StopIteration on the open span */

/* Calls with the arguments of a vectorcall, on every interpreter. */
PyObject *sm_py_call(PyObject *function, PyObject *const *args, size_t nargsf, PyObject *names);

int sm_py_span_setup(PyObject *module, struct sm_py_state *state);
int sm_py_wrap_setup(PyObject *module, struct sm_py_state *state);
int sm_py_proxy_setup(PyObject *module, struct sm_py_state *state);
int sm_py_loader_setup(PyObject *module, struct sm_py_state *state);
int sm_py_record_setup(PyObject *module, struct sm_py_state *state);
/* Makes the type, adds it to the module; a new reference or NULL. */
PyTypeObject *sm_py_type(PyObject *module, PyType_Spec *spec, const char *name);

extern PyMethodDef sm_py_span_functions[];
extern PyMethodDef sm_py_wrap_functions[];
extern PyMethodDef sm_py_proxy_functions[];
extern PyMethodDef sm_py_loader_functions[];
extern PyMethodDef sm_py_record_functions[];

static inline struct sm_py_state *sm_py_state(PyObject *module)
{
	return PyModule_GetState(module);
}

static inline uint32_t sm_py_name_id(struct sm_py_name *name)
{
	if (__builtin_expect(sm_py_interlude, 0)) {
		return 0;
	}
	return __builtin_expect(name->session == sm_py_session, 1) ? name->id
								   : sm_py_name_register(name);
}

/* Returns what sm_py_span_end is to be given: 0 when nothing was begun. */
static inline uint32_t sm_py_span_begin(struct sm_py_span *span)
{
	uint32_t id = sm_py_name_id(&span->name);
	if (id) {
		sm_span_begin(id);
	}
	return id;
}

static inline void sm_py_span_end(uint32_t begun)
{
	if (begun) {
		sm_span_end();
	}
}

#endif
