/* Detectors of what surrounds the loader: copies to the device, memory, the size of a batch. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { WORKER = 2000 };

static const struct analysis_spent FETCH_1_MS = {.computing_s = 0.001};

/* 2 workers, 200 batches, workers that are never waited for. */
static struct analysis_make *fast_loader(double compute_s)
{
	struct analysis_make *make = analysis_make_create(2, 200);
	analysis_make_spend(make, SM_STAGE_FETCH, &FETCH_1_MS);
	analysis_make_spend(
		make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = compute_s});
	return make;
}

/* --- copies --- */

static struct analysis_make *copying(double copy_s, double pageable_s, double blocking_s)
{
	struct analysis_make *make = fast_loader(0.005);
	analysis_make_spend(make, SM_STAGE_H2D, &(struct analysis_spent){.computing_s = copy_s});
	make->loader.copies = (struct sm_copies){.count = 200,
		.bytes = 200 * 1000000,
		.wall_ns = (int64_t)(copy_s * 200 * 1e9),
		.pageable_ns = (int64_t)(pageable_s * 200 * 1e9),
		.blocking_ns = (int64_t)(blocking_s * 200 * 1e9)};
	return make;
}

static void check_copies(
	double pageable_s, double blocking_s, int pinned, const char *cause, bool is_a_setting)
{
	struct analysis_make *make = copying(0.005, pageable_s, blocking_s);
	make->loader.pin_memory = pinned;
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM104");
	assert_non_null(finding);
	assert_string_equal(finding->cause, cause);
	assert_float_equal(finding->severity, 0.5, 0.02); /* 10 ms a step become 5 ms */
	assert_float_equal(analysis_make_evidence(finding, "copy_bytes"), 1e6, 1);
	assert_int_equal(finding->suggestion_count, 1);
	assert_int_equal(finding->suggestions[0].change_count, is_a_setting);
	/* From no gain to the whole copy. */
	assert_float_equal(finding->suggestions[0].speedup.low, 1, 1e-9);
	assert_float_equal(finding->suggestions[0].speedup.high, 2, 0.1);
	analysis_make_destroy(make);
}

static void test_copies_by_kind(void **state)
{
	check_copies(0.005, 0, 0, "pageable_copy", true);
	check_copies(
		0.005, 0, 1, "pageable_copy", false); /* pinning is on, and does not reach it */
	check_copies(0, 0.005, 1, "blocking_copy", false);
	check_copies(0, 0, 1, "exposed_copy", false);
}

static void test_without_copies_transfer_is_not_judged(void **state)
{
	struct analysis_make *make = fast_loader(0.005);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM104"));
	assert_string_equal(
		analysis_make_not_judged(make, "SM104"), "no copy to a device was seen");
	analysis_make_destroy(make);
}

/* The host is 6 ms inside a copy, of which the device says it took `copy_s`; it works 5 ms. */
static struct analysis_make *on_a_device(double copy_s)
{
	struct analysis_make *make = copying(0, 0, 0);
	make->loader.copies.wall_ns = make->loader.copies.pageable_ns = 200 * 6000000;
	make->loader_model.asynchronous = true;
	for (size_t i = 0; i < make->loader_model.count; i++) {
		make->loader_model.services[i].launch = 0.0005F;
		make->loader_model.services[i].h2d = (float)copy_s;
		make->loader.batches[i].device_state = SM_DEVICE_IDLE_AT_REQUEST;
		make->loader.batches[i].device_copy_ns = copy_s < 0 ? -1 : (int64_t)(copy_s * 1e9);
	}
	return make;
}

static void test_copies_that_the_device_is_held_by(void **state)
{
	struct analysis_make *make = on_a_device(0.005);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM104");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "pageable_copy");
	assert_float_equal(finding->severity, 0.5, 0.02);
	assert_float_equal(analysis_make_evidence(finding, "device_copy_s"), 0.005, 1e-6);
	analysis_make_destroy(make);
}

static void test_a_host_that_waits_inside_a_copy_is_none(void **state)
{
	struct analysis_make *make = on_a_device(0.00001);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM104"));
	assert_true(analysis_make_passed(make, "SM104"));
	analysis_make_destroy(make);
}

static void test_a_device_that_did_not_tell_is_not_judged(void **state)
{
	struct analysis_make *make = on_a_device(-1);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM104"));
	assert_string_equal(analysis_make_not_judged(make, "SM104"),
		"the device did not tell what its copies took");
	analysis_make_destroy(make);
}

