/* What is worth an alert, from samples and a clock of our own. A second of watching is ten rounds of 100 ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/watch.h"

#include <math.h>
#include <unistd.h>

#define MS  1000000LL
#define GIB 1073741824.0

static struct sm_watch watch;
static int64_t now_ns;
static double cpu_s[2][2]; /* of two CPUs: busy, idle */
static int first_cpu;
static struct sm_watch_alert last[SM_WATCH_KIND_COUNT];
static int begins[SM_WATCH_KIND_COUNT], ends[SM_WATCH_KIND_COUNT];

static int start(void **state)
{
	sm_watch_init(&watch, 0.8, 0.9, -1); /* nobody says where that may run: both CPUs count */
	assert_false(watch.cpus_known);
	first_cpu = 0;
	now_ns = 1000 * MS;
	for (int i = 0; i < SM_WATCH_KIND_COUNT; i++) {
		begins[i] = ends[i] = 0;
	}
	return 0;
}

static int judge(void)
{
	struct sm_watch_alert alerts[SM_WATCH_KIND_COUNT];
	now_ns += 100 * MS;
	int count = sm_watch_judge(&watch, now_ns, alerts);
	for (int i = 0; i < count; i++) {
		last[alerts[i].kind] = alerts[i];
		(alerts[i].begins ? begins : ends)[alerts[i].kind]++;
	}
	return count;
}

static void none_but(enum sm_watch_kind kind)
{
	for (int i = 0; i < SM_WATCH_KIND_COUNT; i++) {
		assert_true(i == (int)kind || (!begins[i] && !watch.one[i].judged));
	}
}

/* --- memory --- */

static void machine(double available_gib)
{
	sm_watch_sample(&watch, SM_METRIC_MEM_TOTAL, 0, 10 * GIB);
	sm_watch_sample(&watch, SM_METRIC_MEM_AVAILABLE, 0, available_gib * GIB);
}

static void group(double used_gib, double cache_gib, double limit_gib)
{
	sm_watch_sample(&watch, SM_METRIC_GROUP_MEM, 0, used_gib * GIB);
	sm_watch_sample(&watch, SM_METRIC_GROUP_CACHE, 0, cache_gib * GIB);
	sm_watch_sample(&watch, SM_METRIC_GROUP_MEM_LIMIT, 0, limit_gib * GIB);
}

static void memory_of_the_machine(void **state)
{
	machine(3);
	assert_int_equal(judge(), 0);
	machine(1.5);
	assert_int_equal(judge(), 1);
	assert_int_equal(last[SM_WATCH_MEMORY].kind, SM_WATCH_MEMORY);
	assert_true(last[SM_WATCH_MEMORY].begins);
	assert_true(fabs(last[SM_WATCH_MEMORY].value - 0.85) < 1e-9);
	assert_true(last[SM_WATCH_MEMORY].threshold == 0.8);
	none_but(SM_WATCH_MEMORY);
	for (int i = 0; i < 61; i++) {
		machine(9);
		judge();
	}
	assert_int_equal(ends[SM_WATCH_MEMORY], 1);
	assert_false(last[SM_WATCH_MEMORY].begins);
}

static void a_limit_counts_before_the_machine_and_cache_does_not(void **state)
{
	machine(0.1); /* others may fill it */
	group(3.9, 3, 4);
	assert_int_equal(judge(), 0);
	group(3.9, 0.5, 4);
	assert_int_equal(judge(), 1);
	assert_true(fabs(last[SM_WATCH_MEMORY].value - 0.85) < 1e-9);
}

static void a_group_without_a_limit_leaves_it_to_the_machine(void **state)
{
	sm_watch_sample(&watch, SM_METRIC_GROUP_MEM, 0, 100 * GIB);
	machine(5);
	assert_int_equal(judge(), 0);
	assert_true(watch.one[SM_WATCH_MEMORY].judged);
}

