/* Work in a copy of this process: its result comes back, its changes do not, and its death is noticed. */
#include "live/aside.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int counted;

static int count_on(void *context, void *result)
{
	counted++;
	*(int *)result = counted + *(int *)context;
	return 0;
}

static int fall_short(void *context, void *result)
{
	return -ENOMEM;
}

static int die(void *context, void *result)
{
	raise(SIGKILL);
	return 0;
}

static int wait_for_ever(void *context, void *result)
{
	return pause();
}

static int take(struct sm_aside *aside)
{
	int64_t cpu_ns = -1;
	sm_aside_await(aside);
	int got = sm_aside_take(aside, &cpu_ns);
	assert_int_equal(aside->child, 0);
	assert_true(got < 0 || cpu_ns >= 0);
	return got;
}

static void test_a_result_comes_back(void **state)
{
	struct sm_aside aside;
	int more = 40;
	counted = 1;
	assert_int_equal(sm_aside_init(&aside, sizeof(int)), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sm_aside_begin(&aside, count_on, &more), 0);
		assert_int_equal(take(&aside), 1);
		assert_int_equal(*(const int *)sm_aside_result(&aside), 42);
		assert_int_equal(counted, 1);
	}
	int64_t cpu_ns;
	assert_int_equal(sm_aside_take(&aside, &cpu_ns), 0);
	sm_aside_finish(&aside);
}

static void test_failures_are_told(void **state)
{
	struct sm_aside aside;
	assert_int_equal(sm_aside_init(&aside, 8), 0);
	assert_int_equal(sm_aside_begin(&aside, fall_short, NULL), 0);
	assert_int_equal(take(&aside), -ENOMEM);
	assert_int_equal(sm_aside_begin(&aside, die, NULL), 0);
	assert_int_equal(take(&aside), -ECHILD);
	sm_aside_finish(&aside);
}

static void test_who_leaves_leaves_nobody_behind(void **state)
{
	struct sm_aside aside;
	int64_t cpu_ns;
	assert_int_equal(sm_aside_init(&aside, 8), 0);
	assert_int_equal(sm_aside_begin(&aside, wait_for_ever, NULL), 0);
	assert_int_equal(sm_aside_take(&aside, &cpu_ns), 0);
	pid_t child = aside.child;
	sm_aside_finish(&aside);
	assert_int_equal(kill(child, 0), -1);
	assert_int_equal(errno, ESRCH);
	sm_aside_finish(&aside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_result_comes_back),
		cmocka_unit_test(test_failures_are_told),
		cmocka_unit_test(test_who_leaves_leaves_nobody_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
