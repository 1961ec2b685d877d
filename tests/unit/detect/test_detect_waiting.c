/* Detectors of waiting: storage, a far store, a lock. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>
#include <string.h>

static struct analysis_make *reading(const struct analysis_spent *fetch)
{
	struct analysis_make *make = analysis_make_create(2, 200);
	analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_spend(make, SM_STAGE_FETCH, fetch);
	return make;
}

static void check_storage(
	const struct analysis_spent *fetch, double refaulted_bytes, const char *cause)
{
	struct analysis_make *make = reading(fetch);
	analysis_make_counter(make, SM_METRIC_GROUP_REFAULTS_FILE, 0, 1e9, 1e9 + refaulted_bytes);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM101");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->cause, cause);
	assert_int_equal(finding->stage, SM_STAGE_FETCH);
	assert_true(finding->severity > 0.6);
	assert_float_equal(analysis_make_evidence(finding, "fetch_storage_share"), 0.95, 0.01);
	analysis_make_destroy(make);
}

static void test_storage_by_kind(void **state)
{
	const double storage = 0.057, cpu = 0.003; /* 60 ms a batch of 8 */
	check_storage(&(struct analysis_spent){.computing_s = cpu,
			      .storage_s = storage,
			      .waits = 80,
			      .read_bytes = 8 * 500e3},
		4e6, "cold_cache");
	check_storage(&(struct analysis_spent){.computing_s = cpu,
			      .storage_s = storage,
			      .waits = 8,
			      .read_bytes = 8 * 8192},
		0, "small_files");
	check_storage(&(struct analysis_spent){.computing_s = cpu,
			      .storage_s = storage,
			      .waits = 80,
			      .major_faults = 80,
			      .read_bytes = 8 * 500e3},
		0, "page_fault");
	check_storage(&(struct analysis_spent){.computing_s = cpu,
			      .storage_s = storage,
			      .waits = 80,
			      .read_bytes = 8 * 500e3},
		0.97 * 200 * 8 * 500e3, "cache_thrash");
}

static void test_cached_reading_is_none(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.computing_s = 0.060});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM101"));
	assert_true(analysis_make_passed(make, "SM101"));
	analysis_make_destroy(make);
}

static void test_storage_behind_the_step_is_none(void **state)
{
	struct analysis_make *make = reading(
		&(struct analysis_spent){.storage_s = 0.015, .waits = 8, .read_bytes = 4e6});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM101"));
	analysis_make_destroy(make);
}

static struct analysis_make *blocked(double lock, double sleep, double socket, double file)
{
	struct analysis_make *make = reading(
		&(struct analysis_spent){.computing_s = 0.002, .waiting_s = 0.058, .waits = 8});
	analysis_make_looks(make, lock, sleep, socket, file, 3);
	analysis_make_run(make);
	return make;
}

static void check_far(double socket, double file, const char *detail)
{
	struct analysis_make *make = blocked(0, 0, socket, file);
	const struct sm_finding *finding = analysis_make_finding(make, "SM101");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "remote_latency");
	assert_string_equal(finding->cause_detail, detail);
	assert_int_equal(finding->confidence, SM_CONFIDENCE_HIGH);
	assert_null(analysis_make_finding(make, "SM105"));
	assert_null(analysis_make_finding(make, "SM114"));
	analysis_make_destroy(make);
}

static void test_a_far_store_by_what_was_seen(void **state)
{
	check_far(40, 0, "a socket, of another machine or of another process here");
	check_far(0, 40, "a file on a mount that reads no local block");
}

static void check_no_store(
	double lock, double sleep, double socket, const char *detail, enum sm_confidence confidence)
{
	struct analysis_make *make = blocked(lock, sleep, socket, 0);
	assert_null(analysis_make_finding(make, "SM101"));
	assert_null(analysis_make_finding(make, "SM114"));
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->title, "Making a sample waits");
	assert_string_equal(finding->cause, "I_O_BOUND");
	assert_string_equal(finding->cause_detail, detail);
	assert_int_equal(finding->confidence, confidence);
	assert_int_equal(finding->stage, SM_STAGE_FETCH);
	assert_string_equal(finding->file, "photos.py");
	assert_true(finding->severity > 0.6);
	assert_float_equal(analysis_make_evidence(finding, "waiting_share"), 0.967, 0.001);
	analysis_make_destroy(make);
}

static void test_waits_that_show_no_store_are_not_called_one(void **state)
{
	check_no_store(0, 40, 0, "sleep", SM_CONFIDENCE_HIGH);
	check_no_store(20, 0, 20, "", SM_CONFIDENCE_MEDIUM); /* a mixture says nothing */
	check_no_store(0, 0, 5, "", SM_CONFIDENCE_MEDIUM);   /* five looks say nothing */
	check_no_store(0, 0, 0, "", SM_CONFIDENCE_MEDIUM);
}

static void test_a_sleep_behind_the_step_is_none(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.waiting_s = 0.015});
	analysis_make_looks(make, 0, 40, 0, 0, 3);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM101"));
	assert_null(analysis_make_finding(make, "SM105"));
	assert_true(analysis_make_passed(make, "SM105"));
	analysis_make_destroy(make);
}

static size_t position_of(const struct analysis_make *make, const char *id)
{
	const struct sm_finding *finding = analysis_make_finding(make, id);
	assert_non_null(finding);
	return (size_t)(finding - make->findings.items);
}

