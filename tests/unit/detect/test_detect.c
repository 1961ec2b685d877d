/* The frame: what cannot be judged, what is noted about the measurement, and the table itself. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>

#include "detect/judge.h"
#include "detect/words.h"

#include <string.h>
#include <strings.h>

static struct analysis_make *ordinary(size_t batches)
{
	struct analysis_make *make = analysis_make_create(2, batches);
	analysis_make_spend(make, SM_STAGE_COMPUTE, &(struct analysis_spent){.computing_s = 0.010});
	return make;
}

/* SM2xx: no run is judged by them. */
static size_t rules_of_calls(void)
{
	size_t count = 0;
	for (int i = 0; i < sm_detect_table_count; i++) {
		count += sm_detect_table[i]->look_at_calls != NULL;
	}
	return count;
}

static void test_a_healthy_run_passes_what_can_be_judged(void **state)
{
	struct analysis_make *make = ordinary(200);
	analysis_make_run(make);
	assert_int_equal(make->findings.count, 0);
	assert_int_equal(sm_findings_shown_count(&make->findings), 0);
	assert_int_equal(make->findings.passed_count + make->findings.not_judged_count,
		(size_t)sm_detect_table_count - rules_of_calls());
	assert_false(analysis_make_passed(make, "SM205"));
	analysis_make_destroy(make);
}

static void test_three_steps_are_not_judged(void **state)
{
	struct analysis_make *make = ordinary(3);
	analysis_make_transform(make, "Blur", "", &(struct analysis_spent){.computing_s = 0.5});
	analysis_make_run(make);
	assert_int_equal(make->findings.count, 1);
	assert_string_equal(make->findings.items[0].detector->id, "SM701");
	assert_string_equal(make->findings.items[0].risk,
		"3 steps were recorded; 20 are needed before anything is judged.");
	assert_string_equal(analysis_make_not_judged(make, "SM105"), "too few steps were recorded");
	analysis_make_destroy(make);
}

static void test_a_run_without_loaders_is_not_judged(void **state)
{
	struct analysis_make *make = ordinary(20);
	make->analysis.loader_count = 0;
	make->model.events = 7;
	analysis_make_run(make);
	assert_int_equal(make->findings.count, 0);
	assert_string_equal(analysis_make_not_judged(make, "SM102"), "no loader was iterated");
	assert_string_equal(analysis_make_not_judged(make, "SM701"), "no loader was iterated");
	assert_false(analysis_make_passed(make, "SM701"));
	assert_true(analysis_make_passed(make, "SM702"));
	analysis_make_destroy(make);
}

static void test_lost_events_are_said(void **state)
{
	struct analysis_make *make = ordinary(200);
	make->model.events = 900;
	make->model.events_lost = 100;
	analysis_make_run(make);
	const struct sm_finding *finding = analysis_make_finding(make, "SM702");
	assert_non_null(finding);
	assert_true(isnan(finding->severity));
	assert_string_equal(finding->risk, "100 of the recorded events (10 %) were lost: sums are "
					   "too small by about that much.");
	analysis_make_destroy(make);
}

static void check_overhead(double own_s, double share, bool fires)
{
	struct analysis_make *make = ordinary(200);
	make->analysis.own_cpu_s = own_s;
	make->analysis.own_cpu_share = share;
	analysis_make_run(make);
	assert_int_equal(analysis_make_finding(make, "SM703") != NULL, fires);
	analysis_make_destroy(make);
}

static void test_our_own_overhead(void **state)
{
	check_overhead(0.5, 0.02, true);
	check_overhead(0.08, 0.02, false); /* a short run's start */
	check_overhead(0.5, 0.004, false);
	check_overhead(0.5, (double)NAN, false);
}

/* A loader that took a tenth of the run can give back no more than that. */
static void test_severity_is_of_the_run(void **state)
{
	struct analysis_make *make = ordinary(200);
	analysis_make_transform(make, "Blur", "", &(struct analysis_spent){.computing_s = 0.2});
	analysis_make_run(make);
	double alone = analysis_make_finding(make, "SM105")->severity;
	make->analysis.time_s *= 10;
	struct sm_findings findings;
	assert_int_equal(sm_detect_run(&make->analysis, &findings), 0);
	assert_float_equal(findings.items[0].severity, alone / 10, 1e-9);
	analysis_make_destroy(make);
}

static void test_a_detector_is_found_by_id_and_by_type(void **state)
{
	assert_string_equal(sm_detect_find("SM105")->type, "PREPROCESSING_BOTTLENECK");
	assert_string_equal(sm_detect_find("slow_samples")->id, "SM109");
	assert_null(sm_detect_find("SM999"));
	assert_null(sm_detect_find(""));
}

static bool is_filled(const struct sm_detector *detector, const char *text, struct sm_arena *arena)
{
	const char *filled = sm_words_explain(detector, text, arena);
	return filled && filled[0] && !strchr(filled, '{');
}

static void test_every_detector_says_everything(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	for (int i = 0; i < sm_detect_table_count; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		assert_ptr_equal(sm_detect_find(detector->id), detector);
		assert_ptr_equal(sm_detect_find(detector->type), detector);
		assert_int_equal((detector->look_at_loader != NULL) +
					 (detector->look_at_run != NULL) +
					 (detector->look_at_calls != NULL),
			1);
		assert_true(detector->title[0] && detector->summary[0]);
		assert_true(is_filled(detector, detector->evidence, &arena));
		assert_true(is_filled(detector, detector->fixes, &arena));
		assert_true(is_filled(detector, detector->wrong, &arena));
		assert_null(strchr(sm_words_explain(detector, detector->causes, &arena), '{'));
	}
	sm_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_run_passes_what_can_be_judged),
		cmocka_unit_test(test_three_steps_are_not_judged),
		cmocka_unit_test(test_a_run_without_loaders_is_not_judged),
		cmocka_unit_test(test_lost_events_are_said),
		cmocka_unit_test(test_our_own_overhead),
		cmocka_unit_test(test_severity_is_of_the_run),
		cmocka_unit_test(test_a_detector_is_found_by_id_and_by_type),
		cmocka_unit_test(test_every_detector_says_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
