/* A fake accelerator: one stream that executes queued sleeps, in a thread of its own and without
 * the interpreter's lock.
 *
 * It stands in for a GPU where there is none. As there, launches return at once, events mark places
 * in the stream and can be asked about without waiting, and the host may run ahead of the device.
 * What no GPU offers: it keeps an exact log of when it stood still, so a claim about exposed stall
 * can be held against the truth.
 *
 *     launch(seconds)   queues work                  record() -> event     a place behind all that
 * is queued query(event)      whether it was passed        elapsed(a, b)         seconds between
 * two that were copy(bytes)       queues a copy at the rate    synchronize()         waits until
 * all is done passed(event)     its time, or None            busy()                [(begin, end),
 * ...] of all work so far
 *
 * Times are CLOCK_MONOTONIC in seconds. One device per process; the thread ends with it. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { QUEUE_MAX = 1 << 16, EVENTS_MAX = 1 << 20, LOG_MAX = 1 << 20 };

struct command {
	int64_t sleep_ns; /* of work; -1: an event */
	uint32_t event;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct command queue[QUEUE_MAX];
	uint64_t head, tail;	      /* next to take, next free; they only grow */
	uint64_t done;		      /* commands executed */
	int64_t event_ns[EVENTS_MAX]; /* 0: not passed */
	uint32_t event_count;
	struct {
		int64_t begin_ns, end_ns;
	} log[LOG_MAX];
	uint32_t log_count;
	double bytes_per_s;
	bool running;
} device = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, .bytes_per_s = 10e9};

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Sleeps until an instant of the device's own time line, so that late wake-ups do not add up; the
 * last stretch spins. */
static void wait_until(int64_t end_ns)
{
	int64_t early_ns = end_ns - 60000;
	struct timespec until = {early_ns / 1000000000, early_ns % 1000000000};
	while (now_ns() < early_ns) {
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
	while (now_ns() < end_ns) {
	}
}

static void work(int64_t begin_ns, int64_t sleep_ns)
{
	wait_until(begin_ns + sleep_ns);
	if (device.log_count < LOG_MAX) {
		device.log[device.log_count].begin_ns = begin_ns;
		device.log[device.log_count].end_ns = begin_ns + sleep_ns;
		device.log_count++;
	}
}

static void *stream(void *unused)
{
	int64_t free_ns = 0; /* when the work before was over, by plan */
	pthread_mutex_lock(&device.lock);
	for (;;) {
		bool idle = device.head == device.tail;
		while (device.head == device.tail) {
			pthread_cond_wait(&device.change, &device.lock);
		}
		struct command command = device.queue[device.head % QUEUE_MAX];
		int64_t begin_ns = idle || !free_ns ? now_ns() : free_ns;
		if (command.sleep_ns >= 0) {
			pthread_mutex_unlock(&device.lock);
			work(begin_ns, command.sleep_ns);
			pthread_mutex_lock(&device.lock);
			free_ns = begin_ns + command.sleep_ns;
		} else {
			device.event_ns[command.event] = begin_ns;
			free_ns = begin_ns;
		}
		device.head++;
		device.done++;
		pthread_cond_broadcast(&device.change);
	}
	return NULL;
}

static bool start_once(void)
{
	pthread_t thread;
	if (!device.running) {
		device.running = pthread_create(&thread, NULL, stream, NULL) == 0;
	}
	return device.running;
}

static PyObject *queue(struct command command)
{
	bool full;
	Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&device.lock);
	full = !start_once() || device.tail - device.head >= QUEUE_MAX;
	if (!full) {
		device.queue[device.tail++ % QUEUE_MAX] = command;
		pthread_cond_broadcast(&device.change);
	}
	pthread_mutex_unlock(&device.lock);
	Py_END_ALLOW_THREADS if (full)
	{
		PyErr_SetString(PyExc_RuntimeError, "the stream is full");
		return NULL;
	}
	Py_RETURN_NONE;
}

static PyObject *launch(PyObject *module, PyObject *seconds)
{
	double value = PyFloat_AsDouble(seconds);
	if (PyErr_Occurred()) {
		return NULL;
	}
	return queue((struct command){.sleep_ns = (int64_t)(value * 1e9)});
}

static PyObject *copy(PyObject *module, PyObject *bytes)
{
	double value = PyFloat_AsDouble(bytes);
	if (PyErr_Occurred()) {
		return NULL;
	}
	return queue((struct command){.sleep_ns = (int64_t)(value / device.bytes_per_s * 1e9)});
}

