/* The rules of calls: each fires on the facts that it is for, with the severity that its cure gives, and is quiet without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "detect/judge_calls.h"

struct judged {
	struct sm_calls calls;
	struct sm_arena arena;
	struct sm_findings findings;
};

/* A call of 10 ms that computes, of which nothing else is known. */
static void setup(struct judged *judged)
{
	*judged = (struct judged){.arena = SM_ARENA_EMPTY};
	struct sm_calls *calls = &judged->calls;
#define UNKNOWN(name) calls->name = (double)NAN;
	SM_CALLS_NUMBERS(UNKNOWN)
#undef UNKNOWN
	calls->name = "augment";
	calls->where = "train.py:41";
	calls->calls = 10;
	calls->need_s = 0.010;
	calls->need_low_s = 0.009;
	calls->need_high_s = 0.011;
	calls->cpu_s = 0.010;
	calls->cpu_low_s = 0.0095;
	calls->cpu_high_s = 0.0105;
	calls->blocked_s = calls->blocked_low_s = calls->blocked_high_s = 0;
	calls->usable_cpus = 4;
}

static const struct sm_finding *judge(struct judged *judged, const char *id)
{
	assert_int_equal(sm_judge_calls_run(&judged->calls, &judged->arena, &judged->findings), 0);
	for (size_t i = 0; i < judged->findings.count; i++) {
		if (!strcmp(judged->findings.items[i].detector->id, id)) {
			return &judged->findings.items[i];
		}
	}
	return NULL;
}

static bool passed(const struct judged *judged, const char *id)
{
	for (size_t i = 0; i < judged->findings.passed_count; i++) {
		if (!strcmp(judged->findings.passed[i]->id, id)) {
			return true;
		}
	}
	return false;
}

static const char *lacked(const struct judged *judged, const char *id)
{
	for (size_t i = 0; i < judged->findings.not_judged_count; i++) {
		if (!strcmp(judged->findings.not_judged[i].key, id)) {
			return judged->findings.not_judged[i].value;
		}
	}
	return NULL;
}

static void is_near(double left, double right)
{
	assert_true(fabs(left - right) < 1e-9);
}

static void test_nothing_is_judged_without_calls(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.need_s = (double)NAN;
	assert_null(judge(&judged, "SM201"));
	assert_int_equal(judged.findings.passed_count, 0);
	assert_string_equal(lacked(&judged, "SM201"), "no call was timed");
	assert_null(lacked(&judged, "SM105"));
	sm_arena_finish(&judged.arena);
}

static void test_cpu_that_nothing_explains(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.cpu_looks = 40;
	judged.calls.python_looks = 4;
	const struct sm_finding *finding = judge(&judged, "SM201");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "native_cpu");
	is_near(finding->severity, 1);
	is_near(finding->severity_low, 0.95);
	assert_string_equal(finding->file, "train.py");
	assert_int_equal(finding->line, 41);
	assert_string_equal(finding->suggestions[0].text,
		"Run augment in DataLoader workers: 4 cores are usable, and calls do not wait for "
		"each "
		"other in processes.");
	is_near(finding->suggestions[0].speedup.high, 4);
	sm_arena_finish(&judged.arena);
}

static void test_a_library_is_named_where_it_is_most_of_it(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.native_module = "PIL";
	judged.calls.native_share = 0.8;
	const struct sm_finding *finding = judge(&judged, "SM201");
	assert_non_null(strstr(finding->suggestions[0].text, "Most of augment is Pillow (80 %)"));
	judged.calls.native_share = 0.4;
	assert_null(strstr(judge(&judged, "SM201")->suggestions[0].text, "Pillow"));
	sm_arena_finish(&judged.arena);
}

static void test_operations_of_torch_are_compiled_where_there_are_several(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.native_module = "torch";
	judged.calls.native_share = 0.9;
	judged.calls.tensor_calls = 6;
	assert_non_null(strstr(judge(&judged, "SM201")->suggestions[0].text, "torch.compile"));
	judged.calls.tensor_calls = 2;
	assert_null(strstr(judge(&judged, "SM201")->suggestions[0].text, "torch.compile"));
	sm_arena_finish(&judged.arena);
}

