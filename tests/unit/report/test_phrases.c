#include "report/phrases.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sm_arena arena;
static struct sm_phrases plain = {.arena = &arena};

static void shares_have_the_digits_that_their_interval_carries(void **state)
{
	(void)state;
	assert_string_equal(sm_phrases_share(&plain, 0.314), "31 %");
	assert_string_equal(sm_phrases_share(&plain, 0.0314), "3.1 %");
	assert_string_equal(sm_phrases_share(&plain, 0), "0 %");
	assert_string_equal(sm_phrases_share(&plain, 1), "100 %");
	assert_string_equal(sm_phrases_share(&plain, 0.0004), "<0.1 %");
	assert_string_equal(sm_phrases_share(&plain, 0.9999), ">99.9 %");
	assert_string_equal(sm_phrases_share(&plain, NAN), "unknown");
	assert_string_equal(sm_phrases_share_of(&plain, 0.3142, 0.306, 0.323), "31.4 %");
	assert_string_equal(sm_phrases_share_of(&plain, 0.3142, 0.2, 0.4), "31 %");
	assert_string_equal(sm_phrases_share_range(&plain, 0.306, 0.323), "30.6-32.3 %");
	assert_string_equal(sm_phrases_share_range(&plain, 0.2, 0.4), "20-40 %");
	assert_string_equal(sm_phrases_share_range(&plain, NAN, 0.4), "unknown");
}

static void times_have_three_digits(void **state)
{
	(void)state;
	assert_string_equal(sm_phrases_seconds(&plain, 0.31), "310 ms");
	assert_string_equal(sm_phrases_seconds(&plain, 0.0121), "12.1 ms");
	assert_string_equal(sm_phrases_seconds(&plain, 0.00604), "6.04 ms");
	assert_string_equal(sm_phrases_seconds(&plain, 0.00099996), "1.00 ms");
	assert_string_equal(sm_phrases_seconds(&plain, 42e-6), "42.0 us");
	assert_string_equal(sm_phrases_seconds(&plain, 42e-9), "42 ns");
	assert_string_equal(sm_phrases_seconds(&plain, 59.99), "60.0 s");
	assert_string_equal(sm_phrases_seconds(&plain, 59.996), "1 min 0 s");
	assert_string_equal(sm_phrases_seconds(&plain, 252.4), "4 min 12 s");
	assert_string_equal(sm_phrases_seconds(&plain, 7265), "2 h 1 min");
	assert_string_equal(sm_phrases_seconds(&plain, 0), "0 s");
	assert_string_equal(sm_phrases_seconds(&plain, 1e300), "over 30 years");
	assert_string_equal(sm_phrases_seconds(&plain, NAN), "unknown");
}

static void sizes_and_counts(void **state)
{
	(void)state;
	assert_string_equal(sm_phrases_bytes(&plain, 512), "512 B");
	assert_string_equal(sm_phrases_bytes(&plain, 1536), "1.50 KiB");
	assert_string_equal(sm_phrases_bytes(&plain, 67108864), "64.0 MiB");
	assert_string_equal(sm_phrases_count(&plain, 1650), "1,650");
	assert_string_equal(sm_phrases_count(&plain, 999), "999");
	assert_string_equal(sm_phrases_count(&plain, 1842017), "1,842,017");
	assert_string_equal(sm_phrases_count(&plain, -1234), "-1,234");
	assert_string_equal(sm_phrases_count(&plain, 2.5), "2.5");
	assert_string_equal(sm_phrases_times_range(&plain, 1.22, 1.38), "1.22-1.38x");
}

static void values_know_their_unit(void **state)
{
	(void)state;
	assert_string_equal(sm_phrases_value(&plain, 0.99, "share"), "99 %");
	assert_string_equal(sm_phrases_value(&plain, 4, "cores"), "4 cores");
	assert_string_equal(sm_phrases_value(&plain, 2097152, "bytes/s"), "2.00 MiB/s");
	assert_string_equal(
		sm_phrases_metric(&plain, "worker_busy_share", "share"), "worker busy share");
	assert_string_equal(sm_phrases_metric(&plain, "cpu_stolen_s", "s"), "CPU stolen");
	assert_string_equal(sm_phrases_metric(&plain, "usable_cores", "cores"), "usable");
	assert_string_equal(sm_phrases_metric(&plain, "s", "s"), "s");
}

static void unicode_only_where_it_is_wanted(void **state)
{
	struct sm_phrases fancy = {.arena = &arena, .unicode = true};
	(void)state;
	assert_string_equal(sm_phrases_times(&fancy, 1.31), "1.31\xc3\x97");
	assert_string_equal(sm_phrases_share_range(&fancy, 0.2, 0.4), "20\xe2\x80\x93"
								      "40 %");
	assert_string_equal(sm_phrases_seconds(&fancy, 42e-6), "42.0 \xc2\xb5s");
}

static void clean_takes_the_sting_out(void **state)
{
	(void)state;
	assert_string_equal(sm_phrases_clean(&plain, "a\x1b[2J\x07z"), "a?[2J?z");
	assert_string_equal(sm_phrases_clean(&plain, "two\nlines"), "two lines");
	assert_string_equal(sm_phrases_clean(&plain, "\xff\xe2\x80\xae"), "??");
	assert_string_equal(sm_phrases_clean(&plain, "\xe7\xb5\xb5"), "\xe7\xb5\xb5");
	assert_string_equal(sm_phrases_clean(&plain, NULL), "");
}

static void a_failed_allocation_is_remembered(void **state)
{
	struct sm_arena empty = SM_ARENA_EMPTY;
	struct sm_phrases poor = {.arena = &empty};
	(void)state;
	sm_mem_fail_at(1);
	assert_string_equal(sm_phrases_count(&poor, 5), "");
	assert_true(poor.failed);
	sm_mem_fail_at(0);
	sm_arena_finish(&empty);
}

static int finish(void **state)
{
	(void)state;
	sm_arena_finish(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_have_the_digits_that_their_interval_carries),
		cmocka_unit_test(times_have_three_digits),
		cmocka_unit_test(sizes_and_counts),
		cmocka_unit_test(values_know_their_unit),
		cmocka_unit_test(unicode_only_where_it_is_wanted),
		cmocka_unit_test(clean_takes_the_sting_out),
		cmocka_unit_test(a_failed_allocation_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
