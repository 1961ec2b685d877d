/* Real processes: who is found, and that an end is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect/children.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static void ignore_missing(void *context, const struct sm_probe *probe, const char *why)
{
}

static const struct sm_sampler_listener listener = {.missing = ignore_missing};
static struct sm_children children;
static int epoll_fd;

static int begin(void **state)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sm_children_init(&children, 0, epoll_fd, "", 0, &listener);
	return epoll_fd < 0;
}

static int end(void **state)
{
	sm_children_finish(&children);
	close(epoll_fd);
	return 0;
}

/* A process that waits for the pipe to close, and starts `depth` more below it. */
static pid_t start_chain(int depth, const int ends[2])
{
	pid_t pid = fork();
	if (!pid) {
		char byte;
		close(ends[1]);
		if (depth > 0) {
			start_chain(depth - 1, (int[2]){ends[0], dup(ends[0])});
		}
		(void)!read(ends[0], &byte, 1);
		while (wait(NULL) > 0) {
		}
		_exit(0);
	}
	return pid;
}

static void wait_for_count(size_t count)
{
	for (int i = 0; i < 500 && children.count < count; i++) {
		sm_children_update(&children, true);
		usleep(10000);
	}
	assert_int_equal(children.count, count);
}

static void test_the_whole_tree_is_found_and_its_end_noticed(void **state)
{
	int ends[2];
	struct epoll_event events[8];
	assert_int_equal(pipe(ends), 0);
	pid_t first = start_chain(2, ends);
	close(ends[0]);
	assert_non_null(sm_children_add(&children, first));
	assert_ptr_equal(sm_children_add(&children, first), sm_children_find(&children, first));
	wait_for_count(3);
	assert_int_equal(epoll_wait(epoll_fd, events, 8, 0), 0);
	close(ends[1]);
	assert_int_equal(waitpid(first, NULL, 0), first);
	assert_int_equal(epoll_wait(epoll_fd, events, 8, 2000), 3);
	for (int i = 0; i < 3; i++) {
		struct sm_child *child = sm_children_find(&children, (pid_t)events[i].data.u64);
		assert_non_null(child);
		child->ended = true;
	}
	sm_children_sweep(&children);
	assert_int_equal(children.count, 0);
	assert_int_equal(children.missed, 0);
}

static void *fork_in_thread(void *argument)
{
	static pid_t pid;
	pid = fork();
	if (!pid) {
		char byte;
		_exit((int)read(*(int *)argument, &byte, 1));
	}
	usleep(300000); /* the child is listed under this thread while it lives */
	return &pid;
}

static void test_children_of_other_threads_are_found_in_deep_rounds(void **state)
{
	int ends[2], inner[2];
	void *pid;
	pthread_t thread;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(inner), 0);
	assert_int_equal(pthread_create(&thread, NULL, fork_in_thread, &ends[0]), 0);
	usleep(100000);
	assert_non_null(sm_children_add(&children, getpid()));
	sm_children_update(&children, false);
	size_t shallow = children.count;
	sm_children_update(&children, true);
	assert_int_equal(children.count, shallow + 1);
	pthread_join(thread, &pid);
	kill(*(pid_t *)pid, SIGKILL);
	waitpid(*(pid_t *)pid, NULL, 0);
}

static void test_nobody_is_no_child(void **state)
{
	assert_null(sm_children_add(&children, 0x3ffffff));
	assert_int_equal(children.count, 0);
	assert_int_equal(children.missed, 0);
}

static void test_without_a_pidfd_an_end_is_noticed_too(void **state)
{
	pid_t pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	struct sm_child *child = sm_children_add(&children, pid);
	assert_non_null(child);
	close(child->pidfd);
	child->pidfd = -1;
	sm_children_check(&children);
	assert_false(child->ended);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	sm_children_check(&children);
	assert_true(child->ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_the_whole_tree_is_found_and_its_end_noticed, begin, end),
		cmocka_unit_test_setup_teardown(
			test_children_of_other_threads_are_found_in_deep_rounds, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_is_no_child, begin, end),
		cmocka_unit_test_setup_teardown(
			test_without_a_pidfd_an_end_is_noticed_too, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
