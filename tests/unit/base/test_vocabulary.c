/* The words that recorder, reader and analysis share; their numbers are in files for ever. */
#include "base/vocabulary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>

static void stages_have_the_names_of_the_report(void **state)
{
	assert_string_equal(sm_vocabulary_stage_name(SM_STAGE_SAMPLER), "sampler");
	assert_string_equal(sm_vocabulary_stage_name(SM_STAGE_H2D), "h2d");
	assert_string_equal(sm_vocabulary_stage_name(SM_STAGE_OTHER), "other");
	for (int stage = 0; stage < SM_STAGE_COUNT; stage++) {
		for (int other = 0; other < stage; other++) {
			assert_string_not_equal(
				sm_vocabulary_stage_name(stage), sm_vocabulary_stage_name(other));
		}
	}
}

static void a_role_of_a_later_version_has_no_name(void **state)
{
	assert_string_equal(sm_vocabulary_role_name(SM_ROLE_NEXT), "next");
	assert_string_equal(sm_vocabulary_role_name(SM_ROLE_SERIALIZE), "serialize");
	assert_string_equal(sm_vocabulary_role_name(SM_ROLE_LIMIT - 1), "?");
	assert_string_equal(sm_vocabulary_role_name(SM_ROLE_LIMIT), "?");
	assert_string_equal(sm_vocabulary_role_name((enum sm_role)255), "?");
	assert_string_equal(sm_vocabulary_stage_name(SM_STAGE_COUNT), "?");
}

static void numbers_in_files_are_frozen(void **state)
{
	assert_int_equal(SM_ROLE_OPERATION, 0);
	assert_int_equal(SM_ROLE_DEVICE, 14);
	assert_int_equal(SM_ROLE_FETCHER, 32);
	assert_int_equal(SM_ROLE_SERIALIZE, 38);
	assert_int_equal(SM_KEY_INDEX_TEXT, 9);
	assert_int_equal(SM_KEY_FAILED, 12);
	assert_int_equal(SM_KEY_TENSOR_BYTES, 13);
	assert_int_equal(SM_KEY_COPY_NS, 14);
	assert_int_equal(SM_NAME_FACT, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_have_the_names_of_the_report),
		cmocka_unit_test(a_role_of_a_later_version_has_no_name),
		cmocka_unit_test(numbers_in_files_are_frozen),
	};
	return cmocka_run_group_tests_name("vocabulary", tests, NULL, NULL);
}
