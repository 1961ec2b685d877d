#include "base/arena.h"
#include "model/sketch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void quantiles_are_within_their_error(void **unused)
{
	(void)unused;
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_sketch sketch = {0};
	for (int i = 1; i <= 100000; i++) {
		assert_int_equal(sm_sketch_add(&sketch, &arena, i * 1e-6), 0);
	}
	for (double share = 0.01; share < 1; share += 0.01) {
		assert_true(fabs(sm_sketch_quantile(&sketch, share) / (share * 0.1) - 1) < 0.017);
	}
	assert_float_equal(sm_sketch_quantile(&sketch, 0), 1e-6, 0);
	assert_float_equal(sm_sketch_quantile(&sketch, 1), 0.1, 1e-15);
	assert_float_equal(sm_sketch_mean(&sketch), 0.05 + 0.5e-6, 1e-12);
	sm_arena_finish(&arena);
}

static void of_few_numbers_a_quantile_lies_between_two(void **unused)
{
	(void)unused;
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_sketch sketch = {0};
	for (int i = 0; i < 7; i++) {
		assert_int_equal(sm_sketch_add(&sketch, &arena, i ? 0.1 : 0.2), 0);
	}
	assert_float_equal(sm_sketch_quantile(&sketch, 0.5), 0.1, 0.1 * 0.017);
	assert_float_equal(
		sm_sketch_quantile(&sketch, 0.99), 0.194, 0.194 * 0.017); /* 0.94 of the way */
	sm_arena_finish(&arena);
}

static void what_lies_outside_keeps_its_extremes(void **unused)
{
	(void)unused;
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_sketch sketch = {0};
	const double values[] = {0, 1e-12, 1e9, -5, NAN};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		assert_int_equal(sm_sketch_add(&sketch, &arena, values[i]), 0);
	}
	assert_float_equal(sm_sketch_quantile(&sketch, 0), 0, 0);
	assert_float_equal(sm_sketch_quantile(&sketch, 1), 1e9, 0);
	assert_int_equal(sketch.count, 5);
	sm_arena_finish(&arena);
}

static void merging_is_as_adding(void **unused)
{
	(void)unused;
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_sketch whole = {0}, odd = {0}, even = {0}, empty = {0};
	for (int i = 1; i < 1000; i++) {
		sm_sketch_add(&whole, &arena, i * 1e-3);
		sm_sketch_add(i % 2 ? &odd : &even, &arena, i * 1e-3);
	}
	assert_int_equal(sm_sketch_merge(&odd, &arena, &even), 0);
	assert_int_equal(sm_sketch_merge(&odd, &arena, &empty), 0);
	for (double share = 0; share <= 1; share += 0.125) {
		assert_float_equal(
			sm_sketch_quantile(&odd, share), sm_sketch_quantile(&whole, share), 0);
	}
	assert_true(isnan(sm_sketch_quantile(&empty, 0.5)));
	sm_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_within_their_error),
		cmocka_unit_test(of_few_numbers_a_quantile_lies_between_two),
		cmocka_unit_test(what_lies_outside_keeps_its_extremes),
		cmocka_unit_test(merging_is_as_adding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
