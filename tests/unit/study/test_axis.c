/* Axes: ticks are round, cover what is shown, and say what they are. */
#include "study/axis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_ticks(const struct sm_axis *axis, const char *want)
{
	char all[512] = "", text[SM_AXIS_TICK];
	double value;
	for (int i = 0; sm_axis_tick(axis, i, &value); i++) {
		sm_axis_say(axis, value, text);
		strcat(all, i ? " | " : "");
		strcat(all, text);
	}
	assert_string_equal(all, want);
}

static void round_ticks(void **state)
{
	static const struct {
		double low, high;
		int most;
		bool is_whole;
		const char *ticks;
	} rows[] = {
		{0, 1000, 5, false, "0 | 200 | 400 | 600 | 800 | 1,000"},
		{0, 892, 5, false, "0 | 200 | 400 | 600 | 800 | 1,000"},
		{0, 1, 5, false, "0.0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0"},
		{0, 0.03, 5, false, "0.00 | 0.01 | 0.02 | 0.03"},
		{0, 8, 8, true, "0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8"},
		{0, 2, 8, true, "0 | 1 | 2"},
		{-0.3, 0.7, 5, false, "-0.4 | -0.2 | 0.0 | 0.2 | 0.4 | 0.6 | 0.8"},
		{0, 3.2e6, 5, false, "0 M | 1 M | 2 M | 3 M | 4 M"},
		{0, 1.2e9, 5, false, "0.0 G | 0.5 G | 1.0 G | 1.5 G"},
		{0, 2e-6, 5, false, "0 | 5e-07 | 1e-06 | 1.5e-06 | 2e-06"},
		/* what is cut into five here is a hair above 0.1 */
		{-4.9, -4.8, 5, false, "-4.90 | -4.88 | -4.86 | -4.84 | -4.82 | -4.80"},
		{7, 7, 5, false, "2 | 4 | 6 | 8 | 10 | 12"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sm_axis axis;
		sm_axis_round(&axis, rows[i].low, rows[i].high, rows[i].most, rows[i].is_whole);
		assert_ticks(&axis, rows[i].ticks);
		assert_true(axis.low <= rows[i].low && axis.high >= rows[i].high);
	}
}

static void doubling_ticks(void **state)
{
	struct sm_axis axis;
	(void)state;
	sm_axis_double(&axis, 16, 128);
	assert_ticks(&axis, "16 | 32 | 64 | 128");
	assert_true(fabs(sm_axis_place(&axis, 32) - 1.0 / 3) < 1e-12);
	sm_axis_double(&axis, 0.25, 2);
	assert_ticks(&axis, "1/4 | 1/2 | 1 | 2");
	sm_axis_double(&axis, 1, 1 << 20);
	assert_ticks(&axis,
		"1 | 4 | 16 | 64 | 256 | 1,024 | 4,096 | 16,384 | 65,536 | 262,144 | 1,048,576");
}

static void ends_are_ends(void **state)
{
	struct sm_axis axis;
	(void)state;
	sm_axis_round(&axis, 0, 400, 5, false);
	assert_true(sm_axis_place(&axis, 0) == 0 && sm_axis_place(&axis, 400) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_ticks),
		cmocka_unit_test(doubling_ticks),
		cmocka_unit_test(ends_are_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
