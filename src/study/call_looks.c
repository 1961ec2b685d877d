/* Looks at the calling thread while it works: whose instructions it computes with, and what it waits for.
 *
 * Both are probes of the collector (probe_process_python.c, probe_process_looks.c), opened for one thread. The first needs
 * nobody beside it: the kernel leaves a record for each 10 ms of CPU in a page that is read afterwards; the page
 * holds 2.5 s of CPU, so longer passes are looked through by the second's thread, or lose their oldest part. The second needs
 * somebody who is awake while the thread sleeps, so a thread of ours is started, and only for a pass that is not timed. */
#include <stallmeter/calls.h>

#include "base/mem.h"
#include "probe/probe.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 1000 * 1000 };

enum source { PYTHON, WAITS, SOURCES };
static const char *const source_names[SOURCES] = {"process_python", "process_looks"};

static const struct {
	const char *name;
	enum sm_metric metric;
} waits_named[SM_CALL_WAITS] = {
	{"sleep", SM_METRIC_PROC_LOOKS_SLEEP}, {"lock", SM_METRIC_PROC_LOOKS_LOCK},
	{"network", SM_METRIC_PROC_LOOKS_SOCKET}, {"file", SM_METRIC_PROC_LOOKS_FILE},
	{"process", SM_METRIC_PROC_LOOKS_IDLE}, /* a pipe, so somebody at its other end */
};

struct sm_call_looks {
	const struct sm_probe *probe[SOURCES]; /* NULL: not opened */
	void *state[SOURCES];		       /* owned */
	struct sm_call_looks_count count;
	pthread_t thread;
	bool has_thread, over;
};

static void keep(void *context, enum sm_metric metric, int64_t instance, double value)
{
	struct sm_call_looks_count *count = context;
	if (metric == SM_METRIC_PROC_CPU_LOOKS) {
		count->cpu = value;
	} else if (metric == SM_METRIC_PROC_CPU_LOOKS_PYTHON) {
		count->python = value;
	}
	for (int i = 0; i < SM_CALL_WAITS; i++) {
		if (metric == waits_named[i].metric) {
			count->waits[i] = value;
		}
	}
}

static void look(struct sm_call_looks *looks, enum source source)
{
	const struct sm_probe_sink sink = {&looks->count, keep};
	if (looks->probe[source]) {
		(void)looks->probe[source]->sample(looks->state[source], &sink);
	}
}

static void *watch(void *context)
{
	struct sm_call_looks *looks = context;
	const struct timespec pause = {0, LOOK_NS};
	while (!__atomic_load_n(&looks->over, __ATOMIC_ACQUIRE)) {
		look(looks, WAITS);
		look(looks, PYTHON);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static int open_source(struct sm_call_looks *looks, enum source source, char why[SM_CALL_WHY])
{
	const struct sm_probe *probe = sm_probe_find(source_names[source]);
	void *state = sm_mem_calloc(1, probe->state_bytes);
	if (!state) {
		return -ENOMEM;
	}
	looks->state[source] = state;
	if (!probe->open(state, "", gettid(), why)) {
		looks->probe[source] = probe;
		return 0;
	}
	return 1;
}

static int start_thread(struct sm_call_looks *looks)
{
	looks->has_thread = !pthread_create(&looks->thread, NULL, watch, looks);
	return looks->has_thread ? 0 : -EAGAIN;
}

int sm_call_looks_start(struct sm_call_looks **ret_looks, int waits, char why[SM_CALL_WHY])
{
	struct sm_call_looks *looks = sm_mem_calloc(1, sizeof(*looks));
	struct sm_call_looks_count unused;
	if (!looks) {
		return -ENOMEM;
	}
	why[0] = '\0';
	int rc = open_source(looks, PYTHON, why);
	if (rc >= 0 && waits) {
		rc = open_source(looks, WAITS, why);
	}
	if (rc == 0 && waits) {
		rc = start_thread(looks);
	}
	if (rc < 0) {
		sm_call_looks_stop(looks, &unused);
		return rc;
	}
	*ret_looks = looks;
	return 0;
}

static void forget_what_was_not_seen(
	const struct sm_call_looks *looks, struct sm_call_looks_count *count)
{
	if (!looks->probe[PYTHON]) {
		count->cpu = count->python = (double)NAN;
	}
	for (int i = 0; i < SM_CALL_WAITS && !looks->has_thread; i++) {
		count->waits[i] = (double)NAN;
	}
}

void sm_call_looks_stop(struct sm_call_looks *looks, struct sm_call_looks_count *ret_count)
{
	__atomic_store_n(&looks->over, true, __ATOMIC_RELEASE);
	if (looks->has_thread) {
		pthread_join(looks->thread, NULL);
	}
	look(looks, PYTHON);
	*ret_count = looks->count;
	forget_what_was_not_seen(looks, ret_count);
	for (int i = 0; i < SOURCES; i++) {
		if (looks->probe[i]) {
			looks->probe[i]->close(looks->state[i]);
		}
		sm_mem_free(looks->state[i]);
	}
	sm_mem_free(looks);
}

const char *sm_call_looks_wait_name(int wait)
{
	return waits_named[wait].name;
}
