/* Which group a counter belongs to, and the words of those that are left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metric.h"
#include "base/tracking.h"

#include <string.h>

/* A counter that is added and forgotten here could not be switched off. */
static void every_counter_has_its_group_or_is_meant_to_have_none(void **state)
{
	for (int i = 0; i < sm_metric_table_count; i++) {
		const struct sm_metric_info *info = &sm_metric_table[i];
		bool is_own = info->scope == SM_SCOPE_SELF;
		bool is_look = strstr(info->name, "looks") != NULL;
		assert_int_equal(sm_tracking_of(info->id) == 0, is_own || is_look);
	}
	assert_int_equal(sm_tracking_of(0), 0);
}

static void families_are_where_they_belong(void **state)
{
	assert_int_equal(sm_tracking_of(SM_METRIC_CPU_STEAL), SM_TRACKING_CPU);
	assert_int_equal(sm_tracking_of(SM_METRIC_PRESSURE_IO_FULL), SM_TRACKING_IO);
	assert_int_equal(sm_tracking_of(SM_METRIC_PRESSURE_MEM_SOME), SM_TRACKING_MEMORY);
	assert_int_equal(sm_tracking_of(SM_METRIC_PROC_RSS), SM_TRACKING_MEMORY);
	assert_int_equal(sm_tracking_of(SM_METRIC_PROC_WRITE_CALLS), SM_TRACKING_IO);
	assert_int_equal(sm_tracking_of(SM_METRIC_PROC_GPU_RESERVED), SM_TRACKING_GPU);
	assert_int_equal(sm_tracking_of(SM_METRIC_GROUP_CACHE), SM_TRACKING_MEMORY);
}

static void words_are_read(void **state)
{
	unsigned groups = 99;
	assert_true(sm_tracking_read("", ',', &groups, NULL));
	assert_int_equal(groups, 0);
	assert_true(sm_tracking_read("io,memory,io", ',', &groups, NULL));
	assert_int_equal(groups, SM_TRACKING_IO | SM_TRACKING_MEMORY);
	for (int i = 0; i < SM_TRACKING_COUNT; i++) {
		assert_true(sm_tracking_read(sm_tracking_name(i), ',', &groups, NULL));
		assert_int_equal(groups, 1 << i);
	}
}

static void what_is_no_word_is_refused_and_shown(void **state)
{
	static const struct {
		const char *words, *wrong;
	} rows[] = {{"disk", "disk"}, {"cpu,disk", "disk"}, {"cpu,", ","}, {",cpu", ",cpu"},
		{"CPU", "CPU"}, {"cpu io", "cpu io"}, {"memor", "memor"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned groups = 99;
		const char *wrong = NULL;
		assert_false(sm_tracking_read(rows[i].words, ',', &groups, &wrong));
		assert_string_equal(wrong, rows[i].wrong);
		assert_int_equal(groups, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_has_its_group_or_is_meant_to_have_none),
		cmocka_unit_test(families_are_where_they_belong),
		cmocka_unit_test(words_are_read),
		cmocka_unit_test(what_is_no_word_is_refused_and_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
