/* Values and rates, worked out by hand. */
#include "live/gauges.h"

#include "base/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)

static void sample(
	struct sm_gauges *gauges, double at_s, int metric, int64_t instance, double value)
{
	const int64_t time_ns = (int64_t)(at_s * (double)SECOND_NS);
	const uint16_t id = (uint16_t)metric;
	const struct sm_trace_samples one = {1, &time_ns, &id, &instance, &value};
	assert_int_equal(sm_gauges_add(gauges, &one), 0);
}

static void assert_near(double got, double wanted)
{
	if (!(fabs(got - wanted) < 1e-9)) {
		fail_msg("%.12g instead of %.12g", got, wanted);
	}
}

/* One core up to 50 s, half a core since: the last ten seconds know only the half. */
static void test_a_rate_is_of_the_last_seconds(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	assert_true(isnan(sm_gauges_rate(&gauges, SM_METRIC_PROC_CPU, 7)));
	for (int tenth = 0; tenth <= 600; tenth++) {
		double at_s = tenth * 0.1;
		sample(&gauges, at_s, SM_METRIC_PROC_CPU, 7,
			at_s < 50 ? at_s : 50 + (at_s - 50) / 2);
	}
	assert_near(sm_gauges_rate(&gauges, SM_METRIC_PROC_CPU, 7), 0.5);
	assert_near(sm_gauges_value(&gauges, SM_METRIC_PROC_CPU, 7), 55);
	assert_true(isnan(sm_gauges_rate(&gauges, SM_METRIC_PROC_CPU, 8)));
	sm_gauges_finish(&gauges);
}

/* Sampled every fifteen seconds: the window holds one sample, and the one before is taken too. */
static void test_a_slow_counter_has_a_rate(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	sample(&gauges, 0, SM_METRIC_SWAP_IN, 0, 100);
	assert_true(isnan(sm_gauges_rate(&gauges, SM_METRIC_SWAP_IN, 0)));
	sample(&gauges, 15, SM_METRIC_SWAP_IN, 0, 130);
	assert_near(sm_gauges_rate(&gauges, SM_METRIC_SWAP_IN, 0), 2);
	sm_gauges_finish(&gauges);
}

static void test_who_is_gone_is_not_counted(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	for (int second = 0; second <= 100; second++) {
		sample(&gauges, second, SM_METRIC_PROC_CPU, 1, second);
		if (second <= 50) {
			sample(&gauges, second, SM_METRIC_PROC_CPU, 2, second);
			sample(&gauges, second, SM_METRIC_PROC_RSS, 2, 1000);
		}
	}
	assert_near(sm_gauges_sum_of_rates(&gauges, SM_METRIC_PROC_CPU), 1);
	assert_true(isnan(sm_gauges_value(&gauges, SM_METRIC_PROC_RSS, 2)));
	assert_true(isnan(sm_gauges_sum_of_rates(&gauges, SM_METRIC_PROC_RSS)));
	sm_gauges_finish(&gauges);
}

/* Every second another process, busy for the whole of it: one core, not ten. */
static void test_a_relay_of_processes_is_one_core(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	for (int tenth = 0; tenth <= 400; tenth++) {
		int process = tenth / 10;
		sample(&gauges, tenth * 0.1, SM_METRIC_PROC_CPU, 100 + process, tenth % 10 * 0.1);
	}
	double cores = sm_gauges_sum_of_rates(&gauges, SM_METRIC_PROC_CPU);
	assert_true(cores > 0.8 && cores < 1.1); /* what lies between two samples is not seen */
	sm_gauges_finish(&gauges);
}

static void test_the_busiest_of_disks(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	for (int second = 0; second <= 5; second++) {
		sample(&gauges, second, SM_METRIC_DISK_READ, 1, second * 10);
		sample(&gauges, second, SM_METRIC_DISK_READ, 2, second * 30);
	}
	assert_near(sm_gauges_largest_rate(&gauges, SM_METRIC_DISK_READ), 30);
	assert_near(sm_gauges_sum_of_rates(&gauges, SM_METRIC_DISK_READ), 40);
	sm_gauges_finish(&gauges);
}

/* A hundred thousand short-lived processes: bounded, and the living one is still found. */
static void test_many_short_lives(void **state)
{
	struct sm_gauges gauges;
	sm_gauges_init(&gauges);
	for (int second = 0; second < 1000; second++) {
		sample(&gauges, second, SM_METRIC_PROC_CPU, 1, second / 4.0);
		for (int i = 0; i < 100; i++) {
			sample(&gauges, second, SM_METRIC_PROC_CPU, 1000 + second * 100 + i, 0);
		}
	}
	assert_true(gauges.count < 8192);
	assert_near(sm_gauges_rate(&gauges, SM_METRIC_PROC_CPU, 1), 0.25);
	sm_gauges_finish(&gauges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rate_is_of_the_last_seconds),
		cmocka_unit_test(test_a_slow_counter_has_a_rate),
		cmocka_unit_test(test_who_is_gone_is_not_counted),
		cmocka_unit_test(test_a_relay_of_processes_is_one_core),
		cmocka_unit_test(test_the_busiest_of_disks),
		cmocka_unit_test(test_many_short_lives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
