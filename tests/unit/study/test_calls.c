/* What a call costs, what it is found waiting for, and what the machine takes: measured on calls whose nature is known. */
#include "base/mem.h"

#include <stallmeter/calls.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { A_WHILE_NS = 20 * 1000 * 1000, SLEEP_US = 20 * 1000, FRESH_PAGES = 256 };

/* By its own clock: of the wall's, other programs take a part. Few looks at it, since looks at the CPU see no system call. */
static void spin(int64_t cpu_ns)
{
	volatile uint64_t work = 0;
	struct timespec now, begin;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	do {
		for (int i = 0; i < 10000; i++) {
			work = work + 1;
		}
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < cpu_ns);
}

static void spin_a_while(void)
{
	spin(A_WHILE_NS);
}

static void sleep_a_while(void)
{
	usleep(SLEEP_US);
}

static void touch_fresh_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *pages = sm_mem_map(FRESH_PAGES * page);
	assert_non_null((void *)(uintptr_t)pages);
	for (size_t i = 0; i < FRESH_PAGES; i++) {
		pages[i * page] = 1;
	}
	sm_mem_unmap((void *)(uintptr_t)pages, FRESH_PAGES * page);
}

static struct sm_call_cost cost_of(void (*body)(void))
{
	struct sm_call_meter *meter;
	struct sm_call_cost cost;
	assert_int_equal(sm_call_meter_open(&meter), 0);
	sm_call_meter_begin(meter);
	body();
	sm_call_meter_end(meter, &cost);
	sm_call_meter_close(meter);
	return cost;
}

static void test_a_call_that_computes(void **state)
{
	struct sm_call_cost cost = cost_of(spin_a_while);
	assert_true(cost.cpu_s >= A_WHILE_NS * 1e-9 && cost.cpu_s <= cost.wall_s);
	if (!isnan(cost.run_delay_s)) {
		assert_true(
			fabs(cost.cpu_s + cost.run_delay_s + cost.blocked_s - cost.wall_s) < 1e-9);
	}
}

static void test_a_call_that_waits(void **state)
{
	struct sm_call_cost cost = cost_of(sleep_a_while);
	assert_true(cost.wall_s >= SLEEP_US * 1e-6);
	assert_true(cost.cpu_s < SLEEP_US * 1e-6 / 2);
	assert_true(cost.blocked_s > SLEEP_US * 1e-6 / 2);
}

static void test_a_call_that_touches_fresh_memory(void **state)
{
	assert_true(cost_of(touch_fresh_memory).minor_faults >= 1);
#if !defined(__SANITIZE_THREAD__) /* whose shadow of a page is several pages more */
	assert_true(cost_of(touch_fresh_memory).minor_faults <= FRESH_PAGES * 1.5);
#endif
}

static void test_one_meter_serves_many_calls_one_after_the_other(void **state)
{
	struct sm_call_meter *meter;
	struct sm_call_cost first, second;
	assert_int_equal(sm_call_meter_open(&meter), 0);
	sm_call_meter_begin(meter);
	spin_a_while();
	sm_call_meter_end(meter, &first);
	sm_call_meter_begin(meter);
	sm_call_meter_end(meter, &second);
	sm_call_meter_close(meter);
	assert_true(second.cpu_s < first.cpu_s / 2);
	sm_call_meter_close(NULL);
}

static void test_looks_find_what_it_waits_for(void **state)
{
	struct sm_call_looks *looks;
	struct sm_call_looks_count count;
	char why[SM_CALL_WHY];
	assert_int_equal(sm_call_looks_start(&looks, 1, why), 0);
	for (int i = 0; i < 10; i++) {
		sleep_a_while();
	}
	sm_call_looks_stop(looks, &count);
	assert_string_equal(sm_call_looks_wait_name(0), "sleep");
	if (isnan(count.waits[0])) {
		assert_true(why[0]); /* a kernel that tells nobody */
		return;
	}
	assert_true(count.waits[0] >= 10);
	for (int i = 1; i < SM_CALL_WAITS; i++) {
		assert_true(count.waits[i] < count.waits[0]);
	}
}

