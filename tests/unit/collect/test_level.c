/* No interval makes a level faster than it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/level.h"

#define MS 1000000LL

static void test_without_an_interval_it_is_the_levels_own(void **state)
{
	struct sm_level_rates rates = sm_level_rates(SM_LEVEL_DETAILED, 0);
	assert_int_equal(rates.interval_ns[SM_TIER_FAST], 100 * MS);
	assert_int_equal(rates.interval_ns[SM_TIER_SECOND], 1000 * MS);
}

static void test_a_longer_one_slows_what_is_faster(void **state)
{
	struct sm_level_rates rates = sm_level_rates(SM_LEVEL_DETAILED, 2500 * MS);
	assert_int_equal(rates.interval_ns[SM_TIER_FAST], 2500 * MS);
	assert_int_equal(rates.interval_ns[SM_TIER_SECOND], 2500 * MS);
	assert_int_equal(rates.interval_ns[SM_TIER_SLOW], 10000 * MS);
	assert_int_equal(rates.drain_ns, 100 * MS); /* what the job records is not sampling */
}

static void test_a_shorter_one_changes_nothing(void **state)
{
	for (int level = SM_LEVEL_BASIC; level <= SM_LEVEL_PRODUCTION; level++) {
		struct sm_level_rates own = sm_level_rates((enum sm_level)level, 0);
		struct sm_level_rates asked = sm_level_rates((enum sm_level)level, 1);
		for (int tier = 0; tier < SM_TIER_COUNT; tier++) {
			assert_int_equal(asked.interval_ns[tier], own.interval_ns[tier]);
		}
		assert_true(
			own.interval_ns[SM_TIER_SECOND] >= 100 * MS); /* pressure is read there */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_an_interval_it_is_the_levels_own),
		cmocka_unit_test(test_a_longer_one_slows_what_is_faster),
		cmocka_unit_test(test_a_shorter_one_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