static void test_a_function_that_waits_computes_nothing(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.cpu_s = judged.calls.cpu_low_s = judged.calls.cpu_high_s = 0.0001;
	judged.calls.blocked_s = 0.0099;
	judged.calls.blocked_low_s = 0.0098;
	judged.calls.blocked_high_s = 0.0099;
	judged.calls.sleep_looks = 40;
	judged.calls.lock_looks = judged.calls.network_looks = judged.calls.file_looks =
		judged.calls.process_looks = 0;
	const struct sm_finding *finding = judge(&judged, "SM204");
	assert_non_null(finding);
	is_near(finding->severity, 0.99);
	assert_string_equal(finding->cause, "");
	assert_string_equal(finding->cause_detail, "sleep");
	assert_true(passed(&judged, "SM201"));
	judged.calls.read_bytes = 1e6;
	judged.calls.major_faults = 0;
	judged.calls.page_bytes = 4096;
	assert_string_equal(judge(&judged, "SM204")->cause, "cold_cache");
	judged.calls.major_faults = 200;
	assert_string_equal(judge(&judged, "SM204")->cause, "page_fault");
	sm_arena_finish(&judged.arena);
}

static void test_helper_threads_are_work_not_waiting(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.cpu_s = judged.calls.cpu_low_s = judged.calls.cpu_high_s = 0.001;
	judged.calls.blocked_s = judged.calls.blocked_low_s = judged.calls.blocked_high_s = 0.009;
	judged.calls.helper_cpu_s = 0.018;
	const struct sm_finding *finding = judge(&judged, "SM201");
	assert_non_null(finding);
	is_near(finding->severity, 1);
	assert_true(passed(&judged, "SM204"));
	sm_arena_finish(&judged.arena);
}

static void follow(struct judged *judged, const struct sm_calls_line *lines, size_t count)
{
	judged->calls.lines = lines;
	judged->calls.line_count = count;
	judged->calls.followed_cpu_s = 0.010;
	judged->calls.pass_s = 0.001;
	judged->calls.cpu_looks = 100;
	judged->calls.python_looks = 50;
}

static void test_a_loop_over_elements_is_named_by_its_line(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_line lines[] = {{"train.py:44", 1, 0.002, 0},
		{"/lib/numpy/core.py:7", 10000, 0.02, 1}, {"train.py:46", 10000, 0.01, 0}};
	follow(&judged, lines, 3);
	const struct sm_finding *finding = judge(&judged, "SM205");
	assert_non_null(finding);
	assert_int_equal(finding->line, 46);
	is_near(finding->severity, 0.7);     /* 8 of 10 ms, less a pass over the data */
	is_near(finding->severity_low, 0.4); /* the interpreter's half of the 8 */
	is_near(judge(&judged, "SM201")->severity, 0.3);
	sm_arena_finish(&judged.arena);
}

static void test_a_line_that_runs_for_every_number_may_take_longer(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_line lines[] = {{"train.py:44", 300, 0.009, 0}}; /* 30 us a run */
	follow(&judged, lines, 1);
	assert_null(judge(&judged, "SM205"));
	judged.calls.followed_elements = 300;
	assert_non_null(judge(&judged, "SM205"));
	judged.calls.followed_elements = 3000; /* a row each, then */
	assert_null(judge(&judged, "SM205"));
	sm_arena_finish(&judged.arena);
}

static void test_a_loop_over_native_work_is_none(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_line heavy[] = {{"train.py:44", 64, 0.010, 0}};
	follow(&judged, heavy, 1);
	assert_null(judge(&judged, "SM205"));
	assert_true(passed(&judged, "SM205"));
	const struct sm_calls_line few[] = {{"train.py:44", 16, 0.00001, 0}};
	follow(&judged, few, 1);
	assert_null(judge(&judged, "SM205"));
	judged.calls.line_count = 0;
	judged.calls.no_lines = "it failed";
	assert_null(judge(&judged, "SM205"));
	assert_string_equal(lacked(&judged, "SM205"), "it failed");
	sm_arena_finish(&judged.arena);
}

static void test_fresh_memory(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.page_bytes = 4096;
	judged.calls.minor_faults = 4000;
	judged.calls.fault_s = 1e-6;
	judged.calls.fault_low_s = 0.9e-6;
	judged.calls.fault_high_s = 1.1e-6;
	judged.calls.allocated_bytes = 4000 * 4096.0;
	const struct sm_finding *finding = judge(&judged, "SM202");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "allocation");
	is_near(finding->severity, 0.4);
	is_near(finding->severity_low, 0.36);
	is_near(finding->severity_high, 0.44);
	judged.calls.allocated_bytes = 1000;
	assert_string_equal(judge(&judged, "SM202")->cause, "page_fault");
	judged.calls.minor_faults = 100;
	assert_null(judge(&judged, "SM202"));
	assert_true(passed(&judged, "SM202"));
	sm_arena_finish(&judged.arena);
}

