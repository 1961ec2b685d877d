/* Detectors of the loader's settings: workers, prefetch, start-up, transport, shared memory. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>

#include <string.h>

static struct analysis_make *ordinary(int num_workers, double compute_s)
{
	struct analysis_make *make = analysis_make_create(num_workers, 200);
	analysis_make_spend(
		make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = compute_s});
	return make;
}

static void test_too_few_workers_come_before_the_transform(void **state)
{
	struct analysis_make *make = ordinary(1, 0.010);
	analysis_make_transform(
		make, "Blur", "train.py:41", &(struct analysis_spent){.computing_s = 0.018});
	analysis_make_run(make);
	const struct sm_finding *finding = &make->findings.items[0];
	assert_string_equal(finding->detector->id, "SM102");
	assert_string_equal(finding->cause, "too_few_workers");
	assert_float_equal(finding->severity, 1 - 10.0 / 18, 0.02);
	assert_string_equal(finding->suggestions[0].text, "Set num_workers=2 on the DataLoader.");
	assert_string_equal(finding->suggestions[0].changes[0].key, "num_workers");
	assert_int_equal(finding->suggestions[0].changes[0].value, 2);
	assert_float_equal(finding->suggestions[0].speedup.middle, 1.8, 0.05);
	/* Its size cannot be told from the transform's, so both are named with one size. */
	assert_string_equal(make->findings.items[1].detector->id, "SM105");
	assert_true(make->findings.items[1].severity == finding->severity);
	analysis_make_destroy(make);
}

static void test_no_workers(void **state)
{
	struct analysis_make *make = ordinary(0, 0.010);
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM102");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "no_workers");
	assert_float_equal(finding->severity, 0.5, 0.02);
	analysis_make_destroy(make);
}

/* A run without workers that had one of two CPUs; `idle` of the machine's time nobody had, the rest others. */
static struct analysis_make *one_of_two_cpus(double idle)
{
	struct analysis_make *make = ordinary(0, 0.010);
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_counter(make, SM_METRIC_CPU_USER, 0, 10, 10 + 10 * (1 - idle));
	analysis_make_counter(make, SM_METRIC_CPU_SYSTEM, 0, 1, 1);
	analysis_make_counter(make, SM_METRIC_CPU_IDLE, 0, 5, 5 + 10 * idle);
	analysis_make_counter(make, SM_METRIC_PROC_CPU, 2000, 0, 5);
	analysis_make_run(make);
	return make;
}

static void check_gain(double idle, double severity, double low, enum sm_confidence confidence)
{
	struct analysis_make *make = one_of_two_cpus(idle);
	const struct sm_finding *finding = analysis_make_finding(make, "SM102");
	assert_non_null(finding);
	assert_float_equal(finding->severity, severity, 0.02);
	assert_float_equal(finding->severity_low, low, 0.02);
	assert_float_equal(finding->severity_high, 0.5, 0.02);
	assert_int_equal(finding->confidence, confidence);
	const struct sm_finding *fetch = analysis_make_finding(make, "SM105");
	assert_non_null(fetch); /* it suggests the same, and promises the same */
	assert_float_equal(
		fetch->suggestions[1].speedup.low, finding->suggestions[0].speedup.low, 0.02);
	analysis_make_destroy(make);
}

/* The second CPU is what workers would run on. Where others have it they may give way to them, or not at all. */
static void test_workers_beside_other_programs_are_an_interval(void **state)
{
	check_gain(0.5, 0.5, 0.5, SM_CONFIDENCE_HIGH);
	check_gain(0.3, 0.4, 0.3, SM_CONFIDENCE_HIGH);
	check_gain(0.2, 0.35, 0.2, SM_CONFIDENCE_MEDIUM);
	check_gain(0, 0.25, 0, SM_CONFIDENCE_MEDIUM);
}

/* Half of what the workers need is storage: its part of the gain counts from nothing to all. */
static void test_workers_on_storage_are_an_interval(void **state)
{
	struct analysis_make *make = ordinary(1, 0.010);
	analysis_make_spend(make, SM_STAGE_FETCH,
		&(struct analysis_spent){
			.computing_s = 0.010, .storage_s = 0.010, .read_bytes = 4e6});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM102");
	assert_non_null(finding);
	assert_float_equal(finding->severity_high, 0.5, 0.02);
	assert_float_equal(finding->severity, 0.375, 0.02);
	assert_float_equal(finding->severity_low, 0.25, 0.02);
	assert_string_equal(make->findings.items[0].detector->id, "SM101");
	analysis_make_destroy(make);
}

static void test_enough_workers(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.015});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM102"));
	assert_true(analysis_make_passed(make, "SM102"));
	analysis_make_destroy(make);
}

static void test_more_workers_than_cores_are_never_asked_for(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	make->analysis.usable_cores = make->loader_model.cores = 2;
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.060});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM102"));
	analysis_make_destroy(make);
}

