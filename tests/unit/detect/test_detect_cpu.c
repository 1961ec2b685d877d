/* Detectors of CPU that is taken away. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>

static struct analysis_make *delayed(int num_workers)
{
	struct analysis_make *make = analysis_make_create(num_workers, 200);
	make->analysis.usable_cores = make->loader_model.cores = 2;
	analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.005});
	return make;
}

/* busy and idle seconds of the machine, and how much of the busy ones the job had. */
static void machine(struct analysis_make *make, double busy, double idle, double own)
{
	analysis_make_counter(make, SM_METRIC_CPU_USER, 0, 10, 10 + busy * 0.9);
	analysis_make_counter(make, SM_METRIC_CPU_SYSTEM, 0, 1, 1 + busy * 0.1);
	analysis_make_counter(make, SM_METRIC_CPU_IDLE, 0, 5, 5 + idle);
	analysis_make_counter(make, SM_METRIC_PROC_CPU, 2000, 0, own * busy);
}

static void test_more_workers_than_cores(void **state)
{
	struct analysis_make *make = delayed(8);
	analysis_make_transform(make, "Blur", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.030, .run_delay_s = 0.090});
	make->loader_model.can_share = true; /* as where causes are known */
	machine(make, 10, 0, 0.97);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM301");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->cause, "too_many_workers");
	assert_float_equal(analysis_make_evidence(finding, "run_delay_share"), 0.75, 0.001);
	assert_int_equal(finding->suggestion_count, 1);
	assert_string_equal(finding->suggestions[0].changes[0].key, "num_workers");
	assert_float_equal(finding->suggestions[0].speedup.middle, 1, 0.1);
	assert_int_equal(finding->suggestions[0].changes[0].value, 2);
	analysis_make_destroy(make);
}

static void test_helper_threads_are_a_crowd(void **state)
{
	struct analysis_make *make = delayed(2);
	analysis_make_transform(make, "Blur", "train.py:41",
		&(struct analysis_spent){
			.computing_s = 0.010, .helpers_s = 0.030, .run_delay_s = 0.030});
	machine(make, 10, 0, 0.97);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM301");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "intra_op_threads");
	analysis_make_destroy(make);
}

static void test_a_neighbours_load_is_not_claimed(void **state)
{
	struct analysis_make *make = delayed(8);
	analysis_make_transform(make, "Blur", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.030, .run_delay_s = 0.090});
	machine(make, 10, 0, 0.3);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM301"));
	assert_string_equal(analysis_make_not_judged(make, "SM301"),
		"other programs kept the CPUs busy meanwhile");
	analysis_make_destroy(make);
}

static void test_workers_that_wait_are_no_crowd(void **state)
{
	struct analysis_make *make = delayed(8);
	analysis_make_spend(make, SM_STAGE_FETCH,
		&(struct analysis_spent){.computing_s = 0.010, .waiting_s = 0.110});
	machine(make, 10, 0, 0.97);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM301"));
	assert_true(analysis_make_passed(make, "SM301"));
	analysis_make_destroy(make);
}

static void quota(struct analysis_make *make, double periods, double stopped, double stopped_s)
{
	analysis_make_counter(make, SM_METRIC_GROUP_PERIODS, 0, 100, 100 + periods);
	analysis_make_counter(make, SM_METRIC_GROUP_THROTTLED, 0, 7, 7 + stopped);
	analysis_make_counter(make, SM_METRIC_GROUP_THROTTLED_TIME, 0, 3, 3 + stopped_s);
	analysis_make_counter(make, SM_METRIC_GROUP_CPU_LIMIT, 0, 0.5, 0.5);
}

static void test_a_quota(void **state)
{
	struct analysis_make *make = delayed(2);
	analysis_make_transform(make, "Blur", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.008, .run_delay_s = 0.112});
	machine(make, 6, 18, 0.9);
	quota(make, 120, 118, 17);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM302");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_float_equal(analysis_make_evidence(finding, "cpu_limit"), 0.5, 0);
	assert_null(
		analysis_make_finding(make, "SM301")); /* two workers on two cores are no crowd */
	analysis_make_destroy(make);
}

static void test_single_bursts_are_no_quota(void **state)
{
	struct analysis_make *make = delayed(2);
	analysis_make_transform(make, "Blur", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.030, .run_delay_s = 0.010});
	machine(make, 6, 18, 0.9);
	quota(make, 120, 60, 0.05); /* half of the periods, but hardly any time */
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM302"));
	assert_true(analysis_make_passed(make, "SM302"));
	analysis_make_destroy(make);
}

static void test_without_a_group_it_is_not_judged(void **state)
{
	struct analysis_make *make = delayed(2);
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.001});
	machine(make, 6, 18, 0.9);
	analysis_make_run(make);
	assert_string_equal(analysis_make_not_judged(make, "SM302"),
		"the control group says nothing about a CPU quota");
	analysis_make_destroy(make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_workers_than_cores),
		cmocka_unit_test(test_helper_threads_are_a_crowd),
		cmocka_unit_test(test_a_neighbours_load_is_not_claimed),
		cmocka_unit_test(test_workers_that_wait_are_no_crowd),
		cmocka_unit_test(test_a_quota),
		cmocka_unit_test(test_single_bursts_are_no_quota),
		cmocka_unit_test(test_without_a_group_it_is_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
