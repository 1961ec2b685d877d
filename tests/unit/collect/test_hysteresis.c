/* Begins and ends, with a clock of our own: 100 ms between samples unless said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/hysteresis.h"

#include <stdlib.h>

#define MS 1000000LL

static const struct sm_hysteresis_rule level = {.threshold = 0.8, .leave_ns = 6000 * MS};
static const struct sm_hysteresis_rule rate = {
	.threshold = 0.8, .enter_ns = 3000 * MS, .leave_ns = 6000 * MS};
static struct sm_hysteresis state;
static int64_t now_ns;
static int begins, ends;

static int start(void **unused)
{
	state = (struct sm_hysteresis){0};
	now_ns = 1000 * MS;
	begins = ends = 0;
	return 0;
}

static enum sm_hysteresis_change see(const struct sm_hysteresis_rule *rule, double value)
{
	int64_t from_ns = rule->enter_ns ? now_ns : now_ns + 100 * MS; /* of a share, a window */
	now_ns += 100 * MS;
	enum sm_hysteresis_change change =
		sm_hysteresis_judge(&state, rule, from_ns, now_ns, value);
	begins += change == SM_HYSTERESIS_BEGINS;
	ends += change == SM_HYSTERESIS_ENDS;
	return change;
}

static void stay(const struct sm_hysteresis_rule *rule, double value, int samples)
{
	for (int i = 0; i < samples; i++) {
		see(rule, value);
	}
}

static void a_level_begins_with_the_first_sample_above(void **unused)
{
	stay(&level, 0.8, 20); /* at the threshold is not above it */
	assert_int_equal(begins, 0);
	assert_int_equal(see(&level, 0.801), SM_HYSTERESIS_BEGINS);
	stay(&level, 0.99, 20);
	assert_int_equal(begins, 1);
}

static void it_ends_six_seconds_after_the_last_sample_that_was_not_low(void **unused)
{
	see(&level, 0.9);
	stay(&level, 0.73, 100); /* lower than the threshold, and not a tenth lower */
	assert_int_equal(ends, 0);
	stay(&level, 0.71, 60);
	assert_int_equal(ends, 0);
	assert_int_equal(see(&level, 0.71), SM_HYSTERESIS_ENDS);
	stay(&level, 0.71, 100);
	assert_int_equal(ends, 1);
}

static void one_sample_in_between_begins_the_wait_anew(void **unused)
{
	see(&level, 0.9);
	stay(&level, 0.5, 59);
	see(&level, 0.75);
	stay(&level, 0.5, 60);
	assert_int_equal(ends, 0);
	see(&level, 0.5);
	assert_int_equal(ends, 1);
}

static void a_share_of_time_must_last_three_seconds(void **unused)
{
	stay(&rate, 0.95, 29);
	assert_int_equal(begins, 0);
	assert_int_equal(see(&rate, 0.95), SM_HYSTERESIS_BEGINS);
}

static void a_moment_of_rest_begins_the_three_seconds_anew(void **unused)
{
	stay(&rate, 0.95, 29);
	see(&rate, 0.4);
	stay(&rate, 0.95, 29);
	assert_int_equal(begins, 0);
}

/* Long windows: what was high throughout a window of five seconds was high for three. */
static void one_long_window_is_enough(void **unused)
{
	assert_int_equal(
		sm_hysteresis_judge(&state, &rate, 0, 5000 * MS, 0.95), SM_HYSTERESIS_BEGINS);
}

/* An hour of noise about the threshold, of any width: never more than one begin in six seconds. */
static void nothing_chatters(void **unused)
{
	srandom(5);
	for (int width = 1; width <= 8; width++) {
		start(NULL);
		for (int i = 0; i < 36000; i++) {
			double noise = (double)random() / RAND_MAX - 0.5;
			see(&level, 0.8 + 0.1 * width * noise);
		}
		assert_in_range(begins, 1, 600);
		assert_true(begins - ends == 0 || begins - ends == 1);
		if (width == 1) { /* it never goes a tenth below */
			assert_int_equal(begins, 1);
		}
	}
}

/* High every other second for an hour is one alert. */
static void a_swing_is_one_alert(void **unused)
{
	for (int i = 0; i < 36000; i++) {
		see(&level, i / 10 % 2 ? 0.9 : 0.2);
	}
	assert_int_equal(begins, 1);
	assert_int_equal(ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_level_begins_with_the_first_sample_above, start),
		cmocka_unit_test_setup(
			it_ends_six_seconds_after_the_last_sample_that_was_not_low, start),
		cmocka_unit_test_setup(one_sample_in_between_begins_the_wait_anew, start),
		cmocka_unit_test_setup(a_share_of_time_must_last_three_seconds, start),
		cmocka_unit_test_setup(a_moment_of_rest_begins_the_three_seconds_anew, start),
		cmocka_unit_test_setup(one_long_window_is_enough, start),
		cmocka_unit_test_setup(nothing_chatters, start),
		cmocka_unit_test_setup(a_swing_is_one_alert, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
