/* Location tables as the compilers of 3.10 and 3.12 wrote them (of `def f(x):` on line 10, an empty line, `if x:`,
 * `return g(x,`, a line of `x)`, `return None`), and ones that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/stacks_lines.h"

/* 8 bytes on line 12, 2 on 13, 2 on none, 4 back on 12 */
static const unsigned char pairs[] = {8, 2, 2, 1, 2, 0x80, 4, 0xff};

static void test_pairs(void **state)
{
	const uint32_t lines[] = {12, 12, 12, 12, 13, 0, 12, 12};
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(
			sm_stacks_lines_find(10, pairs, sizeof(pairs), 10, 2 * i), lines[i]);
	}
	assert_int_equal(sm_stacks_lines_find(10, pairs, sizeof(pairs), 10, 16), 0);
}

static const unsigned char entries[] = {
	0x80 | 0 << 3 | 0, 0x00,	 /* short, one unit, the same line: 10 */
	0x80 | 12 << 3 | 1, 4, 9,	 /* one line, two lines further, two units: 12 */
	0x80 | 14 << 3 | 0, 2, 1, 5, 7,	 /* long, a unit, line + 1: 13 */
	0x80 | 15 << 3 | 0,		 /* none, a unit */
	0x80 | 13 << 3 | 2, 3,		 /* no columns, three units, line - 1: 12 */
	0x80 | 13 << 3 | 0, 0x40 | 0, 4, /* a unit, line + 128: 140 */
};

static void test_entries(void **state)
{
	const uint32_t lines[] = {10, 12, 12, 13, 0, 12, 12, 12, 140, 0};
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(
			sm_stacks_lines_find(12, entries, sizeof(entries), 10, 2 * i), lines[i]);
	}
}

static void test_a_table_that_is_cut_off_gives_no_line(void **state)
{
	for (size_t bytes = 0; bytes < sizeof(entries); bytes++) {
		uint32_t line = sm_stacks_lines_find(12, entries, bytes, 10, 18);
		assert_int_equal(line, 0);
	}
	const unsigned char endless[] = {0x80 | 13 << 3, 0xff & 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f};
	assert_int_equal(sm_stacks_lines_find(12, endless, sizeof(endless), 10, 0), 0);
	assert_int_equal(sm_stacks_lines_find(10, pairs, 0, 10, 0), 0);
}

static void test_a_line_before_the_first_is_none(void **state)
{
	const unsigned char back[] = {0x80 | 13 << 3, 2 * 30 + 1};
	assert_int_equal(sm_stacks_lines_find(12, back, sizeof(back), 10, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_a_table_that_is_cut_off_gives_no_line),
		cmocka_unit_test(test_a_line_before_the_first_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
