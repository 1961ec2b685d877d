#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/scan.h"

#include <string.h>

static struct sm_scan of(const char *text)
{
	return sm_scan_text(text, strlen(text));
}

static void test_a_line_without_newline_is_none(void **state)
{
	struct sm_scan text = of("one\ntwo"), line;
	assert_true(sm_scan_line(&text, &line));
	assert_true(sm_scan_is(&line, "one"));
	assert_false(sm_scan_line(&text, &line));
}

static void test_numbers(void **state)
{
	uint64_t value = 7;
	struct sm_scan line = of("  18446744073709551615\t3 12x 18446744073709551616");
	assert_true(sm_scan_u64(&line, &value));
	assert_true(value == UINT64_MAX);
	assert_true(sm_scan_u64(&line, &value));
	assert_int_equal(value, 3);
	assert_false(sm_scan_u64(&line, &value)); /* runs into a letter */
	assert_true(sm_scan_skip(&line, 1));
	assert_false(sm_scan_u64(&line, &value)); /* one too many for 64 bits */
	assert_int_equal(value, 3);
}

static void test_signed_numbers(void **state)
{
	int64_t value = 0;
	struct sm_scan line = of("-20 19 - 9223372036854775808");
	assert_true(sm_scan_i64(&line, &value));
	assert_int_equal(value, -20);
	assert_true(sm_scan_i64(&line, &value));
	assert_int_equal(value, 19);
	assert_false(sm_scan_i64(&line, &value));
	assert_true(sm_scan_skip(&line, 1));
	assert_false(sm_scan_i64(&line, &value));
}

static void test_words_end_with_the_line(void **state)
{
	struct sm_scan line = of(" a  bc "), word;
	assert_true(sm_scan_word(&line, &word) && sm_scan_is(&word, "a"));
	assert_true(sm_scan_word(&line, &word) && sm_scan_is(&word, "bc"));
	assert_false(sm_scan_word(&line, &word));
	assert_false(sm_scan_skip(&line, 1));
}

static void test_keys_match_whole(void **state)
{
	uint64_t value;
	const char *text = "workingset_refault_anon 7\nworkingset_refault "
			   "8\nworkingset_refault_file 9\nkB: 5 kB\n";
	assert_true(sm_scan_find(of(text), "workingset_refault", &value));
	assert_int_equal(value, 8);
	assert_true(sm_scan_find(of(text), "kB", &value));
	assert_int_equal(value, 5);
	assert_false(sm_scan_find(of(text), "working", &value));
	assert_false(sm_scan_find(of(""), "kB", &value));
}

struct seen {
	int count;
	double sum;
};

static void add_up(void *context, enum sm_metric metric, int64_t instance, double value)
{
	struct seen *seen = context;
	seen->count++;
	seen->sum += value;
	assert_int_equal(instance, 42);
}

static void test_fields_are_scaled_and_torn_ones_left_out(void **state)
{
	const struct sm_scan_field fields[] = {
		{"Dirty", SM_METRIC_MEM_DIRTY, 1024}, {"Shmem", SM_METRIC_MEM_SHMEM, 1024}, {0}};
	struct seen seen = {0};
	const struct sm_probe_sink sink = {.context = &seen, .sample = add_up};
	assert_int_equal(sm_scan_fields(of("Dirty:   2 kB\n:\n\nShmem: 12"), fields, 42, &sink), 1);
	assert_int_equal(seen.count, 1);
	assert_true(seen.sum == 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_without_newline_is_none),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_signed_numbers),
		cmocka_unit_test(test_words_end_with_the_line),
		cmocka_unit_test(test_keys_match_whole),
		cmocka_unit_test(test_fields_are_scaled_and_torn_ones_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