static void without_a_source_nothing_is_judged(void **state)
{
	for (int i = 0; i < 100; i++) {
		assert_int_equal(judge(), 0);
	}
	sm_watch_sample(&watch, SM_METRIC_MEM_TOTAL, 0, GIB); /* what is available, nobody says */
	assert_int_equal(judge(), 0);
	for (int i = 0; i < SM_WATCH_KIND_COUNT; i++) {
		assert_false(watch.one[i].judged);
	}
}

/* --- devices --- */

static void device(int index, double used_gib)
{
	sm_watch_sample(&watch, SM_METRIC_GPU_MEM, index, used_gib * GIB);
	sm_watch_sample(&watch, SM_METRIC_GPU_MEM_TOTAL, index, 10 * GIB);
}

static void the_fullest_device_decides(void **state)
{
	device(0, 2);
	device(1, 8.9);
	assert_int_equal(judge(), 0);
	device(0, 2);
	device(1, 9.5);
	assert_int_equal(judge(), 1);
	assert_true(fabs(last[SM_WATCH_GPU_MEMORY].value - 0.95) < 1e-9);
	none_but(SM_WATCH_GPU_MEMORY);
	device(-1, 9); /* what no device can be */
	device(SM_WATCH_GPUS_MAX, 9);
	assert_int_equal(judge(), 0);
}

/* --- CPU --- */

/* One round in which the CPUs were busy for these shares of it. */
static void cpus(double first, double second)
{
	const double busy[2] = {first, second};
	for (int cpu = 0; cpu < 2; cpu++) {
		cpu_s[cpu][0] += 0.1 * busy[cpu];
		cpu_s[cpu][1] += 0.1 * (1 - busy[cpu]);
		sm_watch_sample(&watch, SM_METRIC_CPU_USER, first_cpu + cpu, cpu_s[cpu][0] * 0.75);
		sm_watch_sample(
			&watch, SM_METRIC_CPU_SYSTEM, first_cpu + cpu, cpu_s[cpu][0] * 0.25);
		sm_watch_sample(&watch, SM_METRIC_CPU_IDLE, first_cpu + cpu, cpu_s[cpu][1]);
	}
	judge();
}

static void saturated_for_three_seconds(void **state)
{
	for (int i = 0; i < 30; i++) {
		cpus(1, 0.98);
	}
	assert_int_equal(begins[SM_WATCH_CPU], 0); /* the first sample opens the first window */
	cpus(1, 0.98);
	assert_int_equal(begins[SM_WATCH_CPU], 1);
	assert_true(fabs(last[SM_WATCH_CPU].value - 0.99) < 0.001);
	none_but(SM_WATCH_CPU);
	for (int i = 0; i < 71; i++) {
		cpus(0.3, 0.3);
	}
	assert_int_equal(ends[SM_WATCH_CPU], 1);
}

static void one_busy_cpu_of_two_is_no_saturation(void **state)
{
	for (int i = 0; i < 100; i++) {
		cpus(1, 0.2);
	}
	assert_int_equal(begins[SM_WATCH_CPU], 0);
	assert_true(watch.one[SM_WATCH_CPU].judged);
}

