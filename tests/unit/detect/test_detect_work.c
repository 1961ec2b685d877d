/* Detectors of what takes the time: transforms, sampler, collate, slow samples, the loop itself. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>
#include <string.h>

static const struct analysis_spent COMPUTE_10_MS = {.computing_s = 0.010};
static const struct analysis_spent FETCH_1_MS = {.computing_s = 0.001};

/* 2 workers, 200 batches, a step of 10 ms: workers that take under 20 ms a batch are never waited for. */
static struct analysis_make *ordinary(void)
{
	struct analysis_make *make = analysis_make_create(2, 200);
	make->analysis.usable_cores = make->loader_model.cores = 2;
	analysis_make_spend(make, SM_STAGE_COMPUTE, &COMPUTE_10_MS);
	analysis_make_spend(make, SM_STAGE_FETCH, &FETCH_1_MS);
	return make;
}

static void test_a_transform_that_computes(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(
		make, "Blur", "train.py:41", &(struct analysis_spent){.computing_s = 0.059});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->cause, "CPU_INTENSIVE");
	assert_string_equal(
		finding->cause_detail, ""); /* native or Python: not known without stacks */
	assert_string_equal(finding->name, "Blur");
	assert_string_equal(finding->file, "train.py");
	assert_int_equal(finding->line, 41);
	assert_string_equal(finding->loader, "train");
	/* 30 ms a batch become 10 ms. */
	assert_float_equal(finding->severity, 2.0 / 3, 0.02);
	assert_float_equal(analysis_make_evidence(finding, "own_cpu_share"), 1, 0.001);
	assert_float_equal(analysis_make_evidence(finding, "mean_call_s"), 0.059 / 8, 1e-6);
	assert_string_equal(finding->suggestions[0].text,
		"Make Blur cheaper: it takes 7.38 ms a call. Do its fixed part once and store the "
		"result, work on smaller inputs "
		"(crop before resize), or use a vectorised or native routine.");
	analysis_make_destroy(make);
}

static struct sm_hot_line hot_line(enum sm_stage stage, const char *file, int line, double part)
{
	return (struct sm_hot_line){.file = file,
		.function = "Set.__getitem__",
		.calls = "Image.resize",
		.line = line,
		.stage = stage,
		.wall_s = 10 * part,
		.awake_s = 10 * part,
		.in_call_s = 9 * part,
		.part = part,
		.looks = (uint64_t)(1000 * part)};
}

static void add_lines(struct analysis_make *make, struct sm_hot_line *lines, size_t count)
{
	make->model.hot_lines = lines;
	make->model.hot_line_count = count;
	for (size_t i = 0; i < count; i++) {
		make->analysis.hot_lines[i] = (struct sm_hot_row){&lines[i], lines[i].part};
	}
	make->analysis.hot_line_count = count;
}

static const struct sm_finding *find_slow_fetch(
	struct analysis_make *make, struct sm_hot_line *lines, size_t count)
{
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.060});
	make->loader.dataset = "Set";
	make->loader.dataset_where = "data.py:20";
	add_lines(make, lines, count);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_int_equal(finding->stage, SM_STAGE_FETCH);
	return finding;
}

static void test_a_line_that_has_most_of_a_stage_is_where_it_is(void **state)
{
	struct analysis_make *make = ordinary();
	struct sm_hot_line lines[] = {hot_line(SM_STAGE_FETCH, "/home/ada/job/data.py", 24, 0.6),
		hot_line(SM_STAGE_FETCH, "/home/ada/job/data.py", 22, 0.4)};
	const struct sm_finding *finding = find_slow_fetch(make, lines, 2);
	assert_string_equal(finding->file, "data.py");
	assert_int_equal(finding->line, 24);
	assert_string_equal(finding->calls, "Image.resize");
	assert_string_equal(
		finding->cause_detail, "native_cpu"); /* 90 % of the looks were in calls */
	analysis_make_destroy(make);
}

static void test_a_line_in_another_file_is_named_by_its_last_names(void **state)
{
	struct analysis_make *make = ordinary();
	struct sm_hot_line lines[] = {hot_line(SM_STAGE_FETCH, "/home/ada/job/other.py", 7, 1)};
	const struct sm_finding *finding = find_slow_fetch(make, lines, 1);
	assert_string_equal(finding->file, "job/other.py");
	assert_int_equal(finding->line, 7);
	analysis_make_destroy(make);
}