/* All of one size: the workers' number is a remedy, the sleep the cause. */
static void test_a_sleep_comes_before_the_number_of_workers(void **state)
{
	struct analysis_make *make = analysis_make_create(1, 200);
	analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.waiting_s = 0.018});
	analysis_make_looks(make, 0, 40, 0, 0, 3);
	analysis_make_run(make);
	assert_true(position_of(make, "SM105") < position_of(make, "SM102"));
	analysis_make_destroy(make);
}

static void test_work_and_sleep_in_fetch_are_two_findings(void **state)
{
	struct analysis_make *make =
		reading(&(struct analysis_spent){.computing_s = 0.040, .waiting_s = 0.030});
	analysis_make_looks(make, 0, 40, 0, 0, 3);
	analysis_make_run(make);
	const struct sm_finding *work = NULL, *sleep = NULL;
	for (size_t i = 0; i < make->findings.count; i++) {
		const struct sm_finding *finding = &make->findings.items[i];
		work = !strcmp(finding->cause, "CPU_INTENSIVE") ? finding : work;
		sleep = !strcmp(finding->cause, "I_O_BOUND") ? finding : sleep;
	}
	assert_non_null(work);
	assert_non_null(sleep);
	assert_true(work->severity >= sleep->severity);
	assert_float_equal(analysis_make_evidence(sleep, "waiting_share"), 3.0 / 7, 0.001);
	analysis_make_destroy(make);
}

static void test_a_lock_in_fetch(void **state)
{
	struct analysis_make *make = reading(
		&(struct analysis_spent){.computing_s = 0.002, .waiting_s = 0.058, .waits = 8});
	analysis_make_looks(make, 36, 4, 0, 0, 3);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM114");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->name, "Photos");
	assert_float_equal(analysis_make_evidence(finding, "looks_lock_share"), 0.9, 0.001);
	assert_null(analysis_make_finding(make, "SM101"));
	analysis_make_destroy(make);
}

static void test_a_lock_in_a_transform_is_the_locks(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.computing_s = 0.0001});
	analysis_make_transform(make, "Step", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.005, .waiting_s = 0.055});
	analysis_make_looks(make, 40, 0, 0, 0, 0);
	analysis_make_run(make);
	const struct sm_finding *finding = &make->findings.items[0];
	assert_string_equal(finding->detector->id, "SM114");
	assert_string_equal(finding->name, "Step");
	assert_string_equal(finding->file, "train.py");
	assert_null(analysis_make_finding(make, "SM105"));
	analysis_make_destroy(make);
}

static void test_helper_threads_are_no_lock(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.computing_s = 0.001});
	analysis_make_transform(make, "Step", "train.py:41",
		&(struct analysis_spent){.computing_s = 0.002, .helpers_s = 0.058});
	analysis_make_looks(make, 40, 0, 0, 0, 0); /* it sits in a futex until they are done */
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM114"));
	assert_string_equal(make->findings.items[0].cause, "CPU_INTENSIVE");
	analysis_make_destroy(make);
}

/* On a crowded machine helpers get a part of the CPU only: their work is seen, their run delay is not. */
static void test_crowded_helper_threads_are_no_lock(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.computing_s = 0.0001});
	analysis_make_transform(make, "Step", "train.py:41",
		&(struct analysis_spent){
			.computing_s = 0.002, .helpers_s = 0.018, .waiting_s = 0.040});
	analysis_make_looks(make, 40, 0, 0, 0, 0);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM114"));
	assert_string_equal(analysis_make_finding(make, "SM105")->cause, "CPU_INTENSIVE");
	analysis_make_destroy(make);
}

static void test_more_workers_do_not_help_a_lock(void **state)
{
	struct analysis_make *make = reading(
		&(struct analysis_spent){.computing_s = 0.005, .waiting_s = 0.055, .waits = 8});
	analysis_make_looks(make, 40, 0, 0, 0, 0);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM102"));
	analysis_make_destroy(make);
}

static void test_without_looks_a_lock_is_not_judged(void **state)
{
	struct analysis_make *make = reading(&(struct analysis_spent){.waiting_s = 0.060});
	analysis_make_counter(make, SM_METRIC_CPU_IDLE, 0, 0, 1);
	analysis_make_run(make);
	assert_string_equal(analysis_make_not_judged(make, "SM114"),
		"what waiting workers wait for could not be looked at");
	assert_null(analysis_make_finding(make, "SM114"));
	analysis_make_destroy(make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage_by_kind),
		cmocka_unit_test(test_cached_reading_is_none),
		cmocka_unit_test(test_storage_behind_the_step_is_none),
		cmocka_unit_test(test_a_far_store_by_what_was_seen),
		cmocka_unit_test(test_waits_that_show_no_store_are_not_called_one),
		cmocka_unit_test(test_a_sleep_behind_the_step_is_none),
		cmocka_unit_test(test_a_sleep_comes_before_the_number_of_workers),
		cmocka_unit_test(test_work_and_sleep_in_fetch_are_two_findings),
		cmocka_unit_test(test_a_lock_in_fetch),
		cmocka_unit_test(test_a_lock_in_a_transform_is_the_locks),
		cmocka_unit_test(test_helper_threads_are_no_lock),
		cmocka_unit_test(test_crowded_helper_threads_are_no_lock),
		cmocka_unit_test(test_more_workers_do_not_help_a_lock),
		cmocka_unit_test(test_without_looks_a_lock_is_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
