/* A parent's counters, with those of its children in them from when it waits for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/inherited.h"

static struct sm_inherited parent, child;

static int begin(void **state)
{
	parent = child = (struct sm_inherited){0};
	return 0;
}

static int end(void **state)
{
	sm_inherited_finish(&parent);
	return 0;
}

/* One round of the file; what is handed on as calls. */
static double see(struct sm_inherited *process, double chars, double calls)
{
	assert_true(sm_inherited_own(process, SM_METRIC_PROC_READ_CHARS, chars) <= chars);
	return sm_inherited_own(process, SM_METRIC_PROC_READ_CALLS, calls);
}

static void nothing_changes_without_children(void **state)
{
	assert_true(see(&parent, 1000, 10) == 10);
	assert_true(see(&parent, 5000, 50) == 50);
	assert_true(sm_inherited_own(&parent, SM_METRIC_PROC_RSS, 7) == 7);
}

static void a_childs_part_is_left_out_when_it_comes(void **state)
{
	see(&parent, 1000, 10);
	see(&child, 90000, 300);
	sm_inherited_add(&parent, &child);
	assert_true(see(&parent, 1100, 11) == 11); /* it has not waited for it yet */
	assert_true(see(&parent, 91200, 312) == 12);
	assert_true(see(&parent, 91300, 313) == 13);
}

/* What the child did after we looked last is in nobody else's counter. */
static void its_last_moments_count(void **state)
{
	see(&parent, 1000, 10);
	see(&child, 90000, 300);
	sm_inherited_add(&parent, &child);
	assert_true(see(&parent, 1000 + 90000 + 500, 10 + 300 + 5) == 15);
}

static void many_children_at_once_and_one_after_the_other(void **state)
{
	see(&parent, 1000, 10);
	for (int i = 1; i <= 8; i++) {
		child = (struct sm_inherited){0};
		see(&child, 1000.0 * i, 100.0 * i);
		sm_inherited_add(&parent, &child);
	}
	assert_true(see(&parent, 1000 + 3000, 10 + 300) == 10); /* the first two */
	assert_true(see(&parent, 1000 + 36000, 10 + 3600 + 4) == 14);
}

/* The parent reads more by itself than the child ever did, and waits for it much later. */
static void taken_too_early_the_sum_stays_right(void **state)
{
	see(&parent, 1000, 10);
	see(&child, 500, 400);
	sm_inherited_add(&parent, &child);
	double early = see(&parent, 100000, 20);
	assert_true(early == 10); /* never lower than before */
	double late = see(&parent, 100500, 420);
	assert_true(late == 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_changes_without_children, begin, end),
		cmocka_unit_test_setup_teardown(
			a_childs_part_is_left_out_when_it_comes, begin, end),
		cmocka_unit_test_setup_teardown(its_last_moments_count, begin, end),
		cmocka_unit_test_setup_teardown(
			many_children_at_once_and_one_after_the_other, begin, end),
		cmocka_unit_test_setup_teardown(taken_too_early_the_sum_stays_right, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
