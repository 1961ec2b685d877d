/* Two clocks, and the false time of tests. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

static void real_clocks_go_forward(void **state)
{
	int64_t before = sm_clock_mono_ns();
	int64_t after = sm_clock_mono_ns();
	assert_true(before > 0 && after >= before);
	assert_true(sm_clock_real_ns() > INT64_C(1600000000) * 1000000000);
}

static void pretended_clocks_stand_still_until_given_back(void **state)
{
	sm_clock_pretend(5, 7);
	assert_int_equal(sm_clock_mono_ns(), 5);
	assert_int_equal(sm_clock_mono_ns(), 5);
	assert_int_equal(sm_clock_real_ns(), 7);
	sm_clock_pretend(0, 0);
	assert_int_equal(sm_clock_mono_ns(), 0);
	sm_clock_pretend(-1, 0);
	assert_true(sm_clock_mono_ns() > 7 && sm_clock_real_ns() > 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_clocks_go_forward),
		cmocka_unit_test(pretended_clocks_stand_still_until_given_back),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
