#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/governor.h"

#define MS 1000000LL

static int64_t now_ns;

/* Rounds of 100 ms times the slowdown, each costing `cpu_ns`, for `seconds`. */
static int run_rounds(struct sm_governor *governor, int64_t cpu_ns, int seconds)
{
	int64_t end_ns = now_ns + seconds * 1000 * MS;
	while (now_ns < end_ns) {
		now_ns += 100 * MS * governor->slowdown;
		sm_governor_note(governor, now_ns, cpu_ns);
	}
	return governor->slowdown;
}

static int begin(void **state)
{
	static struct sm_governor governor;
	now_ns = 1000 * MS;
	sm_governor_init(&governor, SM_GOVERNOR_COUNTERS_SHARE);
	*state = &governor;
	return 0;
}

static void test_cheap_sampling_keeps_its_rate(void **state)
{
	assert_int_equal(run_rounds(*state, MS / 5, 60), 1); /* 0.2 % */
}

static void test_dear_sampling_is_slowed_until_it_is_not(void **state)
{
	assert_int_equal(run_rounds(*state, 3 * MS / 2, 60), 4); /* 1.5 % -> 0.75 -> 0.375 % */
}

static void test_it_comes_back(void **state)
{
	assert_true(run_rounds(*state, 3 * MS / 2, 60) > 1);
	assert_int_equal(run_rounds(*state, MS / 10, 60), 1);
}

static void test_it_does_not_swing(void **state)
{
	int slow = run_rounds(*state, 6 * MS / 10, 60); /* 0.6 % -> 0.3 %: between the two bounds */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(run_rounds(*state, 6 * MS / 10, 30), slow);
	}
}

static void test_there_is_an_end_to_it(void **state)
{
	assert_int_equal(run_rounds(*state, 5000 * MS, 3600), SM_GOVERNOR_SLOWDOWN_MAX);
}

static void test_what_the_start_costs_is_not_held_against_it(void **state)
{
	sm_governor_note(*state, now_ns, 500 * MS);
	assert_int_equal(run_rounds(*state, MS / 5, 20), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cheap_sampling_keeps_its_rate, begin),
		cmocka_unit_test_setup(test_dear_sampling_is_slowed_until_it_is_not, begin),
		cmocka_unit_test_setup(test_it_comes_back, begin),
		cmocka_unit_test_setup(test_it_does_not_swing, begin),
		cmocka_unit_test_setup(test_there_is_an_end_to_it, begin),
		cmocka_unit_test_setup(test_what_the_start_costs_is_not_held_against_it, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