static void test_a_slow_pin_thread(void **state)
{
	struct analysis_make *make = fast_loader(0.005);
	make->loader.pin_memory = 1;
	analysis_make_spend(make, SM_STAGE_PIN, &(struct analysis_spent){.computing_s = 0.010});
	for (size_t i = 0; i < make->loader.batch_count; i++) {
		make->loader.batches[i].pin_ns = 10000000;
	}
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM104");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "pin_thread");
	assert_float_equal(analysis_make_evidence(finding, "pin_s"), 0.010, 1e-6);
	analysis_make_destroy(make);
}

/* --- the size of a batch --- */

static struct analysis_make *stepping(double optimizer_s)
{
	struct analysis_make *make = fast_loader(0.010);
	for (size_t i = 0; i < make->loader_model.count; i++) {
		make->loader_model.services[i].optimizer = (float)optimizer_s;
	}
	return make;
}

static void test_an_optimizer_that_takes_half_of_the_step(void **state)
{
	struct analysis_make *make = stepping(0.005);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM106");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "fixed_cost_per_batch");
	/* 5 of 10 ms, paid once in 8 batches. */
	assert_float_equal(finding->severity, 0.5 * 7 / 8, 0.01);
	assert_float_equal(analysis_make_evidence(finding, "optimizer_s"), 0.005, 1e-6);
	assert_string_equal(finding->suggestions[0].changes[0].key, "batch_size");
	assert_int_equal(finding->suggestions[0].changes[0].value, 8 * ANALYSIS_MAKE_BATCH);
	assert_int_not_equal(finding->confidence, SM_CONFIDENCE_HIGH); /* of one size */
	analysis_make_destroy(make);
}

static void test_large_batches_are_not_asked_to_be_larger(void **state)
{
	struct analysis_make *make = stepping(0.0015); /* 15 %, as of many */
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM106"));
	assert_true(analysis_make_passed(make, "SM106"));
	analysis_make_destroy(make);
}

static void test_no_larger_batch_than_memory_has_room_for(void **state)
{
	struct analysis_make *make = stepping(0.005);
	make->loader_model.batch_bytes = 1e9;
	make->loader_model.memory_bytes = 6e9; /* of 5 under way, one more each */
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM106");
	assert_non_null(finding);
	assert_int_equal(finding->suggestions[0].changes[0].value, 2 * ANALYSIS_MAKE_BATCH);
	analysis_make_destroy(make);
}

/* 10 ms a batch and 0.1 ms a sample, in the worker: sizes tell them apart. */
static void test_what_sizes_say_is_fixed(void **state)
{
	struct analysis_make *make = analysis_make_create(0, 200);
	analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.001});
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.0104});
	for (size_t i = 0; i < make->loader_model.count; i++) {
		int count = i % 2 ? 4 : 8;
		make->loader_model.services[i].count = count;
		make->loader_model.services[i].fetch = 0.010F + 0.0001F * (float)count;
	}
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM106");
	assert_non_null(finding);
	assert_float_equal(analysis_make_evidence(finding, "worker_fixed_s"), 0.010, 1e-4);
	assert_true(finding->severity > 0.7);
	analysis_make_destroy(make);
}

static void test_without_a_batch_size_nothing_is_said_of_it(void **state)
{
	struct analysis_make *make = stepping(0.005);
	make->loader.batch_size = -1;
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM106"));
	assert_string_equal(analysis_make_not_judged(make, "SM106"), "the batch size is not known");
	analysis_make_destroy(make);
}

/* --- memory --- */

static const double GB = 1e9;

static struct analysis_make *with_memory(double free_first, double free_last)
{
	struct analysis_make *make = fast_loader(0.010); /* a run of 2 s */
	analysis_make_counter(make, SM_METRIC_MEM_TOTAL, 0, 64 * GB, 64 * GB);
	analysis_make_counter(make, SM_METRIC_MEM_AVAILABLE, 0, free_first, free_last);
	return make;
}

static void check_memory(struct analysis_make *make, const char *cause, const char *risk_begins)
{
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM103");
	if (!cause) {
		assert_null(finding);
		assert_true(analysis_make_passed(make, "SM103"));
	} else {
		assert_non_null(finding);
		assert_string_equal(finding->cause, cause);
		assert_true(isnan(finding->severity)); /* a risk */
		assert_memory_equal(finding->risk, risk_begins, strlen(risk_begins));
		assert_null(strchr(finding->risk, '{'));
	}
	analysis_make_destroy(make);
}