static void test_huge_pages_are_counted_by_what_they_hold(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.page_bytes = 4096;
	judged.calls.huge_page_bytes = 2097152;
	judged.calls.minor_faults = 20;
	judged.calls.fault_s = judged.calls.fault_low_s = judged.calls.fault_high_s = 1e-6;
	judged.calls.huge_fault_s = 200e-6;
	judged.calls.huge_fault_low_s = 150e-6;
	judged.calls.huge_fault_high_s = 300e-6;
	judged.calls.allocated_bytes = 16 * 2097152.0;
	const struct sm_finding *finding = judge(&judged, "SM202");
	assert_non_null(finding);
	is_near(finding->severity, 0.3204); /* 16 of 200 us, 4 of 1 us in 10 ms */
	judged.calls.minor_faults = 2;	    /* from memory that it had already */
	assert_null(judge(&judged, "SM202"));
	sm_arena_finish(&judged.arena);
}

static void test_copies_that_cost_more_than_faults(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.copy_share = 0.5;
	judged.calls.copy_low_share = 0.45;
	judged.calls.copy_high_share = 0.55;
	judged.calls.copy_name = "astype";
	judged.calls.copy_where = "train.py:47";
	const struct sm_finding *finding = judge(&judged, "SM202");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "copy");
	assert_string_equal(finding->cause_detail, "astype");
	assert_int_equal(finding->line, 47);
	is_near(finding->severity, 0.5);
	sm_arena_finish(&judged.arena);
}

static void test_a_device_that_would_be_faster(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.no_device = "torch sees no CUDA device";
	assert_null(judge(&judged, "SM203"));
	assert_false(passed(&judged, "SM203"));
	assert_string_equal(lacked(&judged, "SM203"), "torch sees no CUDA device");
	judged.calls.device = 1;
	judged.calls.device_name = "H200";
	judged.calls.device_s = 0.002;
	judged.calls.device_low_s = 0.0019;
	judged.calls.device_high_s = 0.0021;
	const struct sm_finding *finding = judge(&judged, "SM203");
	assert_non_null(finding);
	is_near(finding->severity, 0.8);
	assert_non_null(strstr(finding->suggestions[0].text, "torchvision.transforms.v2"));
	assert_null(strstr(finding->suggestions[0].text, "torch.cuda.amp"));
	judged.calls.device_s = 0.0099;
	judged.calls.device_high_s = 0.012; /* no faster that anybody could tell */
	assert_null(judge(&judged, "SM203"));
	assert_true(passed(&judged, "SM203"));
	sm_arena_finish(&judged.arena);
}

static void repeat(struct judged *judged)
{
	judged->calls.units = 100;
	judged->calls.unit_s = 0.010;
	judged->calls.hit_share = 0.6;
	judged->calls.deterministic = 1;
	judged->calls.lookup_s = 0.0005;
	judged->calls.entries = 40;
	judged->calls.entry_bytes = 1000;
	judged->calls.memory_bytes = 1e9;
}

static void test_inputs_that_come_again(void **state)
{
	struct judged judged;
	setup(&judged);
	repeat(&judged);
	const struct sm_finding *finding = judge(&judged, "SM206");
	assert_non_null(finding);
	is_near(finding->severity, 0.6 - 0.05); /* every input is looked up, hit or not */
	assert_string_equal(finding->suggestions[0].changes[0].key, "cache_size");
	assert_int_equal(finding->suggestions[0].changes[0].value, 40);
	sm_arena_finish(&judged.arena);
}

