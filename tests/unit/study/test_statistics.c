/* Statistics against values worked out by hand, and against what must be true of any. */
#include "study/student.h"

#include "base/mem.h"

#include <stallmeter/study.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char why[SM_STUDY_WHY];

static void assert_near(double value, double want)
{
	if (!(fabs(value - want) <= 1e-4 * fmax(1, fabs(want)))) {
		fail_msg("%.9g is not %.9g", value, want);
	}
}

static void assert_interval(const struct sm_study_interval *interval, double middle, double half)
{
	assert_near(interval->middle, middle);
	assert_near(interval->low, middle - half);
	assert_near(interval->high, middle + half);
}

/* --- Student --- */

static void quantiles_are_those_of_any_table(void **state)
{
	static const struct {
		size_t freedom;
		double quantile;
	} rows[] = {{1, 6.3138}, {2, 2.9200}, {10, 1.8125}, {30, 1.6973}, {31, 1.695519},
		{40, 1.683851}, {60, 1.670649}, {120, 1.657651}, {1000000, 1.644855}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(fabs(sm_student_95(rows[i].freedom) - rows[i].quantile) <
			    (rows[i].freedom > 30 ? 2e-6 : 5e-5));
	}
}

/* --- mean --- */

/* Five values, variance 4: 2.1318 * sqrt(4 / 5). */
static void a_mean_of_few(void **state)
{
	const double values[] = {2, 6, 4, 2, 6};
	struct sm_study_interval mean;
	(void)state;
	assert_int_equal(sm_study_mean(values, 5, &mean, why), 0);
	assert_interval(&mean, 4, 2.1318 * sqrt(0.8));
}

static void too_few_have_no_interval(void **state)
{
	const double values[] = {2, 6, 4, 2};
	struct sm_study_interval mean;
	(void)state;
	assert_int_equal(sm_study_mean(values, 4, &mean, why), 0);
	assert_true(mean.middle == 3.5 && isnan(mean.low) && isnan(mean.high));
	assert_int_equal(sm_study_mean(values, 0, &mean, why), 0);
	assert_true(isnan(mean.middle) && isnan(mean.low));
}

/* Sixteen times 0.05 add up to a little more than 0.8: that is rounding, not a trend. */
static void equal_values_are_sure(void **state)
{
	double values[16];
	struct sm_study_interval mean;
	(void)state;
	for (int i = 0; i < 16; i++) {
		values[i] = 0.05;
	}
	assert_int_equal(sm_study_mean(values, 16, &mean, why), 0);
	assert_true(mean.high - mean.low < 1e-12 && fabs(mean.middle - 0.05) < 1e-12);
}

/* 60 values are 30 pairs at first: each pair of 1 and 3 has the mean 2. */
static void values_are_grouped_in_order(void **state)
{
	double values[60];
	struct sm_study_interval mean;
	(void)state;
	for (int i = 0; i < 60; i++) {
		values[i] = i % 2 ? 3 : 1;
	}
	assert_int_equal(sm_study_mean(values, 60, &mean, why), 0);
	assert_interval(&mean, 2, 0);
}

/* The same values, in turns or in long runs: in runs they tell less. 160 in runs of 16: 26 groups of 6 and 13 of 12 are still
 * alike; 6 of 24 remain. */
static void dependence_widens(void **state)
{
	double turns[160], runs[160];
	struct sm_study_interval mean, mean_of_runs;
	(void)state;
	for (int i = 0; i < 160; i++) {
		turns[i] = i * 7 % 20 < 10;
		runs[i] = i / 16 % 2;
	}
	assert_int_equal(sm_study_mean(turns, 160, &mean, why), 0);
	assert_int_equal(sm_study_mean(runs, 160, &mean_of_runs, why), 0);
	assert_near(mean.middle, 0.5);
	assert_near(mean_of_runs.middle, 0.5);
	assert_true(mean_of_runs.high - mean_of_runs.low > 2 * (mean.high - mean.low));
}

/* 1 to 5: steps of 1, squares of 10, so 1 - 4 / 20 = 0.8 alike, and five values are worth 5 * 0.2 / 1.8. */
static void a_drift_is_worth_less(void **state)
{
	const double values[] = {1, 2, 3, 4, 5};
	struct sm_study_interval mean;
	(void)state;
	assert_int_equal(sm_study_mean(values, 5, &mean, why), 0);
	assert_interval(&mean, 3, 2.1318 * sqrt(2.5 / (5 * 0.2 / 1.8)));
}

