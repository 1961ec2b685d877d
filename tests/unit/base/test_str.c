/* A string that grows, and stays as it was when it cannot. */
#include "base/str.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>

static void an_empty_string_is_a_text(void **state)
{
	struct sm_str str = SM_STR_EMPTY;
	assert_string_equal(sm_str_text(&str), "");
	sm_str_clear(&str);
	sm_str_finish(&str);
}

static void pieces_are_put_together(void **state)
{
	struct sm_str str = SM_STR_EMPTY;
	sm_str_add(&str, "rank");
	sm_str_addf(&str, "%d", 3);
	sm_str_add_bytes(&str, ".stallXXX", 6);
	assert_string_equal(sm_str_text(&str), "rank3.stall");
	assert_int_equal(str.length, strlen("rank3.stall"));
	sm_str_clear(&str);
	assert_string_equal(sm_str_text(&str), "");
	sm_str_add(&str, "again");
	assert_string_equal(sm_str_text(&str), "again");
	sm_str_finish(&str);
}

static void a_formatted_piece_may_be_long(void **state)
{
	struct sm_str str = SM_STR_EMPTY;
	for (int length = 250; length < 262; length++) { /* around the small buffer inside */
		sm_str_clear(&str);
		sm_str_addf(&str, "%0*d", length, 7);
		assert_int_equal(str.length, length);
		assert_int_equal(sm_str_text(&str)[length - 1], '7');
	}
	sm_str_addf(&str, "%0*d", 5000, 8);
	assert_int_equal(str.length, 261 + 5000);
	sm_str_finish(&str);
}

static void after_a_failure_it_stays_as_it_was(void **state)
{
	struct sm_str str = SM_STR_EMPTY;
	sm_str_add(&str, "kept");
	sm_mem_fail_at(1);
	sm_str_addf(&str, "%0*d", 400, 0);
	assert_true(str.failed);
	sm_str_add(&str, "late");
	assert_string_equal(sm_str_text(&str), "kept");
	sm_str_finish(&str);
	assert_false(str.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_string_is_a_text),
		cmocka_unit_test(pieces_are_put_together),
		cmocka_unit_test(a_formatted_piece_may_be_long),
		cmocka_unit_test(after_a_failure_it_stays_as_it_was),
	};
	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
