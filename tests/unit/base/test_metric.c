/* The list of counters: its ids are in files for ever. */
#include "base/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>

static void ids_are_unique_and_in_order(void **state)
{
	for (int i = 0; i < sm_metric_table_count; i++) {
		assert_in_range(sm_metric_table[i].id, 1, SM_METRIC_LIMIT - 1);
		if (i) {
			assert_true(sm_metric_table[i].id > sm_metric_table[i - 1].id);
		}
	}
}

static void names_are_unique_and_every_word_is_there(void **state)
{
	for (int i = 0; i < sm_metric_table_count; i++) {
		const struct sm_metric_info *info = &sm_metric_table[i];
		assert_non_null(strchr(info->name, '.'));
		assert_true(*info->unit && *info->summary);
		for (int other = 0; other < i; other++) {
			assert_string_not_equal(info->name, sm_metric_table[other].name);
		}
	}
}

static void find_knows_all_and_nothing_else(void **state)
{
	for (int i = 0; i < sm_metric_table_count; i++) {
		assert_ptr_equal(sm_metric_find(sm_metric_table[i].id), &sm_metric_table[i]);
	}
	assert_null(sm_metric_find(0));
	assert_null(sm_metric_find(-1));
	assert_null(sm_metric_find(SM_METRIC_LIMIT));
}

/* A change of one of these would make old traces lie. */
static void some_ids_are_frozen(void **state)
{
	assert_int_equal(SM_METRIC_CPU_USER, 1);
	assert_int_equal(SM_METRIC_PROC_CPU, 30);
	assert_int_equal(SM_METRIC_GROUP_THROTTLED_TIME, 52);
	assert_int_equal(SM_METRIC_SELF_CPU, 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_unique_and_in_order),
		cmocka_unit_test(names_are_unique_and_every_word_is_there),
		cmocka_unit_test(find_knows_all_and_nothing_else),
		cmocka_unit_test(some_ids_are_frozen),
	};
	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