/* --- growth --- */

/* In powers of two: x = 0, 1, 2 and y = 0, 2, 3. Slope 1.5, residuals -1/6, 1/3, -1/6. */
static void a_growth_by_hand(void **state)
{
	const double sizes[] = {1, 2, 4}, seconds[] = {1, 4, 8};
	struct sm_study_interval growth;
	(void)state;
	assert_int_equal(sm_study_growth(sizes, seconds, 3, &growth, why), 0);
	assert_interval(&growth, 1.5, 6.3138 * sqrt(1.0 / 6 / 2));
}

static void a_square_is_a_square(void **state)
{
	const double sizes[] = {100, 200, 400, 800}, seconds[] = {1e-3, 4e-3, 16e-3, 64e-3};
	struct sm_study_interval growth;
	(void)state;
	assert_int_equal(sm_study_growth(sizes, seconds, 4, &growth, why), 0);
	assert_interval(&growth, 2, 0);
}

static void sizes_must_differ(void **state)
{
	const double same[] = {8, 8, 8}, two[] = {8, 16, 16}, seconds[] = {1, 2, 2};
	struct sm_study_interval growth;
	(void)state;
	assert_int_equal(sm_study_growth(same, seconds, 3, &growth, why), 0);
	assert_true(isnan(growth.middle));
	assert_int_equal(sm_study_growth(two, seconds, 3, &growth, why), 0);
	assert_near(growth.middle, 1);
	assert_true(isnan(growth.low) && isnan(growth.high));
	assert_int_equal(sm_study_growth(NULL, NULL, 0, &growth, why), 0);
	assert_true(isnan(growth.middle));
}

/* --- compare --- */

static void constants_compare_exactly(void **state)
{
	const double before[] = {2, 2, 2, 2, 2, 2}, after[] = {1, 1, 1, 1, 1};
	struct sm_study_interval speedup;
	(void)state;
	assert_int_equal(sm_study_compare(before, 6, after, 5, &speedup, why), 0);
	assert_interval(&speedup, 2, 0);
}

static void fill(double *values, size_t count, double mean, double spread)
{
	for (size_t i = 0; i < count; i++) {
		values[i] = mean + spread * ((double)(i * 7919 % 101) / 50 - 1);
	}
}

static void noise_is_in_the_interval(void **state)
{
	double before[40], after[30];
	struct sm_study_interval quiet, loud, again;
	(void)state;
	fill(before, 40, 3, 0.1);
	fill(after, 30, 2, 0.1);
	assert_int_equal(sm_study_compare(before, 40, after, 30, &quiet, why), 0);
	assert_true(fabs(quiet.middle - 1.5) < 0.05);
	assert_true(quiet.low < quiet.middle && quiet.middle < quiet.high);
	fill(before, 40, 3, 1);
	assert_int_equal(sm_study_compare(before, 40, after, 30, &loud, why), 0);
	assert_true(loud.high - loud.low > 2 * (quiet.high - quiet.low));
	assert_int_equal(sm_study_compare(before, 40, after, 30, &again, why), 0);
	assert_memory_equal(&loud, &again, sizeof(loud));
}

static void few_to_compare_have_no_interval(void **state)
{
	const double values[] = {1, 2, 1, 2, 1};
	struct sm_study_interval speedup;
	(void)state;
	assert_int_equal(sm_study_compare(values, 5, values, 4, &speedup, why), 0);
	assert_near(speedup.middle, 1.4 / 1.5);
	assert_true(isnan(speedup.low) && isnan(speedup.high));
	assert_int_equal(sm_study_compare(values, 5, values, 0, &speedup, why), 0);
	assert_true(isnan(speedup.middle));
}

static void memory_may_run_out(void **state)
{
	const double values[] = {1, 2, 1, 2, 1};
	struct sm_study_interval speedup = {7, 7, 7};
	int rc = -ENOMEM, n = 0;
	(void)state;
	while (rc) {
		sm_mem_fail_at(++n);
		rc = sm_study_compare(values, 5, values, 5, &speedup, why);
		sm_mem_fail_at(0);
		assert_true(rc == 0 || (rc == -ENOMEM && speedup.middle == 7));
	}
	assert_int_equal(n, 4); /* two series and the ratios */
}