/* As on a GPU the event goes the way of all work, so on an idle stream it takes the device's time
 * to wake up. */
static PyObject *record(PyObject *module, PyObject *unused)
{
	pthread_mutex_lock(&device.lock);
	uint32_t event = device.event_count++ % EVENTS_MAX;
	device.event_ns[event] = 0;
	pthread_mutex_unlock(&device.lock);
	PyObject *queued = queue((struct command){.sleep_ns = -1, .event = event});
	if (!queued) {
		return NULL;
	}
	Py_DECREF(queued);
	return PyLong_FromUnsignedLong(event);
}

/* When the event was passed, 0 when it was not; -1 with an exception. */
static int64_t time_of(PyObject *event)
{
	unsigned long number = PyLong_AsUnsignedLong(event);
	if (PyErr_Occurred() || number >= EVENTS_MAX) {
		PyErr_SetString(PyExc_ValueError, "no such event");
		return -1;
	}
	pthread_mutex_lock(&device.lock);
	int64_t passed_ns = device.event_ns[number];
	pthread_mutex_unlock(&device.lock);
	return passed_ns;
}

static PyObject *query(PyObject *module, PyObject *event)
{
	int64_t passed_ns = time_of(event);
	return passed_ns < 0 ? NULL : PyBool_FromLong(passed_ns > 0);
}

static PyObject *passed(PyObject *module, PyObject *event)
{
	int64_t passed_ns = time_of(event);
	if (passed_ns < 0) {
		return NULL;
	}
	if (!passed_ns) {
		Py_RETURN_NONE;
	}
	return PyFloat_FromDouble((double)passed_ns / 1e9);
}

static PyObject *elapsed(PyObject *module, PyObject *args)
{
	PyObject *first, *second;
	if (!PyArg_ParseTuple(args, "OO", &first, &second)) {
		return NULL;
	}
	int64_t from_ns = time_of(first), to_ns = from_ns < 0 ? -1 : time_of(second);
	if (to_ns < 0) {
		return NULL;
	}
	if (!from_ns || !to_ns) {
		PyErr_SetString(PyExc_RuntimeError, "both events must have been passed");
		return NULL;
	}
	return PyFloat_FromDouble((double)(to_ns - from_ns) / 1e9);
}

static PyObject *synchronize(PyObject *module, PyObject *unused)
{
	Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&device.lock);
	while (device.done < device.tail) {
		pthread_cond_wait(&device.change, &device.lock);
	}
	pthread_mutex_unlock(&device.lock);
	Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyObject *pending(PyObject *module, PyObject *unused)
{
	pthread_mutex_lock(&device.lock);
	uint64_t count = device.tail - device.head;
	pthread_mutex_unlock(&device.lock);
	return PyLong_FromUnsignedLongLong(count);
}

static PyObject *busy(PyObject *module, PyObject *unused)
{
	PyObject *all = PyList_New(0);
	for (uint32_t i = 0; all && i < device.log_count; i++) {
		PyObject *one = Py_BuildValue("(dd)", (double)device.log[i].begin_ns / 1e9,
			(double)device.log[i].end_ns / 1e9);
		if (!one || PyList_Append(all, one)) {
			Py_CLEAR(all);
		}
		Py_XDECREF(one);
	}
	return all;
}

static PyMethodDef functions[] = {
	{"launch", launch, METH_O, "launch(seconds)"},
	{"copy", copy, METH_O, "copy(bytes)"},
	{"record", record, METH_NOARGS, "record() -> event"},
	{"query", query, METH_O, "query(event) -> bool"},
	{"passed", passed, METH_O, "passed(event) -> seconds or None"},
	{"elapsed", elapsed, METH_VARARGS, "elapsed(first, second) -> seconds"},
	{"synchronize", synchronize, METH_NOARGS, "synchronize()"},
	{"pending", pending, METH_NOARGS, "pending() -> commands that are not done"},
	{"busy", busy, METH_NOARGS, "busy() -> [(begin, end), ...]"},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef module_def = {PyModuleDef_HEAD_INIT, "accelerator",
	"A fake accelerator with an exact log.", -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_accelerator(void);
PyMODINIT_FUNC PyInit_accelerator(void)
{
	return PyModule_Create(&module_def);
}
