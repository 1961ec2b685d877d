/* The limited API of CPython 3.10, and the five names that it lacks.
 *
 * One binary must load on 3.10 to 3.13, so Python.h is read with Py_LIMITED_API 3.10. Calling by
 * vectorcall is missing from that, though every interpreter since 3.9 exports what is declared here
 * (checked by name on 3.10.13, 3.11.2, 3.11.7, 3.12.1 and 3.13.0, and by
 * tests/python/test_record.py on those that are present). 3.10 alone has PyObject_Vectorcall inline
 * only: there the weak symbol is NULL and keywords travel in a dict.
 *
 * Built with headers newer than 3.11 a limited binary is not safe on older interpreters (immortal
 * reference counts): python/meson.build refuses those. */
#ifndef SM_PY_COMPAT_H
#define SM_PY_COMPAT_H

#ifndef SM_PY_FULL_API /* for measuring what the limited API costs: bench/python_span.py */
#define Py_LIMITED_API 0x030A0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <structmember.h>

#if defined(Py_LIMITED_API)
typedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *);

PyAPI_FUNC(PyObject *) PyVectorcall_Call(PyObject *callable, PyObject *tuple, PyObject *dict);
PyAPI_FUNC(PyObject *) PyObject_VectorcallDict(
	PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *dict);
PyAPI_FUNC(PyObject *) PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
	PyObject *names) __attribute__((weak));
PyAPI_FUNC(PyObject *) PyMethod_New(PyObject *function, PyObject *self);

#define Py_TPFLAGS_HAVE_VECTORCALL     (1UL << 11)
#define PyTuple_GET_ITEM(tuple, i)     PyTuple_GetItem(tuple, i)
#define PY_VECTORCALL_ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))
#endif

#define SM_FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

#ifndef Py_SETREF
#define Py_SETREF(place, value)                                                                    \
	do {                                                                                       \
		PyObject *old = (PyObject *)(place);                                               \
		(place) = (value);                                                                 \
		Py_DECREF(old);                                                                    \
	} while (0)
#endif

#ifndef Py_XSETREF
#define Py_XSETREF(place, value)                                                                   \
	do {                                                                                       \
		PyObject *old = (PyObject *)(place);                                               \
		(place) = (value);                                                                 \
		Py_XDECREF(old);                                                                   \
	} while (0)
#endif

/* The count in the argument `nargsf` of a vectorcall. */
static inline Py_ssize_t sm_py_nargs(size_t nargsf)
{
	return (Py_ssize_t)(nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET);
}

#endif