/* --- what cannot be --- */

static void numbers_that_cannot_be_are_named(void **state)
{
	const double good[] = {1, 2, 3}, zero[] = {1, 0, 3}, nothing[] = {1, 2, NAN},
		     endless[] = {INFINITY, 1, 1};
	struct sm_study_interval interval = {7, 7, 7};
	(void)state;
	assert_int_equal(sm_study_mean(nothing, 3, &interval, why), -EINVAL);
	assert_string_equal(why, "values[2]: nan is no finite number");
	assert_int_equal(sm_study_growth(zero, good, 3, &interval, why), -EINVAL);
	assert_string_equal(why, "sizes[1]: 0 is no positive number");
	assert_int_equal(sm_study_growth(good, endless, 3, &interval, why), -EINVAL);
	assert_string_equal(why, "seconds[0]: inf is no positive number");
	assert_int_equal(sm_study_compare(zero, 3, good, 3, &interval, why), -EINVAL);
	assert_non_null(strstr(why, "before[1]"));
	assert_int_equal(sm_study_compare(good, 3, zero, 3, &interval, why), -EINVAL);
	assert_non_null(strstr(why, "after[1]"));
	assert_true(interval.middle == 7);
}

/* --- choose --- */

static void the_cheapest_within_noise_is_chosen(void **state)
{
	static const struct {
		struct sm_study_trial trials[4];
		size_t count;
		ptrdiff_t chosen;
	} rows[] = {
		{{{0}}, 0, -1},
		{{{1, {NAN, NAN, NAN}}, {2, {NAN, NAN, NAN}}}, 2, -1},
		{{{1, {NAN, NAN, NAN}}, {2, {5, 4, 6}}}, 2, 1},
		/* 10 - 9 = 1 = sqrt(0.6^2 + 0.8^2): just within. */
		{{{8, {10, 9.4, 11}}, {4, {9, 8, 9.8}}}, 2, 1},
		{{{8, {10, 9.4, 11}}, {4, {8.99, 8, 9.79}}}, 2, 0},
		/* The intervals overlap, the difference does not cover 0. */
		{{{8, {10, 9, 11}}, {4, {8.1, 7.1, 9.2}}}, 2, 0},
		/* Of two that cost the same, the faster. */
		{{{8, {10, 9, 11}}, {4, {9.5, 9, 10}}, {4, {9.6, 9, 10}}}, 3, 2},
		/* Without intervals the best alone. */
		{{{8, {10, NAN, NAN}}, {4, {9.99, NAN, NAN}}}, 2, 0},
		{{{8, {10, NAN, NAN}}, {4, {10, NAN, NAN}}}, 2, 1},
		/* Its own noise hides a trial whose neighbour's is not known. */
		{{{8, {10, NAN, NAN}}, {4, {9.5, 9, 10}}}, 2, 1},
		/* A failed trial is passed over wherever it stands. */
		{{{1, {NAN, NAN, NAN}}, {8, {10, 9, 11}}, {2, {9.5, 9, 10}}, {0, {1, 1, 1}}}, 4, 2},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sm_study_choose(rows[i].trials, rows[i].count), rows[i].chosen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_any_table),
		cmocka_unit_test(a_mean_of_few),
		cmocka_unit_test(too_few_have_no_interval),
		cmocka_unit_test(equal_values_are_sure),
		cmocka_unit_test(values_are_grouped_in_order),
		cmocka_unit_test(dependence_widens),
		cmocka_unit_test(a_drift_is_worth_less),
		cmocka_unit_test(a_growth_by_hand),
		cmocka_unit_test(a_square_is_a_square),
		cmocka_unit_test(sizes_must_differ),
		cmocka_unit_test(constants_compare_exactly),
		cmocka_unit_test(noise_is_in_the_interval),
		cmocka_unit_test(few_to_compare_have_no_interval),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(numbers_that_cannot_be_are_named),
		cmocka_unit_test(the_cheapest_within_noise_is_chosen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