static void test_what_a_cache_cannot_or_need_not_keep(void **state)
{
	struct judged judged;
	setup(&judged);
	repeat(&judged);
	judged.calls.deterministic = 0;
	assert_null(judge(&judged, "SM206"));
	repeat(&judged);
	judged.calls.hit_share = 0;
	assert_null(judge(&judged, "SM206"));
	repeat(&judged);
	judged.calls.memory_bytes = 1000;
	assert_null(judge(&judged, "SM206"));
	repeat(&judged);
	judged.calls.lookup_s = 0.02; /* to recognise takes longer than to compute */
	assert_null(judge(&judged, "SM206"));
	assert_true(passed(&judged, "SM206"));
	judged.calls.hit_share = (double)NAN;
	assert_null(judge(&judged, "SM206"));
	assert_false(passed(&judged, "SM206"));
	sm_arena_finish(&judged.arena);
}

static void test_a_larger_batch_that_costs_less(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_batch batches[] = {{1, 0.010, 0.0099, 0.0101},
		{8, 0.017, 0.0169, 0.0171}, {64, 0.073, 0.0729, 0.0731}};
	judged.calls.batches = batches;
	judged.calls.batch_count = 3;
	judged.calls.batch_size = 1;
	const struct sm_finding *finding = judge(&judged, "SM207");
	assert_non_null(finding);
	is_near(finding->severity, 1 - 0.073 / 64 / 0.010);
	assert_int_equal(finding->suggestions[0].changes[0].value, 64);
	sm_arena_finish(&judged.arena);
}

/* 9 ms + 1 ms a sample: at 64, an eighth of the 9 ms is left at 512. */
static void test_the_largest_batch_is_judged_by_the_line(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_batch batches[] = {{1, 0.010, 0.0099, 0.0101},
		{8, 0.017, 0.0169, 0.0171}, {64, 0.073, 0.0729, 0.0731}};
	judged.calls.batches = batches;
	judged.calls.batch_count = 3;
	judged.calls.batch_size = 64;
	judged.calls.need_s = 0.073;
	const struct sm_finding *finding = judge(&judged, "SM207");
	assert_non_null(finding);
	is_near(finding->severity, 0.009 * 7 / 8 / 0.073);
	assert_int_equal(finding->suggestions[0].changes[0].value, 512);
	assert_int_equal(finding->confidence, SM_CONFIDENCE_MEDIUM);
	sm_arena_finish(&judged.arena);
}

static void test_a_batch_that_noise_cannot_tell_from_the_best(void **state)
{
	struct judged judged;
	setup(&judged);
	const struct sm_calls_batch batches[] = {
		{8, 0.010, 0.008, 0.012}, {16, 0.018, 0.014, 0.022}, {32, 0.040, 0.036, 0.044}};
	judged.calls.batches = batches;
	judged.calls.batch_count = 3;
	judged.calls.batch_size = 8;
	assert_null(judge(&judged, "SM207"));
	assert_true(passed(&judged, "SM207"));
	judged.calls.batch_size = 16; /* the best, and a larger one was measured */
	assert_null(judge(&judged, "SM207"));
	judged.calls.batch_count = 2;
	assert_null(judge(&judged, "SM207"));
	assert_false(passed(&judged, "SM207"));
	sm_arena_finish(&judged.arena);
}

static void test_time_that_grows_faster_than_its_input(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.growth = 2;
	judged.calls.growth_low = 1.9;
	judged.calls.growth_high = 2.1;
	judged.calls.growth_size = 1000;
	judged.calls.growth_least_size = 125;
	const struct sm_finding *finding = judge(&judged, "SM208");
	assert_non_null(finding);
	assert_string_equal(finding->cause, "superlinear");
	is_near(finding->severity, 1 - 1.0 / 8);
	judged.calls.growth = 1.2;
	judged.calls.growth_low = 1.1;
	assert_null(judge(&judged, "SM208"));
	assert_true(passed(&judged, "SM208"));
	judged.calls.growth = 2;
	judged.calls.growth_low = 0.5;
	assert_null(judge(&judged, "SM208"));
	sm_arena_finish(&judged.arena);
}

