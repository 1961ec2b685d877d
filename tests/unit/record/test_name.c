/* Names and their ids. */
#include "recording.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void same_text_same_id(void **state)
{
	recording_start(NULL);
	uint32_t id = sm_name_register(SM_SPAN, "decode");
	assert_true(id > 0);
	assert_int_equal(sm_name_register(SM_SPAN, "decode"), id);
	assert_int_equal(sm_name_register_role(SM_SPAN, 0, "decode now", 6), id);
	assert_int_not_equal(sm_name_register(SM_MARK, "decode"), id);
	assert_int_not_equal(sm_name_register_role(SM_SPAN, 36, "decode", 6), id);
	assert_int_not_equal(sm_name_register_role(SM_SPAN, 0, "decode\0train.py:41", 18), id);
	assert_int_not_equal(sm_name_register(SM_SPAN, ""), 0);
	oracle_free(recording_stop());
}

static void wrong_ones_are_refused(void **state)
{
	recording_start(NULL);
	assert_int_equal(sm_name_register(SM_SPAN, NULL), 0);
	assert_int_equal(sm_name_register((enum sm_name_of)99, "x"), 0);
	assert_int_equal(sm_name_register_role(SM_SPAN, -1, "x", 1), 0);
	assert_int_equal(sm_name_register_role(SM_SPAN, 256, "x", 1), 0);
	oracle_free(recording_stop());
}

static void the_file_has_kind_role_and_text(void **state)
{
	static char text[10000];
	memset(text, 'n', sizeof(text) - 1);
	recording_start(NULL);
	uint32_t fact = sm_name_register(SM_FACT, "loader\nordinal=0\nname=train");
	uint32_t transform = sm_name_register_role(SM_SPAN, 36, "Resize\0train.py:9", 17);
	uint32_t cut = sm_name_register(SM_TEXT, text);
	text[5000] = 'x'; /* behind the cut: the same name */
	assert_int_equal(sm_name_register(SM_TEXT, text), cut);
	struct oracle *oracle = recording_stop();
	assert_string_equal(oracle->names[fact], "loader\nordinal=0\nname=train");
	assert_int_equal(oracle->name_kinds[fact], SM_FACT);
	assert_string_equal(oracle->names[transform], "Resize");
	assert_int_equal(oracle->name_roles[transform], 36);
	assert_int_equal(oracle->name_kinds[cut], SM_TEXT);
	oracle_free(oracle);
}

static int failure;

static void *register_many(void *unused)
{
	for (int i = 0; i < 1500; i++) {
		char text[600];
		snprintf(text, sizeof(text), "shared %d %0500d", i, i); /* fills several slots */
		if (!sm_name_register(SM_SPAN, text)) {
			return &failure;
		}
	}
	return NULL;
}

static void threads_agree(void **state)
{
	pthread_t threads[4];
	recording_start(NULL);
	for (int i = 0; i < 4; i++) {
		pthread_create(&threads[i], NULL, register_many, NULL);
	}
	for (int i = 0; i < 4; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	uint32_t last = sm_name_register(SM_SPAN, "last of all");
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->name_count, last); /* no id twice, none left out */
	assert_true(oracle->slots > 10);
	oracle_free(oracle);
}

/* Every refusal of memory on the way: no name, no harm, and the next attempt succeeds. */
static void out_of_memory_is_no_name(void **state)
{
	recording_start(NULL);
	uint32_t refused = 0;
	for (int i = 0; i < 3000; i++) {
		char text[300];
		snprintf(text, sizeof(text), "scarce %d %0200d", i, i);
		sm_mem_fail_at(1);
		uint32_t id = sm_name_register(SM_SPAN, text);
		sm_mem_fail_at(0);
		refused += !id;
		uint32_t again = sm_name_register(SM_SPAN, text);
		assert_int_not_equal(again, 0);
		assert_true(!id || id == again);
		sm_span_begin(again);
		sm_span_end();
	}
	assert_true(refused >= 5);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 3000);
	assert_int_equal(oracle->lost, 0);
	oracle_free(oracle);
}

static void session_without_memory_does_not_start(void **state)
{
	/* the wiped memory is made once in a process; this test runs first */
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	sm_mem_fail_at(1);
	assert_true(sm_session_start(&options) < 0);
	sm_mem_fail_at(0);
	assert_int_equal(sm_session_is_open(), 0);
	assert_int_equal(sm_session_start(&options), 0);
	oracle_free(recording_stop());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_without_memory_does_not_start),
		cmocka_unit_test(same_text_same_id),
		cmocka_unit_test(wrong_ones_are_refused),
		cmocka_unit_test(the_file_has_kind_role_and_text),
		cmocka_unit_test(threads_agree),
		cmocka_unit_test(out_of_memory_is_no_name),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
