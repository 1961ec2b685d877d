#include "report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_cut(const char *text, int columns, bool unicode, const char *wanted)
{
	struct sm_str str = SM_STR_EMPTY;
	sm_text_add_cut(&str, text, columns, unicode);
	assert_string_equal(sm_str_text(&str), wanted);
	sm_str_finish(&str);
}

static void width_counts_columns(void **state)
{
	(void)state;
	assert_int_equal(sm_text_width(""), 0);
	assert_int_equal(sm_text_width("plain"), 5);
	assert_int_equal(sm_text_width("\xc3\xa9t\xc3\xa9"), 3);
	assert_int_equal(sm_text_width("e\xcc\x81"), 1);	/* combining accent */
	assert_int_equal(sm_text_width("\xe7\xb5\xb5"), 2);	/* wide */
	assert_int_equal(sm_text_width("\xf0\x9f\x90\x8d"), 2); /* emoji */
}

static void cut_ends_in_an_ellipsis_and_never_inside_a_character(void **state)
{
	(void)state;
	assert_cut("just fits", 9, true, "just fits");
	assert_cut("does not fit", 8, true, "does no\xe2\x80\xa6");
	assert_cut("does not fit", 8, false, "does ...");
	assert_cut("\xe7\xb5\xb5\xe7\xb5\xb5\xe7\xb5\xb5", 5, true,
		"\xe7\xb5\xb5\xe7\xb5\xb5\xe2\x80\xa6");
	assert_cut("\xe7\xb5\xb5\xe7\xb5\xb5\xe7\xb5\xb5", 4, true, "\xe7\xb5\xb5\xe2\x80\xa6");
	assert_cut("long", 2, false, "lo");
}

static void padded_fills_the_column(void **state)
{
	struct sm_str str = SM_STR_EMPTY;
	(void)state;
	sm_text_add_padded(&str, "\xe7\xb5\xb5", 5, true);
	sm_str_add(&str, "|");
	assert_string_equal(sm_str_text(&str), "\xe7\xb5\xb5   |");
	sm_str_finish(&str);
}

static void assert_break(const char *text, int columns, size_t length, const char *rest)
{
	const char *next;
	assert_int_equal(sm_text_break(text, columns, &next), length);
	assert_string_equal(next, rest);
}

static void lines_break_at_spaces(void **state)
{
	(void)state;
	assert_break("short", 20, 5, "");
	assert_break("two words", 5, 3, "words");
	assert_break("two words", 8, 3, "words");
	assert_break("unbreakable", 4, 4, "eakable");
	assert_break("", 10, 0, "");
}

static void a_number_keeps_its_unit(void **state)
{
	(void)state;
	assert_break("takes 12.1 ms", 11, 5, "12.1 ms");
	assert_break("share 31 % of", 8, 5, "31 % of");
}

static void a_character_wider_than_the_line_is_printed_all_the_same(void **state)
{
	(void)state;
	assert_break("\xe7\xb5\xb5\xe7\xb5\xb5", 1, 3, "\xe7\xb5\xb5");
}

static void what_harms_a_screen_is_known(void **state)
{
	uint32_t point;
	(void)state;
	assert_int_equal(sm_text_point("\xff", &point), 1);
	assert_false(sm_text_is_harmless(point));
	assert_int_equal(sm_text_point("\xc0\x80", &point), 1); /* an overlong NUL */
	assert_false(sm_text_is_harmless(point));
	assert_int_equal(sm_text_point("\xed\xa0\x80", &point), 1); /* half a surrogate pair */
	assert_false(sm_text_is_harmless(point));
	assert_int_equal(sm_text_point("\xe2\x80\xae", &point), 3); /* right-to-left override */
	assert_false(sm_text_is_harmless(point));
	assert_false(sm_text_is_harmless(0x1b));
	assert_false(sm_text_is_harmless(0x9b)); /* CSI in one byte */
	assert_true(sm_text_is_harmless('a'));
	assert_true(sm_text_is_harmless(0x7d75));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(width_counts_columns),
		cmocka_unit_test(cut_ends_in_an_ellipsis_and_never_inside_a_character),
		cmocka_unit_test(padded_fills_the_column),
		cmocka_unit_test(lines_break_at_spaces),
		cmocka_unit_test(a_number_keeps_its_unit),
		cmocka_unit_test(a_character_wider_than_the_line_is_printed_all_the_same),
		cmocka_unit_test(what_harms_a_screen_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