static void test_work_done_twice_or_for_nothing_or_too_early(void **state)
{
	struct judged judged;
	setup(&judged);
	judged.calls.duplicate_share = judged.calls.duplicate_low_share =
		judged.calls.duplicate_high_share = 0.3;
	judged.calls.duplicate_calls = 3;
	judged.calls.duplicate_name = "table";
	judged.calls.duplicate_where = "train.py:12";
	const struct sm_finding *finding = judge(&judged, "SM208");
	assert_string_equal(finding->cause, "duplicate_work");
	assert_string_equal(finding->name, "table");
	assert_int_equal(finding->line, 12);
	is_near(finding->severity, 0.3);
	sm_arena_finish(&judged.arena);
	setup(&judged);
	judged.calls.idle_name = "ToRGB";
	judged.calls.idle_s = judged.calls.idle_low_s = judged.calls.idle_high_s = 0.002;
	finding = judge(&judged, "SM208");
	assert_string_equal(finding->suggestions[0].text,
		"Leave ToRGB out: what it returned was what it was "
		"given, and it takes 2 ms a call.");
	sm_arena_finish(&judged.arena);
	setup(&judged);
	judged.calls.order_name = "Resize";
	judged.calls.order_s = 0.004;
	judged.calls.order_low_s = 0.0035;
	judged.calls.order_high_s = 0.0045;
	finding = judge(&judged, "SM208");
	assert_string_equal(finding->cause, "wrong_order");
	is_near(finding->severity, 0.6);
	judged.calls.order_high_s = 0.012;
	assert_null(judge(&judged, "SM208"));
	sm_arena_finish(&judged.arena);
}

static void test_every_word_of_a_suggestion_has_its_meaning(void **state)
{
	struct judged judged;
	setup(&judged);
	repeat(&judged);
	judged.calls.page_bytes = 4096;
	judged.calls.minor_faults = 4000;
	judged.calls.fault_s = judged.calls.fault_low_s = judged.calls.fault_high_s = 1e-6;
	judged.calls.allocated_bytes = 0;
	judged.calls.blocked_s = judged.calls.blocked_low_s = judged.calls.blocked_high_s = 0.004;
	judged.calls.read_bytes = 1e6;
	judged.calls.major_faults = 0;
	judged.calls.growth = judged.calls.growth_low = judged.calls.growth_high = 2;
	judged.calls.growth_size = 8;
	judged.calls.growth_least_size = 1;
	(void)judge(&judged, "SM201");
	assert_true(judged.findings.count >= 4);
	for (size_t i = 0; i < judged.findings.count; i++) {
		const struct sm_finding *finding = &judged.findings.items[i];
		assert_true(finding->suggestion_count > 0);
		for (size_t s = 0; s < finding->suggestion_count; s++) {
			assert_null(strchr(finding->suggestions[s].text, '{'));
		}
	}
	sm_arena_finish(&judged.arena);
}

static void test_no_memory_is_said(void **state)
{
	for (int n = 1; n < 4; n++) {
		struct judged judged;
		setup(&judged);
		sm_mem_fail_at(n);
		int error = sm_judge_calls_run(&judged.calls, &judged.arena, &judged.findings);
		sm_mem_fail_at(0);
		assert_true(error == 0 || error == -ENOMEM);
		assert_true(n > 1 || error == -ENOMEM);
		sm_arena_finish(&judged.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_judged_without_calls),
		cmocka_unit_test(test_cpu_that_nothing_explains),
		cmocka_unit_test(test_a_library_is_named_where_it_is_most_of_it),
		cmocka_unit_test(test_operations_of_torch_are_compiled_where_there_are_several),
		cmocka_unit_test(test_a_function_that_waits_computes_nothing),
		cmocka_unit_test(test_helper_threads_are_work_not_waiting),
		cmocka_unit_test(test_a_loop_over_elements_is_named_by_its_line),
		cmocka_unit_test(test_a_line_that_runs_for_every_number_may_take_longer),
		cmocka_unit_test(test_a_loop_over_native_work_is_none),
		cmocka_unit_test(test_fresh_memory),
		cmocka_unit_test(test_huge_pages_are_counted_by_what_they_hold),
		cmocka_unit_test(test_copies_that_cost_more_than_faults),
		cmocka_unit_test(test_a_device_that_would_be_faster),
		cmocka_unit_test(test_inputs_that_come_again),
		cmocka_unit_test(test_what_a_cache_cannot_or_need_not_keep),
		cmocka_unit_test(test_a_larger_batch_that_costs_less),
		cmocka_unit_test(test_the_largest_batch_is_judged_by_the_line),
		cmocka_unit_test(test_a_batch_that_noise_cannot_tell_from_the_best),
		cmocka_unit_test(test_time_that_grows_faster_than_its_input),
		cmocka_unit_test(test_work_done_twice_or_for_nothing_or_too_early),
		cmocka_unit_test(test_every_word_of_a_suggestion_has_its_meaning),
		cmocka_unit_test(test_no_memory_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
