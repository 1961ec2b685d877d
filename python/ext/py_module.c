/* The module `_stallmeter._record`.
 *
 * One interpreter per process: recording is per thread and would work in any, but the caches here
 * rely on one GIL. A subinterpreter that has its own GIL, and a free-threaded build, are refused by
 * the module's slots; a free-threaded interpreter cannot load an abi3 file in the first place.
 * There `_stallmeter` says so and records nothing. */
#include "py_state.h"

#include <stdio.h>

PyTypeObject *sm_py_type(PyObject *module, PyType_Spec *spec, const char *name)
{
	PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
	if (type && PyModule_AddObjectRef(module, name, type)) {
		Py_CLEAR(type);
	}
	return (PyTypeObject *)type;
}

static int add_functions(PyObject *module)
{
	PyMethodDef *const tables[] = {sm_py_span_functions, sm_py_wrap_functions,
		sm_py_proxy_functions, sm_py_loader_functions, sm_py_record_functions};
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (PyModule_AddFunctions(module, tables[i])) {
			return -1;
		}
	}
	return 0;
}

static int module_exec(PyObject *module)
{
	struct sm_py_state *state = sm_py_state(module);
	return sm_py_span_setup(module, state) || sm_py_wrap_setup(module, state) ||
			       sm_py_proxy_setup(module, state) ||
			       sm_py_loader_setup(module, state) ||
			       sm_py_record_setup(module, state) || add_functions(module)
		       ? -1
		       : 0;
}

static PyModuleDef_Slot module_slots[] = {
	{Py_mod_exec, module_exec},
	{0, NULL},
};

/* No m_free: handles are for ever, and so is the module. */
static struct PyModuleDef module_def = {
	PyModuleDef_HEAD_INIT,
	.m_name = "_record",
	.m_doc = "The recorder of stallmeter: see stallmeter/stallmeter.h.",
	.m_size = sizeof(struct sm_py_state),
	.m_slots = module_slots,
};

/* Headers of 3.12 and later compile the counting of immortal objects into us, which 3.10 and 3.11
 * do not have. */
static bool is_too_old(const char *running)
{
	int minor = 0;
	return PY_VERSION_HEX >= 0x030C0000 && sscanf(running, "3.%d", &minor) == 1 && minor < 12;
}

PyMODINIT_FUNC PyInit__record(void);
PyMODINIT_FUNC PyInit__record(void)
{
	if (is_too_old(Py_GetVersion())) {
		PyErr_SetString(PyExc_ImportError, "built for Python 3.12 and later");
		return NULL;
	}
	return PyModuleDef_Init(&module_def);
}
