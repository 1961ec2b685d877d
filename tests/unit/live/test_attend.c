/* What keys do. */
#include "live/attend.h"
#include "live/tui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void type(struct sm_attend *attend, char key)
{
	sm_attend_key(attend, SM_TUI_CHARACTER + key);
}

static void test_letters(void **state)
{
	struct sm_attend attend = {0};
	type(&attend, 'p');
	assert_true(attend.options.paused);
	type(&attend, ' ');
	assert_false(attend.options.paused);
	type(&attend, '?');
	assert_true(attend.options.help);
	type(&attend, '?');
	assert_false(attend.options.help);
	type(&attend, 'x');
	assert_false(attend.leaves);
	type(&attend, 'q');
	assert_true(attend.leaves);
}

static void test_every_order_comes_round(void **state)
{
	struct sm_attend attend = {.options = {.scroll = 5}};
	for (int i = 1; i <= SM_PICTURE_SORT_COUNT; i++) {
		type(&attend, 's');
		assert_int_equal(attend.options.sort, i % SM_PICTURE_SORT_COUNT);
		assert_int_equal(attend.options.scroll, 0);
	}
}

static void test_scrolling_stays_inside(void **state)
{
	struct sm_attend attend = {.worker_count = 20, .workers_shown = 8};
	sm_attend_key(&attend, SM_TUI_UP);
	assert_int_equal(attend.options.scroll, 0);
	sm_attend_key(&attend, SM_TUI_DOWN);
	assert_int_equal(attend.options.scroll, 1);
	sm_attend_key(&attend, SM_TUI_PAGE_DOWN);
	assert_int_equal(attend.options.scroll, 8);
	sm_attend_key(&attend, SM_TUI_PAGE_DOWN);
	assert_int_equal(attend.options.scroll, 12);
	sm_attend_key(&attend, SM_TUI_HOME);
	assert_int_equal(attend.options.scroll, 0);
	sm_attend_key(&attend, SM_TUI_END);
	assert_int_equal(attend.options.scroll, 12);
	sm_attend_key(&attend, SM_TUI_PAGE_UP);
	assert_int_equal(attend.options.scroll, 5);
}

static void test_fewer_workers_than_rows(void **state)
{
	struct sm_attend attend = {.worker_count = 2, .workers_shown = 2};
	const int keys[] = {SM_TUI_DOWN, SM_TUI_PAGE_DOWN, SM_TUI_END};
	for (size_t i = 0; i < 3; i++) {
		sm_attend_key(&attend, keys[i]);
		assert_int_equal(attend.options.scroll, 0);
	}
}

static void test_a_signal_leaves(void **state)
{
	struct sm_attend attend = {0};
	sm_attend_key(&attend, SM_TUI_RESIZED);
	assert_false(attend.leaves);
	sm_attend_key(&attend, SM_TUI_STOPPED);
	assert_true(attend.leaves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_every_order_comes_round),
		cmocka_unit_test(test_scrolling_stays_inside),
		cmocka_unit_test(test_fewer_workers_than_rows),
		cmocka_unit_test(test_a_signal_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
