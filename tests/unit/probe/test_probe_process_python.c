/* Looks at where a thread computes: this program has no interpreter in it, so none of its looks may be Python's. */
#include "probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct seen {
	double looks, python;
};

static void keep(void *context, enum sm_metric metric, int64_t instance, double value)
{
	struct seen *seen = context;
	assert_int_equal(instance, getpid());
	*(metric == SM_METRIC_PROC_CPU_LOOKS ? &seen->looks : &seen->python) = value;
}

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void burn(double seconds)
{
	volatile double sum = 0;
	for (double end = cpu_s() + seconds; cpu_s() < end;) {
		for (int i = 0; i < 100000; i++) {
			sum = sum + i;
		}
	}
}

static void a_look_for_each_10_ms_of_cpu(void **state)
{
	const struct sm_probe *probe = sm_probe_find("process_python");
	const struct seen nothing = {0};
	struct seen seen = nothing;
	struct sm_probe_sink sink = {&seen, keep};
	char why[160];
	void *memory = calloc(1, probe->state_bytes);
	if (probe->open(memory, "", getpid(), why)) {
		free(memory); /* a container that forbids perf events */
		skip();
	}
	burn(0.3);
	assert_int_equal(probe->sample(memory, &sink), 0);
	assert_true(seen.looks >= 20 && seen.looks <= 40);
	assert_true(seen.python == 0);
	double before = seen.looks;
	burn(0.1);
	assert_int_equal(probe->sample(memory, &sink), 0);
	assert_true(seen.looks > before);
	probe->close(memory);
	free(memory);
}

static void a_picture_of_a_machine_has_no_processes(void **state)
{
	const struct sm_probe *probe = sm_probe_find("process_python");
	char why[160] = "";
	void *memory = calloc(1, probe->state_bytes);
	assert_true(probe->open(memory, "/nowhere", getpid(), why) < 0);
	assert_true(why[0]);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_for_each_10_ms_of_cpu),
		cmocka_unit_test(a_picture_of_a_machine_has_no_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
