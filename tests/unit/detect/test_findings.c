/* Findings: the order they are told in, and how they grow. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>

#include "detect/detect.h"

static struct sm_findings with(
	struct sm_arena *arena, const char *const *ids, const double *severities, size_t count)
{
	struct sm_findings findings = {.arena = arena};
	for (size_t i = 0; i < count; i++) {
		struct sm_finding *finding =
			sm_findings_add(&findings, sm_detect_find(ids[i]), NULL);
		assert_non_null(finding);
		finding->severity = finding->severity_low = finding->severity_high = severities[i];
	}
	sm_findings_sort(&findings);
	return findings;
}

static void test_larger_first_risks_last(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	const char *const ids[] = {"SM105", "SM115", "SM101", "SM107"};
	const double severities[] = {0.1, (double)NAN, 0.5, 0.03};
	struct sm_findings findings = with(&arena, ids, severities, 4);
	assert_string_equal(findings.items[0].detector->id, "SM101");
	assert_string_equal(findings.items[1].detector->id, "SM105");
	assert_string_equal(findings.items[2].detector->id, "SM107");
	assert_string_equal(findings.items[3].detector->id, "SM115");
	assert_int_equal(sm_findings_shown_count(&findings), 2);
	sm_arena_finish(&arena);
}

static void test_what_cannot_be_told_apart_shares_one_size(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	const char *const ids[] = {"SM105", "SM102", "SM107"};
	const double severities[] = {0.500, 0.480, 0.470}; /* the last is 6 % below the first */
	struct sm_findings findings = with(&arena, ids, severities, 3);
	assert_string_equal(findings.items[0].detector->id, "SM102");
	assert_string_equal(findings.items[1].detector->id, "SM105");
	assert_true(findings.items[0].severity == 0.480 && findings.items[1].severity == 0.480);
	assert_true(findings.items[1].severity_low <= 0.480 &&
		    findings.items[1].severity_high == 0.500);
	assert_string_equal(findings.items[2].detector->id, "SM107");
	assert_true(findings.items[2].severity == 0.470);
	sm_arena_finish(&arena);
}

static void test_many(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	const char *ids[100];
	double severities[100];
	for (int i = 0; i < 100; i++) {
		ids[i] = "SM105";
		severities[i] = (i * 37 % 100) / 100.0;
	}
	struct sm_findings findings = with(&arena, ids, severities, 100);
	for (size_t i = 1; i < findings.count; i++) {
		assert_true(findings.items[i - 1].severity >= findings.items[i].severity);
	}
	assert_int_equal(findings.count, 100);
	sm_arena_finish(&arena);
}

static void test_the_first_reason_stays(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_findings findings = {.arena = &arena};
	assert_int_equal(sm_findings_lack(&findings, sm_detect_find("SM301"), "one"), 0);
	assert_int_equal(sm_findings_lack(&findings, sm_detect_find("SM301"), "two"), 0);
	assert_int_equal(findings.not_judged_count, 1);
	assert_string_equal(findings.not_judged[0].value, "one");
	sm_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_larger_first_risks_last),
		cmocka_unit_test(test_what_cannot_be_told_apart_shares_one_size),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_the_first_reason_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
