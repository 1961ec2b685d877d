/* One finding: its evidence, its place, its words. */
#include "make/analysis_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>

#include "detect/detect.h"
#include "detect/words.h"

static struct sm_finding *new_finding(struct sm_findings *findings)
{
	struct sm_finding *finding = sm_findings_add(findings, sm_detect_find("SM105"), NULL);
	assert_non_null(finding);
	return finding;
}

static void test_words_are_filled(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_findings findings = {.arena = &arena};
	struct sm_finding *finding = new_finding(&findings);
	finding->name = "Blur";
	sm_finding_evidence(finding, "busy_share", 0.994, "share");
	sm_finding_evidence(finding, "call_s", 0.0123, "s");
	sm_finding_evidence(finding, "read_bytes", 835e3, "bytes");
	sm_finding_evidence(finding, "batches", 40, "count");
	sm_finding_evidence(finding, "unknown_s", (double)NAN, "s");
	struct sm_suggestion *suggestion = sm_finding_suggest(finding,
		"{name}: {busy_share}, {call_s}, {read_bytes}, {batches}, {num_workers}, "
		"{unknown_s}, {MOST_PERCENT}, {open");
	sm_finding_change(suggestion, "num_workers", 6);
	assert_int_equal(sm_words_fill(finding, &arena), 0);
	assert_string_equal(finding->suggestions[0].text,
		"Blur: 99 %, 12.3 ms, 835 kB, 40, 6, {unknown_s}, 50, {open");
	assert_true(isnan(finding->suggestions[0].speedup.middle));
	assert_int_equal(finding->evidence_count, 4);
	sm_arena_finish(&arena);
}

static void test_places(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_findings findings = {.arena = &arena};
	struct sm_finding *finding = new_finding(&findings);
	assert_int_equal(sm_finding_place(finding, &arena, "Blur", "my dir/train.py:41"), 0);
	assert_string_equal(finding->file, "my dir/train.py");
	assert_int_equal(finding->line, 41);
	assert_int_equal(sm_finding_place(finding, &arena, "Blur", ""), 0);
	assert_string_equal(finding->file, "");
	assert_int_equal(finding->line, 0);
	sm_arena_finish(&arena);
}

static void test_no_room_is_no_harm(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_findings findings = {.arena = &arena};
	struct sm_finding *finding = new_finding(&findings);
	for (int i = 0; i < SM_EVIDENCE_MAX + 3; i++) {
		sm_finding_evidence(finding, "n", i, "count");
	}
	for (int i = 0; i < SM_SUGGESTION_MAX; i++) {
		assert_non_null(sm_finding_suggest(finding, "x"));
	}
	assert_null(sm_finding_suggest(finding, "x"));
	assert_int_equal(finding->evidence_count, SM_EVIDENCE_MAX);
	sm_arena_finish(&arena);
}

static void test_doubt_has_a_floor(void **state)
{
	struct sm_finding finding = {.confidence = SM_CONFIDENCE_HIGH};
	for (int i = 0; i < 4; i++) {
		sm_finding_doubt(&finding);
	}
	assert_int_equal(finding.confidence, SM_CONFIDENCE_LOW);
	assert_string_equal(sm_detect_confidence_name(finding.confidence), "low");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_filled),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_no_room_is_no_harm),
		cmocka_unit_test(test_doubt_has_a_floor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