static void test_where_no_line_has_most_the_data_set_is_named(void **state)
{
	struct analysis_make *make = ordinary();
	struct sm_hot_line lines[] = {hot_line(SM_STAGE_FETCH, "/home/ada/job/data.py", 24, 0.4),
		hot_line(SM_STAGE_COLLATE, "/home/ada/job/data.py", 50, 1)};
	lines[0].in_call_s = 0; /* operators of arrays are no calls: that is no proof of Python */
	const struct sm_finding *finding = find_slow_fetch(make, lines, 2);
	assert_string_equal(finding->file, "data.py");
	assert_int_equal(finding->line, 20);
	assert_null(finding->calls);
	assert_string_equal(finding->cause_detail, "");
	analysis_make_destroy(make);
}

static void test_a_transform_behind_the_step_is_none(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(
		make, "Blur", "train.py:41", &(struct analysis_spent){.computing_s = 0.015});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM105"));
	assert_true(analysis_make_passed(make, "SM105"));
	assert_int_equal(sm_findings_shown_count(&make->findings), 0);
	analysis_make_destroy(make);
}

static void check_transform(
	const struct analysis_spent *spent, const char *cause, const char *detail)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(make, "Step", "train.py:41", spent);
	analysis_make_looks(make, 0, 50, 0, 0, 0);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_string_equal(finding->name, "Step");
	assert_string_equal(finding->cause, cause);
	assert_string_equal(finding->cause_detail, detail);
	analysis_make_destroy(make);
}

static void test_the_cause_follows_what_the_transform_does(void **state)
{
	check_transform(&(struct analysis_spent){.computing_s = 0.06}, "CPU_INTENSIVE", "");
	check_transform(&(struct analysis_spent){.computing_s = 0.002, .helpers_s = 0.058},
		"CPU_INTENSIVE", "");
	check_transform(&(struct analysis_spent){.computing_s = 0.002, .waiting_s = 0.058},
		"I_O_BOUND", "sleep");
	check_transform(
		&(struct analysis_spent){
			.computing_s = 0.002, .storage_s = 0.058, .waits = 20, .read_bytes = 4e6},
		"I_O_BOUND", "cold_cache");
	check_transform(&(struct analysis_spent){.computing_s = 0.060, .minor_faults = 50000},
		"MEMORY_INTENSIVE", "allocation");
	/* CPU taken away is no need of its own. */
	check_transform(&(struct analysis_spent){.computing_s = 0.010, .run_delay_s = 0.06},
		"CPU_INTENSIVE", "");
	/* Spans that carry no cause leave it open. */
	check_transform(
		&(struct analysis_spent){.computing_s = 0.060, .without_cause = true}, "", "");
}

static void check_looks(
	double looks, double python, double call_s, const char *cause, const char *detail)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(make, "Step", "train.py:41",
		&(struct analysis_spent){.computing_s = call_s * ANALYSIS_MAKE_BATCH});
	analysis_make_counter(make, SM_METRIC_PROC_CPU_LOOKS, 2000, 1, looks);
	analysis_make_counter(make, SM_METRIC_PROC_CPU_LOOKS_PYTHON, 2000, 0, python);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_string_equal(finding->cause, cause);
	assert_string_equal(finding->cause_detail, detail);
	analysis_make_destroy(make);
}

static void test_whose_instructions_they_are(void **state)
{
	check_looks(100, 3, 0.007, "CPU_INTENSIVE", "native_cpu");
	check_looks(100, 97, 0.007, "VECTORIZATION_INEFFICIENT", "python_cpu");
	check_looks(100, 50, 0.007, "CPU_INTENSIVE", "");
	check_looks(29, 29, 0.007, "CPU_INTENSIVE", ""); /* too few */
}

/* The looks are the worker's; two that compute alike leave it open whose they are. */
static void test_looks_do_not_speak_for_half_of_the_work(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(make, "One", "", &(struct analysis_spent){.computing_s = 0.040});
	analysis_make_transform(make, "Other", "", &(struct analysis_spent){.computing_s = 0.035});
	analysis_make_counter(make, SM_METRIC_PROC_CPU_LOOKS, 2000, 0, 100);
	analysis_make_counter(make, SM_METRIC_PROC_CPU_LOOKS_PYTHON, 2000, 0, 100);
	analysis_make_run(make);
	assert_string_equal(analysis_make_finding(make, "SM105")->cause, "CPU_INTENSIVE");
	assert_string_equal(analysis_make_finding(make, "SM105")->cause_detail, "");
	analysis_make_destroy(make);
}

static void test_the_data_sets_own_code_counts_as_well(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(make, SM_STAGE_FETCH, &(struct analysis_spent){.computing_s = 0.060});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM105");
	assert_non_null(finding);
	assert_string_equal(finding->name, "Photos");
	assert_int_equal(finding->stage, SM_STAGE_FETCH);
	assert_string_equal(finding->cause, "CPU_INTENSIVE");
	analysis_make_destroy(make);
}

