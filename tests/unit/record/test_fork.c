/* Children: their own file, their own pid, the same names, whichever way they were made. */
#include "recording.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t work, other;
static atomic_int stop_threads;

static void record(int spans)
{
	for (int i = 0; i < spans; i++) {
		sm_span_begin(work);
		sm_span_end();
	}
}

static void *record_until_told(void *unused)
{
	while (!stop_threads) {
		sm_span_begin(other);
		sm_name_register(SM_TEXT, "busy with the lock");
		sm_span_end();
	}
	return NULL;
}

static void wait_for(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void start(void)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	other = sm_name_register(SM_SPAN, "other");
}

static struct oracle *read_child(pid_t pid)
{
	const char *path = recording_file_of(pid);
	assert_non_null(path);
	return recording_read(path);
}

static void a_child_has_its_own_file(void **state)
{
	start();
	record(10);
	sm_span_begin(other);
	pid_t pid = fork();
	if (!pid) {
		uint32_t again = sm_name_register(SM_SPAN, "work");
		uint32_t new_name = sm_name_register(SM_SPAN, "only here");
		sm_span_end(); /* of a span that the parent began */
		record(1000);
		sm_span_begin(new_name);
		sm_span_end();
		_exit(again == work && new_name > other && sm_session_is_open() ? 0 : 1);
	}
	wait_for(pid);
	sm_span_end();
	record(10);
	struct oracle *child = read_child(pid);
	struct oracle *parent = recording_stop();
	assert_int_equal(parent->closed_of[work], 20);
	assert_int_equal(parent->closed_of[other], 1);
	assert_int_equal(child->closed_of[work], 1000);
	assert_int_equal(child->closed, 1001);
	assert_string_equal(child->names[work], "work");
	assert_string_equal(child->names[other], "other");
	assert_int_equal(oracle_find(child, "only here"), other + 1);
	assert_int_equal(oracle_find(parent, "only here"), 0);
	assert_string_equal(child->header->parent, parent->header->unique);
	assert_string_not_equal(child->header->unique, parent->header->unique);
	assert_int_equal(child->header->pid, pid);
	assert_int_equal(child->header->ppid, getpid());
	assert_int_equal(child->threads[0].orphans, 1);
	assert_int_equal(child->threads[0].tid, pid);
	oracle_free(child);
	oracle_free(parent);
}

static bool has_mapping(void)
{
	char line[4096];
	bool found = false;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		found |= strstr(line, ".ring") != NULL;
	}
	fclose(maps);
	return found;
}

static int do_nothing(void)
{
	return sm_session_is_open() && !strcmp(sm_session_path(), "") && !has_mapping() ? 0 : 1;
}

static void a_silent_child_makes_no_file(void **state)
{
	start();
	record(1);
	int before = recording_file_count();
	assert_true(has_mapping());
	recording_in_child(do_nothing); /* and has not even its parent's mapping */
	assert_int_equal(recording_file_count(), before);
	oracle_free(recording_stop());
}

static int fork_again(void)
{
	record(2);
	pid_t pid = fork();
	if (!pid) {
		pid = fork(); /* the one in between says nothing */
		if (!pid) {
			record(4);
			_exit(0);
		}
	}
	int status;
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 1;
}

static void grandchildren_name_their_parents(void **state)
{
	start();
	record(1);
	int before = recording_file_count();
	recording_in_child(fork_again);
	assert_int_equal(recording_file_count(), before + 2);
	oracle_free(recording_stop());
}

/* A raw clone runs no handler of the C library, and the other threads are in the middle of anything. */
static void raw_clones_beside_busy_threads(void **state)
{
	enum { CHILDREN = 60 };
	pthread_t threads[2];
#if defined(__SANITIZE_THREAD__)
	skip(); /* to the sanitizer, a lock that another thread held at the fork is held for ever */
#endif
	start();
	record(1);
	stop_threads = 0;
	for (int i = 0; i < 2; i++) {
		pthread_create(&threads[i], NULL, record_until_told, NULL);
	}
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid =
			i % 2 ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
		if (!pid) {
			char text[32];
			snprintf(text, sizeof(text), "child %d", i);
			uint32_t mine = sm_name_register(SM_SPAN, text);
			record(20000); /* more than a slot */
			sm_span_begin(mine);
			sm_span_end();
			_exit(mine ? 0 : 1);
		}
		assert_true(pid > 0);
		wait_for(pid);
		struct oracle *child = read_child(pid);
		assert_int_equal(child->closed_of[work], 20000);
		assert_int_equal(child->closed, 20001);
		assert_int_equal(child->thread_count, 1);
		unlink(recording_file_of(pid));
		oracle_free(child);
	}
	stop_threads = 1;
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	struct oracle *parent = recording_stop();
	assert_int_equal(parent->closed_of[work], 1);
	oracle_free(parent);
}

/* The forking thread still points to its old place; a thread that comes first in the child must not be given it. */
static void *record_first(void *unused)
{
	record(100);
	while (!stop_threads) {
		record(1);
		usleep(10);
	}
	return NULL;
}