/* Batches of 10, 10, 10 and 90 ms: as many workers as the mean needs, but the window runs dry at the long one. */
static void test_a_shallow_prefetch(void **state)
{
	struct analysis_make *make = ordinary(4, 0.009);
	make->loader.prefetch_factor = 1;
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.010});
	for (size_t i = 0; i < make->loader_model.count; i += 11) {
		make->loader_model.services[i].fetch += 0.060F;
		make->loader_model.services[i].cpu += 0.060F;
	}
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM110");
	assert_non_null(finding);
	assert_string_equal(finding->suggestions[0].changes[0].key, "prefetch_factor");
	assert_true(finding->suggestions[0].changes[0].value > 1);
	assert_true(finding->suggestions[0].speedup.middle > 1.01);
	analysis_make_destroy(make);
}

static void test_even_batches_need_no_depth(void **state)
{
	struct analysis_make *make = ordinary(4, 0.001);
	make->loader.prefetch_factor = 2;
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.060});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM110"));
	analysis_make_destroy(make);
}

static void test_workers_started_each_epoch(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	analysis_make_epochs(make, 20, 0.4);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM111");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->cause, "respawned_each_epoch");
	assert_float_equal(analysis_make_evidence(finding, "epochs_with_new_workers"), 9, 0);
	assert_float_equal(analysis_make_evidence(finding, "first_batch_after_s"), 0.4, 1e-6);
	assert_string_equal(finding->suggestions[0].changes[0].key, "persistent_workers");
	assert_int_equal(finding->suggestions[0].changes[0].value, 1);
	analysis_make_destroy(make);
}

static void test_one_epoch_starts_them_once(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	analysis_make_epochs(make, 200, 0.4);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM111"));
	assert_true(analysis_make_passed(make, "SM111"));
	analysis_make_destroy(make);
}

static void spend_on_transport(
	struct analysis_make *make, double bytes, double serialize_s, double deserialize_s)
{
	for (size_t i = 0; i < make->loader_model.count; i++) {
		make->loader.batches[i].bytes = (uint64_t)bytes;
		make->loader.batches[i].serialize_ns = (int64_t)(serialize_s * 1e9);
		make->loader.batches[i].deserialize_ns = (int64_t)(deserialize_s * 1e9);
		make->loader_model.services[i].serialize = (float)serialize_s;
		make->loader_model.services[i].transport = (float)serialize_s;
		make->loader_model.services[i].deserialize = (float)deserialize_s;
	}
}

static void test_pickled_objects(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	spend_on_transport(make, 835e3, 0.010, 0.015);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM112");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "pickled_objects");
	assert_float_equal(analysis_make_evidence(finding, "pipe_bytes_per_batch"), 835e3, 1);
	analysis_make_destroy(make);
}

static void test_many_small_tensors(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	spend_on_transport(make, 60e3, 0.010, 0.020);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM112");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "many_small_tensors");
	analysis_make_destroy(make);
}

/* On a busy machine the hand-over itself takes long; another kind of batch would not change that. */
static void test_a_few_tensors_are_none_however_long_they_take(void **state)
{
	struct analysis_make *make = ordinary(2, 0.010);
	spend_on_transport(make, 436, 0.001, 0.005);
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM112"));
	analysis_make_destroy(make);
}

static void check_shared_memory(double free_bytes, bool fires)
{
	struct analysis_make *make = ordinary(2, 0.010);
	make->loader_model.batch_bytes = 10e6; /* 5 batches under way, twice: 100 MB */
	analysis_make_counter(make, SM_METRIC_SHM_FREE, 0, 64e6 + free_bytes, free_bytes);
	analysis_make_counter(make, SM_METRIC_SHM_TOTAL, 0, 256e6, 256e6);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM115");
	assert_int_equal(finding != NULL, fires);
	if (fires) {
		assert_true(isnan(finding->severity));
		assert_non_null(strstr(finding->risk, "/dev/shm (256 MB) had only 90 MB left"));
		assert_int_equal(sm_findings_shown_count(&make->findings), 0);
	}
	analysis_make_destroy(make);
}

static void test_shared_memory_nearly_full(void **state)
{
	check_shared_memory(90e6, true);
	check_shared_memory(110e6, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_few_workers_come_before_the_transform),
		cmocka_unit_test(test_no_workers),
		cmocka_unit_test(test_workers_beside_other_programs_are_an_interval),
		cmocka_unit_test(test_workers_on_storage_are_an_interval),
		cmocka_unit_test(test_enough_workers),
		cmocka_unit_test(test_more_workers_than_cores_are_never_asked_for),
		cmocka_unit_test(test_a_shallow_prefetch),
		cmocka_unit_test(test_even_batches_need_no_depth),
		cmocka_unit_test(test_workers_started_each_epoch),
		cmocka_unit_test(test_one_epoch_starts_them_once),
		cmocka_unit_test(test_pickled_objects),
		cmocka_unit_test(test_many_small_tensors),
		cmocka_unit_test(test_a_few_tensors_are_none_however_long_they_take),
		cmocka_unit_test(test_shared_memory_nearly_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