/* This process, pinned to the first CPU that it may use. */
static void pin(cpu_set_t *ret_before)
{
	cpu_set_t one;
	assert_int_equal(sched_getaffinity(0, sizeof(*ret_before), ret_before), 0);
	for (first_cpu = 0; !CPU_ISSET((size_t)first_cpu, ret_before);) {
		first_cpu++;
	}
	CPU_ZERO(&one);
	CPU_SET((size_t)first_cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void it_is_where_the_job_may_run_on_no_other(void **state)
{
	cpu_set_t before;
	pin(&before);
	sm_watch_init(&watch, 0.8, 0.9, getpid());
	for (int i = 0; i < 31; i++) {
		cpus(1, 0.2);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(begins[SM_WATCH_CPU], 1);
}

/* The sums of one CPU and of two have nothing to do with each other: no window may reach across. */
static void it_may_be_pinned_while_it_runs(void **state)
{
	cpu_set_t one, before;
	pin(&before);
	sched_getaffinity(0, sizeof(one), &one);
	sched_setaffinity(0, sizeof(before), &before);
	sm_watch_init(&watch, 0.8, 0.9, getpid());
	cpu_s[1][0] += 100000; /* the second was busy for days */
	for (int i = 0; i < 400; i++) {
		if (i % 25 == 0) {
			sched_setaffinity(0, sizeof(one), i % 50 ? &before : &one);
		}
		cpus(0.5, 0.5);
		assert_false(watch.one[SM_WATCH_CPU].state.crossing);
	}
	assert_true(watch.one[SM_WATCH_CPU].judged);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < 60; i++) {
		cpus(1, 0.2);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(begins[SM_WATCH_CPU], 1);
}

/* A quota of half a core, all used, on a machine that is idle otherwise. */
static void a_quota_that_is_used_up(void **state)
{
	for (int i = 0; i < 31; i++) {
		sm_watch_sample(&watch, SM_METRIC_GROUP_CPU, 0, 0.05 * i);
		sm_watch_sample(&watch, SM_METRIC_GROUP_CPU_LIMIT, 0, 0.5);
		cpus(0.25, 0.25);
	}
	assert_int_equal(begins[SM_WATCH_CPU], 1);
	assert_true(fabs(last[SM_WATCH_CPU].value - 1) < 1e-6);
}

static void clocks_that_run_backwards_say_nothing(void **state)
{
	for (int i = 0; i < 100; i++) {
		sm_watch_sample(&watch, SM_METRIC_CPU_USER, 0, 1000 - i);
		sm_watch_sample(&watch, SM_METRIC_CPU_IDLE, 0, 1);
		judge();
	}
	assert_int_equal(begins[SM_WATCH_CPU], 0);
}

/* --- I/O --- */

static double stalled_s;

/* The kernel is asked once a second, in the last of ten rounds. */
static void second_of_waiting(double share)
{
	stalled_s += share;
	for (int i = 0; i < 10; i++) {
		if (i == 9) {
			sm_watch_sample(&watch, SM_METRIC_PRESSURE_IO_SOME, 0, stalled_s);
		}
		judge();
	}
}

static void waiting_for_disks(void **state)
{
	second_of_waiting(0.9); /* only opens the window */
	second_of_waiting(0.4);
	second_of_waiting(0.4);
	assert_int_equal(begins[SM_WATCH_IO], 0);
	second_of_waiting(0.4);
	assert_int_equal(begins[SM_WATCH_IO], 1);
	assert_true(fabs(last[SM_WATCH_IO].value - 0.4) < 1e-6);
	none_but(SM_WATCH_IO);
	for (int i = 0; i < 6; i++) {
		second_of_waiting(0.05);
	}
	assert_int_equal(ends[SM_WATCH_IO], 1);
}

static void a_short_wait_is_no_alert(void **state)
{
	for (int i = 0; i < 20; i++) {
		second_of_waiting(i % 3 ? 0.5 : 0.1);
	}
	assert_int_equal(begins[SM_WATCH_IO], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_of_the_machine, start),
		cmocka_unit_test_setup(a_limit_counts_before_the_machine_and_cache_does_not, start),
		cmocka_unit_test_setup(a_group_without_a_limit_leaves_it_to_the_machine, start),
		cmocka_unit_test_setup(without_a_source_nothing_is_judged, start),
		cmocka_unit_test_setup(the_fullest_device_decides, start),
		cmocka_unit_test_setup(saturated_for_three_seconds, start),
		cmocka_unit_test_setup(one_busy_cpu_of_two_is_no_saturation, start),
		cmocka_unit_test_setup(it_is_where_the_job_may_run_on_no_other, start),
		cmocka_unit_test_setup(it_may_be_pinned_while_it_runs, start),
		cmocka_unit_test_setup(a_quota_that_is_used_up, start),
		cmocka_unit_test_setup(clocks_that_run_backwards_say_nothing, start),
		cmocka_unit_test_setup(waiting_for_disks, start),
		cmocka_unit_test_setup(a_short_wait_is_no_alert, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