static int another_thread_first(void)
{
	pthread_t thread;
	stop_threads = 0;
	pthread_create(&thread, NULL, record_first, NULL);
	usleep(2000);
	for (int i = 0; i < 5000; i++) {
		sm_span_begin(other);
		sm_span_end();
	}
	stop_threads = 1;
	pthread_join(thread, NULL);
	struct oracle *oracle = oracle_read(sm_session_path());
	bool fine = !oracle->problem[0] && oracle->closed_of[other] == 5000 &&
		    oracle->closed_of[work] >= 100 && oracle->thread_count == 2 &&
		    !oracle->threads[0].orphans && !oracle->threads[1].orphans;
	return fine ? 0 : 1;
}

static void threads_of_a_child_do_not_share_a_place(void **state)
{
	start();
	record(1);
	recording_in_child(another_thread_first);
	oracle_free(recording_stop());
}

static int stop_and_start(void)
{
	record(1);
	sm_session_stop();
	record(1);
	struct sm_session_options options = {.directory = recording_folder(), .rank = -1};
	if (sm_session_start(&options)) {
		return 1;
	}
	record(1);
	return 0;
}

static void a_child_may_stop_and_start(void **state)
{
	start();
	record(1);
	int before = recording_file_count();
	recording_in_child(stop_and_start);
	assert_int_equal(recording_file_count(), before + 2);
	record(1);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[work], 2);
	oracle_free(oracle);
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir)) {
		count++;
	}
	closedir(dir);
	return count;
}

static int descriptors_before;

static int compare_descriptors(void)
{
	sm_span_begin_cause(work);
	sm_span_end();
	int own = count_descriptors();
	return own == descriptors_before ? 0 : 1; /* its own instead of the parent's */
}

static void descriptors_do_not_pile_up(void **state)
{
	start();
	sm_span_begin_cause(work);
	sm_span_end();
	descriptors_before = count_descriptors();
	recording_in_child(compare_descriptors);
	oracle_free(recording_stop());
}

static void nothing_leaks_through_exec(void **state)
{
	int pipe_ends[2];
	char text[256] = "";
	start();
	sm_span_begin_cause(work);
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t pid = fork();
	if (!pid) {
		dup2(pipe_ends[1], 1);
		close(pipe_ends[0]);
		close(pipe_ends[1]);
		execl("/bin/sh", "sh", "-c",
			"grep -c -e '[.]ring' -e sm-record /proc/$$/maps; ls /proc/$$/fd | tr "
			"'\\n' ' '",
			NULL);
		_exit(1);
	}
	close(pipe_ends[1]);
	assert_true(read(pipe_ends[0], text, sizeof(text) - 1) > 0);
	usleep(20000);
	read(pipe_ends[0], text + strlen(text), sizeof(text) - 1 - strlen(text));
	close(pipe_ends[0]);
	waitpid(pid, NULL, 0);
	assert_int_equal(text[0], '0');
	assert_null(strstr(text, " 20"));
	sm_span_end();
	oracle_free(recording_stop());
}

static void vfork_and_spawn_do_no_harm(void **state)
{
	char *const arguments[] = {(char *)(uintptr_t) "true", NULL};
	start();
	int before = recording_file_count();
	for (int i = 0; i < 20; i++) {
		pid_t pid;
		record(10);
		assert_int_equal(
			posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, arguments + 1), 0);
		wait_for(pid);
	}
#if !defined(__SANITIZE_THREAD__) /* it turns vfork into fork */
	pid_t pid = vfork();
	if (!pid) {
		sm_span_begin(work); /* in its parent's memory, so on its parent's track */
		sm_span_end();
		_exit(0);
	}
	wait_for(pid);
#else
	record(1);
#endif
	record(1);
	assert_int_equal(recording_file_count(), before);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[work], 202);
	assert_int_equal(oracle->thread_count, 1);
	oracle_free(oracle);
}

static int64_t first_event_ns;

static int time_first_event(void)
{
	int64_t from = sm_clock_mono_ns();
	sm_span_begin(work);
	first_event_ns = sm_clock_mono_ns() - from;
	sm_span_end();
	int fd = open("/dev/null", O_WRONLY);
	close(fd);
	return first_event_ns < 20000000 ? 0 : 1; /* the goal, 0.3 ms, is measured in bench/ */
}

static void the_first_event_of_a_child_is_quick(void **state)
{
	start();
	record(1);
	recording_in_child(time_first_event);
	oracle_free(recording_stop());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_its_own_file),
		cmocka_unit_test(a_silent_child_makes_no_file),
		cmocka_unit_test(grandchildren_name_their_parents),
		cmocka_unit_test(raw_clones_beside_busy_threads),
		cmocka_unit_test(threads_of_a_child_do_not_share_a_place),
		cmocka_unit_test(a_child_may_stop_and_start),
		cmocka_unit_test(descriptors_do_not_pile_up),
		cmocka_unit_test(nothing_leaks_through_exec),
		cmocka_unit_test(vfork_and_spawn_do_no_harm),
		cmocka_unit_test(the_first_event_of_a_child_is_quick),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
