/* Which runs are being recorded: a collector is whoever keeps the lock. */
#include "live/running.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sm-running-XXXXXX";

struct collector {
	char run[128], live[160];
	pid_t pid;
};

static int open_in(const char *directory, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* In the collector's process: opens and locks what it keeps, says so, and stays. */
static void keep(const struct collector *collector, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	int lock = open_in(collector->live, "collector");
	bool kept = open_in(collector->run, "rank0.stall") >= 0 && !flock(lock, LOCK_EX | LOCK_NB);
	if (kept && write(ready, "k", 1) == 1) {
		pause();
	}
	_exit(1);
}

static struct collector begin(const char *name)
{
	struct collector collector;
	int ready[2];
	char said;
	snprintf(collector.run, sizeof(collector.run), "%s/%s", folder, name);
	snprintf(collector.live, sizeof(collector.live), "%s/live", collector.run);
	assert_int_equal(mkdir(collector.run, 0700), 0);
	assert_int_equal(mkdir(collector.live, 0700), 0);
	assert_int_equal(pipe(ready), 0);
	collector.pid = fork();
	if (!collector.pid) {
		keep(&collector, ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &said, 1), 1);
	close(ready[0]);
	return collector;
}

static void end(const struct collector *collector)
{
	kill(collector->pid, SIGKILL);
	waitpid(collector->pid, NULL, 0);
}

/* Others of this user may be recording meanwhile. */
static size_t place_of(const struct sm_running_list *list, const char *run)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->items[i].run, run)) {
			return i;
		}
	}
	return SIZE_MAX;
}

static void test_the_newest_comes_first(void **state)
{
	struct collector old = begin("old");
	usleep(20000);
	struct collector young = begin("young");
	struct sm_running_list list;
	assert_int_equal(sm_running_find(&list, "/nowhere"), 0);
	assert_true(place_of(&list, young.run) < place_of(&list, old.run));
	assert_true(place_of(&list, old.run) != SIZE_MAX);
	sm_running_finish(&list);
	end(&old);
	end(&young);
	assert_int_equal(sm_running_find(&list, folder), 0);
	assert_true(place_of(&list, old.run) == SIZE_MAX);
	assert_true(place_of(&list, young.run) == SIZE_MAX);
	sm_running_finish(&list);
}

static void test_it_goes_on_as_long_as_the_lock_is_held(void **state)
{
	struct collector collector = begin("one");
	struct sm_running running;
	assert_true(sm_running_in(collector.run, &running));
	assert_string_equal(running.live, collector.live);
	assert_true(sm_running_goes_on(&running));
	running.holder[0] = '\0'; /* as of another user: then the lock itself is asked */
	assert_true(sm_running_goes_on(&running));
	end(&collector);
	assert_false(sm_running_goes_on(&running));
	assert_false(sm_running_in(collector.run, &running));
	assert_false(sm_running_in("/nowhere", &running));
}

static void test_a_run_before_its_trace_is_left_alone(void **state)
{
	struct collector collector = begin("early");
	struct sm_running running;
	char path[256];
	snprintf(path, sizeof(path), "%s/rank0.stall", collector.run);
	unlink(path);
	assert_false(sm_running_in(collector.run, &running));
	end(&collector);
}

/* A program of the job: it has closed its end of the pipe when exec has given it its environment. */
static pid_t start_with(const char *live)
{
	int started[2];
	char nothing;
	assert_int_equal(pipe2(started, O_CLOEXEC), 0);
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("STALLMETER_LIVE", live, 1);
		execlp("sleep", "sleep", "100", (char *)NULL);
		_exit(1);
	}
	close(started[1]);
	assert_int_equal(read(started[0], &nothing, 1), 0);
	close(started[0]);
	return child;
}

static const char *run_of(const struct sm_running_list *list, pid_t pid)
{
	const struct sm_running *found = sm_running_of(list, pid);
	return found ? found->run : "none";
}

static void test_whose_job_a_process_is(void **state)
{
	struct collector mine = begin("mine");
	usleep(20000);
	struct collector other = begin("other");
	struct sm_running_list list;
	pid_t job = start_with(other.live);
	assert_int_equal(sm_running_find(&list, folder), 0);
	assert_string_equal(run_of(&list, job), other.run);
	assert_string_equal(run_of(&list, mine.pid), mine.run);
	assert_string_equal(run_of(&list, other.pid), other.run);
	/* we forked them, as `run` forks its collector; who started us did not */
	assert_string_equal(run_of(&list, getpid()), other.run);
	assert_string_equal(run_of(&list, getppid()), "none");
	assert_string_equal(run_of(&list, 1), "none");
	kill(job, SIGKILL);
	waitpid(job, NULL, 0);
	sm_running_finish(&list);
	end(&mine);
	end(&other);
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[160];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_comes_first),
		cmocka_unit_test(test_it_goes_on_as_long_as_the_lock_is_held),
		cmocka_unit_test(test_a_run_before_its_trace_is_left_alone),
		cmocka_unit_test(test_whose_job_a_process_is),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