static void test_looks_count_cpu_outside_any_python(void **state)
{
	struct sm_call_looks *looks;
	struct sm_call_looks_count count;
	char why[SM_CALL_WHY];
	assert_int_equal(sm_call_looks_start(&looks, 0, why), 0);
	spin(10 * (int64_t)A_WHILE_NS);
	sm_call_looks_stop(looks, &count);
	assert_true(isnan(count.waits[0]));
	if (isnan(count.cpu)) {
		assert_true(why[0]);
		return;
	}
	assert_true(count.cpu >= 10 && count.cpu <= 30); /* 200 ms, one for each 10 */
	assert_true(count.python == 0);
}

static void test_a_page_fault_has_a_price(void **state)
{
	struct sm_call_range small, huge;
	assert_int_equal(sm_call_machine_fault(0, &small), 0);
	assert_true(small.low > 0 && small.low <= small.middle && small.middle <= small.high);
	assert_true(small.middle < 1e-3);
	double huge_bytes = sm_call_machine_huge_bytes();
	int rc = sm_call_machine_fault(1, &huge);
	if (isnan(huge_bytes)) {
		assert_int_equal(rc, -ENOTSUP);
	} else {
		assert_int_equal(rc, 0);
		assert_true(huge_bytes > (double)sysconf(_SC_PAGESIZE));
		assert_true(huge.low > small.low); /* five hundred pages are cleared */
	}
}

static void test_a_pass_grows_with_what_is_passed(void **state)
{
	double small = 0, large = 0, beyond = 0;
	assert_int_equal(sm_call_machine_pass(1 << 16, &small), 0);
	assert_int_equal(sm_call_machine_pass(1 << 24, &large), 0);
	assert_int_equal(sm_call_machine_pass(0, &beyond), 0);
	assert_true(small > 0 && large > small);
	assert_true(beyond < small);
}

static void test_no_memory_is_said(void **state)
{
	struct sm_call_meter *meter;
	struct sm_call_looks *looks;
	char why[SM_CALL_WHY];
	double seconds;
	sm_mem_fail_at(1);
	assert_int_equal(sm_call_meter_open(&meter), -ENOMEM);
	for (int n = 1; n <= 3; n++) {
		sm_mem_fail_at(n);
		assert_int_equal(sm_call_looks_start(&looks, 1, why), -ENOMEM);
	}
	for (int n = 1; n <= 2; n++) {
		sm_mem_fail_at(n);
		assert_int_equal(sm_call_machine_pass(100, &seconds), -ENOMEM);
	}
	sm_mem_fail_at(0);
}

/* The door, from outside: JSON with the rules of calls and no other. */
static void test_the_door(void **state)
{
	struct sm_calls calls = {0};
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	calls.name = "augment";
	calls.need_s = 0.01;
	calls.cpu_s = calls.cpu_low_s = calls.cpu_high_s = 0.01;
	calls.usable_cpus = 2;
	assert_int_equal(sm_study_judge_calls(&calls, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "\"SM201\""));
	assert_non_null(strstr(text, "\"passed\""));
	assert_null(strstr(text, "SM105"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_that_computes),
		cmocka_unit_test(test_a_call_that_waits),
		cmocka_unit_test(test_a_call_that_touches_fresh_memory),
		cmocka_unit_test(test_one_meter_serves_many_calls_one_after_the_other),
		cmocka_unit_test(test_looks_find_what_it_waits_for),
		cmocka_unit_test(test_looks_count_cpu_outside_any_python),
		cmocka_unit_test(test_a_page_fault_has_a_price),
		cmocka_unit_test(test_a_pass_grows_with_what_is_passed),
		cmocka_unit_test(test_no_memory_is_said),
		cmocka_unit_test(test_the_door),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
