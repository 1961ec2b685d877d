/* Sessions: opened, refused, stopped, opened again. */
#include "recording.h"

#include "record/fork.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void without_a_session_nothing_happens(void **state)
{
	int key = 1;
	int64_t value = 2;
	sm_span_begin(1);
	sm_span_begin_cause(1);
	sm_span_arg(0, 1);
	sm_span_end();
	sm_span_end();
	sm_mark_args(1, 1, &key, &value);
	sm_counter(1, 1.0);
	sm_thread_name("x");
	sm_session_stop();
	assert_int_equal(sm_name_register(SM_SPAN, "x"), 0);
	assert_int_equal(sm_session_is_open(), 0);
	assert_int_equal(sm_session_lost(), 0);
	assert_string_equal(sm_session_path(), "");
	assert_int_equal(recording_file_count(), 0);
}

static void says_why_it_cannot_start(void **state)
{
	struct sm_session_options options = {.rank = -1};
	unsetenv("STALLMETER_LIVE");
	assert_int_equal(sm_session_start(NULL), -ENOENT);
	options.directory = "/nowhere/at/all";
	assert_int_equal(sm_session_start(&options), -ENOENT);
	options.directory = recording_folder();
	options.limit_bytes = 1000;
	assert_int_equal(sm_session_start(&options), -EINVAL);
	options.limit_bytes = 0;
	options.rank = -2;
	assert_int_equal(sm_session_start(&options), -EINVAL);
	assert_int_equal(sm_session_is_open(), 0);
	assert_int_equal(recording_file_count(), 0);
}

static void second_start_is_refused(void **state)
{
	recording_start(NULL);
	assert_int_equal(sm_session_start(NULL), -EALREADY);
	oracle_free(recording_stop());
}

static void joins_the_directory_and_rank_of_the_environment(void **state)
{
	setenv("STALLMETER_LIVE", recording_folder(), 1);
	setenv("RANK", "3", 1);
	assert_int_equal(sm_session_start(NULL), 0);
	assert_int_equal(sm_session_is_open(), 1);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->header->rank, 3);
	oracle_free(oracle);
	setenv("RANK", "none", 1);
	assert_int_equal(sm_session_start(NULL), 0);
	oracle = recording_stop();
	assert_int_equal(oracle->header->rank, -1);
	oracle_free(oracle);
	unsetenv("RANK");
	unsetenv("STALLMETER_LIVE");
}

static void header_says_who(void **state)
{
	struct sm_session_options options = {.rank = 5, .program = "train.py"};
	recording_start(&options);
	assert_non_null(strstr(sm_session_path(), recording_folder()));
	struct oracle *oracle = recording_stop();
	const struct sm_ring_header *header = oracle->header;
	assert_int_equal(header->pid, getpid());
	assert_int_equal(header->ppid, getppid());
	assert_int_equal(header->rank, 5);
	assert_string_equal(header->program, "train.py");
	assert_string_equal(header->parent, "");
	assert_int_equal(strlen(header->unique), 16);
	assert_true(header->start_time > 0);
	assert_int_equal(header->w_closed, 1);
	assert_int_equal(header->limit_bytes % SM_RING_SEGMENT_BYTES, SM_RING_HEADER_BYTES);
	assert_true(header->latest.mono_ns > header->opened.mono_ns);
	oracle_free(oracle);
}

static void program_is_found_by_itself(void **state)
{
	recording_start(NULL);
	struct oracle *oracle = recording_stop();
	assert_non_null(strstr(oracle->header->program, "test_session"));
	oracle_free(oracle);
}

static void path_outlives_a_change_of_directory(void **state)
{
	char here[4096];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(recording_folder()), 0);
	struct sm_session_options options = {.directory = ".", .rank = -1};
	assert_int_equal(sm_session_start(&options), 0);
	assert_int_equal(chdir(here), 0);
	uint32_t name = sm_name_register(SM_SPAN, "much");
	for (int i = 0; i < 100000; i++) { /* several slots: the file grows */
		sm_span_begin(name);
		sm_span_end();
	}
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 100000);
	oracle_free(oracle);
}

static void sessions_follow_each_other(void **state)
{
	uint32_t first = 0;
	for (int i = 0; i < 20; i++) {
		recording_start(NULL);
		uint32_t name = sm_name_register(SM_SPAN, "again");
		first = first ? first : name;
		assert_int_equal(name, first);
		sm_span_begin(name);
		sm_span_end();
		assert_int_equal(sm_session_lost(), 0);
		struct oracle *oracle = recording_stop();
		assert_int_equal(oracle->closed, 1);
		assert_int_equal(oracle->closed_of[name], 1);
		oracle_free(oracle);
	}
}

/* A thread that was held up in the middle of losing an event, until the session was stopped. */
static void what_comes_too_late_counts_for_no_session(void **state)
{
	recording_start(NULL);
	oracle_free(recording_stop());
	sm_fork_count_lost(1);
	assert_int_equal(sm_session_lost(), 0);
	recording_start(NULL);
	assert_int_equal(sm_session_lost(), 0);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->header->w_lost_events, 0);
	oracle_free(oracle);
}

static void little_recorded_is_little_disk(void **state)
{
	struct stat st;
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "once");
	sm_span_begin(name);
	sm_span_end();
	assert_int_equal(stat(sm_session_path(), &st), 0);
	assert_true(st.st_blocks * 512 <= 32 * 1024);
	oracle_free(recording_stop());
}

static void keeps_no_descriptor(void **state)
{
	struct sm_session_options options = {.rank = -1, .cause_threshold_us = -1};
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "plain");
	sm_span_begin_cause(name); /* needs one, until the session stops */
	sm_span_end();
	oracle_free(recording_stop());
	recording_start(&options);
	sm_span_begin(name);
	sm_span_end();
	for (int fd = 3; fd < 1024; fd++) {
		char link[64], file[4096];
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t length = readlink(link, file, sizeof(file) - 1);
		file[length > 0 ? length : 0] = '\0';
		assert_null(strstr(file, ".ring"));
		assert_null(strstr(file, "schedstat"));
	}
	oracle_free(recording_stop());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_session_nothing_happens),
		cmocka_unit_test(says_why_it_cannot_start),
		cmocka_unit_test(second_start_is_refused),
		cmocka_unit_test(joins_the_directory_and_rank_of_the_environment),
		cmocka_unit_test(header_says_who),
		cmocka_unit_test(program_is_found_by_itself),
		cmocka_unit_test(path_outlives_a_change_of_directory),
		cmocka_unit_test(sessions_follow_each_other),
		cmocka_unit_test(what_comes_too_late_counts_for_no_session),
		cmocka_unit_test(little_recorded_is_little_disk),
		cmocka_unit_test(keeps_no_descriptor),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