static void test_a_slow_sampler(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(make, SM_STAGE_SAMPLER, &(struct analysis_spent){.computing_s = 0.080});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM107");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->name, "RandomSampler");
	assert_float_equal(analysis_make_evidence(finding, "sampler_p50_s"), 0.080, 0.002);
	analysis_make_destroy(make);
}

static void test_a_quick_sampler_is_none(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(
		make, SM_STAGE_SAMPLER, &(struct analysis_spent){.computing_s = 0.00005});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM107"));
	analysis_make_destroy(make);
}

static void test_a_slow_collate(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(make, SM_STAGE_COLLATE, &(struct analysis_spent){.computing_s = 0.079});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM108");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_string_equal(finding->name, "default_collate");
	assert_float_equal(finding->severity, 0.75, 0.02); /* 40 ms become 10 ms */
	analysis_make_destroy(make);
}

static void test_a_collate_behind_the_step_is_none(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(make, SM_STAGE_COLLATE, &(struct analysis_spent){.computing_s = 0.015});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM108"));
	analysis_make_destroy(make);
}

static void test_a_few_slow_samples(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(
		make, "Crop", "train.py:7", &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_slow_sample(make, 100, 0.200);
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM109");
	assert_non_null(finding);
	assert_ptr_equal(finding, &make->findings.items[0]);
	assert_true(analysis_make_evidence(finding, "slowest_5_percent_share") > 0.25);
	analysis_make_destroy(make);
}

static void test_slow_samples_without_an_index_are_told_by_their_times(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(
		make, "Crop", "train.py:7", &(struct analysis_spent){.computing_s = 0.010});
	analysis_make_slow_sample(make, 100, 0.200);
	make->loader.slowest_count = 0;
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM109");
	assert_non_null(finding);
	assert_non_null(strstr(finding->suggestions[0].text, "one in a hundred takes"));
	analysis_make_destroy(make);
}

static void test_even_samples_are_none(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_transform(
		make, "Crop", "train.py:7", &(struct analysis_spent){.computing_s = 0.060});
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM109"));
	assert_true(analysis_make_passed(make, "SM109"));
	analysis_make_destroy(make);
}

static void test_without_sample_times_it_is_not_judged(void **state)
{
	struct analysis_make *make = ordinary();
	make->loader.sample_count = 0;
	make->loader.no_samples_why = "__getitems__ gives no per-sample times";
	analysis_make_run(make);
	assert_string_equal(
		analysis_make_not_judged(make, "SM109"), "__getitems__ gives no per-sample times");
	assert_false(analysis_make_passed(make, "SM109"));
	analysis_make_destroy(make);
}

static void test_the_loop_itself(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_spend(make, SM_STAGE_OTHER, &(struct analysis_spent){.computing_s = 0.015});
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM307");
	assert_non_null(finding);
	assert_float_equal(finding->severity, 0.6, 0.02);
	assert_float_equal(analysis_make_evidence(finding, "other_per_step_s"), 0.015, 1e-6);
	analysis_make_destroy(make);
}

static void test_a_loop_that_only_trains_is_none(void **state)
{
	struct analysis_make *make = ordinary();
	analysis_make_run(make);
	assert_null(analysis_make_finding(make, "SM307"));
	assert_int_equal(make->findings.count, 0);
	analysis_make_destroy(make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_transform_that_computes),
		cmocka_unit_test(test_a_line_that_has_most_of_a_stage_is_where_it_is),
		cmocka_unit_test(test_a_line_in_another_file_is_named_by_its_last_names),
		cmocka_unit_test(test_where_no_line_has_most_the_data_set_is_named),
		cmocka_unit_test(test_a_transform_behind_the_step_is_none),
		cmocka_unit_test(test_the_cause_follows_what_the_transform_does),
		cmocka_unit_test(test_whose_instructions_they_are),
		cmocka_unit_test(test_looks_do_not_speak_for_half_of_the_work),
		cmocka_unit_test(test_the_data_sets_own_code_counts_as_well),
		cmocka_unit_test(test_a_slow_sampler),
		cmocka_unit_test(test_a_quick_sampler_is_none),
		cmocka_unit_test(test_a_slow_collate),
		cmocka_unit_test(test_a_collate_behind_the_step_is_none),
		cmocka_unit_test(test_a_few_slow_samples),
		cmocka_unit_test(test_slow_samples_without_an_index_are_told_by_their_times),
		cmocka_unit_test(test_even_samples_are_none),
		cmocka_unit_test(test_without_sample_times_it_is_not_judged),
		cmocka_unit_test(test_the_loop_itself),
		cmocka_unit_test(test_a_loop_that_only_trains_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