static void test_memory_that_is_swapped_in(void **state)
{
	struct analysis_make *make = with_memory(40 * GB, 40 * GB);
	analysis_make_counter(make, SM_METRIC_SWAP_IN, 0, 0, 0.1 * GB);
	analysis_make_counter(make, SM_METRIC_PROC_SWAP, WORKER, 0, GB);
	check_memory(make, "swap", "50 MB come back");
	/* Pages of other programs. */
	make = with_memory(40 * GB, 40 * GB);
	analysis_make_counter(make, SM_METRIC_SWAP_IN, 0, 0, 0.1 * GB);
	analysis_make_counter(make, SM_METRIC_PROC_SWAP, WORKER, 0, 0);
	check_memory(make, NULL, NULL);
}

static void test_memory_that_is_taken_back(void **state)
{
	struct analysis_make *make = with_memory(40 * GB, 40 * GB);
	analysis_make_counter(make, SM_METRIC_PRESSURE_MEM_SOME, 0, 0, 0.4);
	analysis_make_counter(make, SM_METRIC_SCAN_DIRECT, 0, 0, 5000);
	check_memory(make, "reclaim", "Tasks waited for memory for 20 %");
	/* What a page cache that fills the memory shows. */
	make = with_memory(40 * GB, 40 * GB);
	analysis_make_counter(make, SM_METRIC_PRESSURE_MEM_SOME, 0, 0, 0.02);
	analysis_make_counter(make, SM_METRIC_SCAN_DIRECT, 0, 0, 5000);
	check_memory(make, NULL, NULL);
}

static void check_copied(double faults, double rss_last, const char *cause)
{
	struct analysis_make *make = with_memory(40 * GB, 38 * GB);
	analysis_make_counter(make, SM_METRIC_PROC_MINOR_FAULTS, WORKER, 0, faults);
	analysis_make_counter(make, SM_METRIC_PROC_RSS, WORKER, GB, rss_last);
	check_memory(make, cause, "At the rate of this run");
}

static void test_memory_that_workers_copy(void **state)
{
	check_copied(2 * GB / 4096, GB, "copy_on_write_growth");
	check_copied(2 * GB / 4096, 3 * GB, NULL); /* a process that grows */
	check_copied(0.2 * GB / 4096, GB, NULL);   /* somebody else took it */
}

static void check_prefetch(double batch_bytes, const char *cause)
{
	struct analysis_make *make = with_memory(12 * GB, 12 * GB); /* of 64: short */
	make->loader_model.batch_bytes = batch_bytes;
	check_memory(make, cause, "Only 12 GB of 64 GB were free");
}

static void test_memory_that_batches_under_way_hold(void **state)
{
	check_prefetch(0.5 * GB, "prefetch_memory"); /* 2 x 0.5 GB more would be enough */
	check_prefetch(0.1 * GB, NULL);
}

static void test_less_prefetch_is_suggested_where_it_costs_nothing(void **state)
{
	struct analysis_make *make = with_memory(12 * GB, 12 * GB);
	make->loader_model.batch_bytes = 0.5 * GB;
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM103");
	assert_non_null(finding);
	assert_string_equal(finding->suggestions[0].changes[0].key, "prefetch_factor");
	assert_int_equal(finding->suggestions[0].changes[0].value, 1);
	analysis_make_destroy(make);
}

static void test_unsampled_memory_is_not_judged(void **state)
{
	struct analysis_make *make = fast_loader(0.010);
	analysis_make_counter(make, SM_METRIC_CPU_IDLE, 0, 0, 1);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM103"));
	assert_string_equal(
		analysis_make_not_judged(make, "SM103"), "the machine's memory was not sampled");
	analysis_make_destroy(make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_by_kind),
		cmocka_unit_test(test_without_copies_transfer_is_not_judged),
		cmocka_unit_test(test_copies_that_the_device_is_held_by),
		cmocka_unit_test(test_a_host_that_waits_inside_a_copy_is_none),
		cmocka_unit_test(test_a_device_that_did_not_tell_is_not_judged),
		cmocka_unit_test(test_a_slow_pin_thread),
		cmocka_unit_test(test_an_optimizer_that_takes_half_of_the_step),
		cmocka_unit_test(test_large_batches_are_not_asked_to_be_larger),
		cmocka_unit_test(test_no_larger_batch_than_memory_has_room_for),
		cmocka_unit_test(test_what_sizes_say_is_fixed),
		cmocka_unit_test(test_without_a_batch_size_nothing_is_said_of_it),
		cmocka_unit_test(test_memory_that_is_swapped_in),
		cmocka_unit_test(test_memory_that_is_taken_back),
		cmocka_unit_test(test_memory_that_workers_copy),
		cmocka_unit_test(test_memory_that_batches_under_way_hold),
		cmocka_unit_test(test_less_prefetch_is_suggested_where_it_costs_nothing),
		cmocka_unit_test(test_unsampled_memory_is_not_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
