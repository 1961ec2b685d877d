/* How functions fail, in words. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void an_error_is_filled_and_its_code_returned(void **state)
{
	struct sm_error error = {0};
	assert_int_equal(sm_error_set(&error, -SM_ERR_TORN, 4096, "block %d", 3), -SM_ERR_TORN);
	assert_int_equal(error.code, -SM_ERR_TORN);
	assert_int_equal(error.offset, 4096);
	assert_string_equal(error.msg, "block 3");
}

static void nobody_has_to_listen(void **state)
{
	assert_int_equal(sm_error_set(NULL, -EIO, -1, "%s", "unheard"), -EIO);
}

static void a_long_message_is_cut_not_overrun(void **state)
{
	struct sm_error error = {0};
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	sm_error_set(&error, -EIO, -1, "%s", text);
	assert_int_equal(strlen(error.msg), sizeof(error.msg) - 1);
}

static void every_code_has_words_of_its_own(void **state)
{
	for (int code = SM_ERR_FORMAT; code <= SM_ERR_EMPTY; code++) {
		assert_non_null(sm_error_text(-code));
		for (int other = SM_ERR_FORMAT; other < code; other++) {
			assert_string_not_equal(sm_error_text(-code), sm_error_text(-other));
		}
		assert_null(strstr(sm_error_text(-code), "Unknown"));
	}
	assert_string_equal(sm_error_text(-ENOSPC), strerror(ENOSPC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_filled_and_its_code_returned),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_long_message_is_cut_not_overrun),
		cmocka_unit_test(every_code_has_words_of_its_own),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
