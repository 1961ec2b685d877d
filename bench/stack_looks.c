/* Looks at Python stacks from outside: what one costs, and what nine processes at 100 Hz cost.
 *
 *     look_ns      a look at a thread that runs, 24 frames deep, from its state to the row that goes to the trace
 *     walk_ns      of it, reading the frames
 *     asleep_ns    a look at a thread that has not run since the last one
 *     nine_share   of one core: a thread in each of nine processes, a hundred times a second, waking included
 *
 * `stack_looks PYTHON`. In CPU time of this process; the Pythons run beside it. */
#include "base/clock.h"
#include "collect/stacks_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NINE = 9, BATCHES = 31, LOOKS = 300, ROUNDS = 300, NS_PER_S = 1000000000 };

static const char busy[] = "import math\n"
			   "def leaf(n):\n"
			   "    while True:\n"
			   "        for i in range(50): math.sqrt(i)\n"
			   "def deep(n): deep(n - 1) if n else leaf(n)\n"
			   "deep(21)\n";
static const char asleep[] = "import time\n"
			     "def deep(n): deep(n - 1) if n else time.sleep(1000)\n"
			     "deep(22)\n";

static struct sm_stacks_tools tools;

static int64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static pid_t start(const char *python, const char *script)
{
	pid_t pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp(python, python, "-S", "-c", script, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static struct sm_stacks_process meet(pid_t pid)
{
	struct sm_stacks_process process = {.pid = pid, .own_pid = pid};
	char why[SM_STACKS_WHY] = "";
	for (int i = 0; i < 300 && sm_stacks_process_open(&process, sm_clock_mono_ns(), why); i++) {
		process.try_ns = 0;
		usleep(10000);
	}
	if (!process.open) {
		fprintf(stderr, "stack_looks: %s\n", why);
		exit(1);
	}
	usleep(200000);
	sm_stacks_process_refresh(&process, &tools);
	return process;
}

static void part(struct sm_stacks_process *process, pid_t pid)
{
	sm_stacks_process_close(process, &tools);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void look(struct sm_stacks_process *process)
{
	if (tools.kept.columns->count + NINE >= SM_TRACE_STACK_SAMPLES_MAX) {
		tools.kept.columns->count = 0; /* nobody writes them here */
	}
	sm_stacks_process_look(process, &tools, sm_clock_mono_ns());
}

/* Looks in a row find the thread where it was, so between them we wait until it has gone on. */
static double time_looks(struct sm_stacks_process *process, bool wait)
{
	double batches[BATCHES];
	for (int batch = 0; batch < BATCHES; batch++) {
		int64_t spent = 0;
		for (int i = 0; i < LOOKS; i++) {
			struct timespec pause = {0, 50000};
			if (wait) {
				nanosleep(&pause, NULL);
			}
			int64_t before = cpu_ns();
			look(process);
			spent += cpu_ns() - before;
		}
		batches[batch] = (double)spent / LOOKS;
	}
	return median(batches, BATCHES);
}

static double time_clock(void)
{
	double batches[BATCHES];
	for (int batch = 0; batch < BATCHES; batch++) {
		int64_t spent = 0;
		for (int i = 0; i < LOOKS; i++) {
			int64_t before = cpu_ns();
			spent += cpu_ns() - before;
		}
		batches[batch] = (double)spent / LOOKS;
	}
	return median(batches, BATCHES);
}

static double time_walks(const struct sm_stacks_process *process, int *ret_depth)
{
	static struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX];
	static struct sm_stacks_frames frames;
	double batches[BATCHES];
	if (sm_stacks_interpreter_threads(&process->interpreter, threads) < 1) {
		return 0;
	}
	struct sm_stacks_thread_place place = {.address = threads[0].address,
		.interpreter = threads[0].interpreter,
		.native_id = threads[0].native_id,
		.gil = threads[0].gil};
	for (int batch = 0; batch < BATCHES; batch++) {
		int64_t before = cpu_ns();
		for (int i = 0; i < LOOKS; i++) {
			sm_stacks_walk_take(tools.walk, &process->interpreter.memory,
				&process->interpreter.layout, &place, &frames);
		}
		batches[batch] = (double)(cpu_ns() - before) / LOOKS;
	}
	*ret_depth = frames.count;
	return median(batches, BATCHES);
}

static double share_of_nine(const char *python)
{
	struct sm_stacks_process process[NINE];
	pid_t pids[NINE];
	for (int i = 0; i < NINE; i++) {
		pids[i] = start(python, busy);
		process[i] = meet(pids[i]);
	}
	int64_t begin = sm_clock_mono_ns(), spent = cpu_ns(), due = begin;
	for (int round = 0; round < ROUNDS; round++) {
		due += NS_PER_S / 100;
		struct timespec until = {due / NS_PER_S, due % NS_PER_S};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		for (int i = 0; i < NINE; i++) {
			look(&process[i]);
		}
	}
	double share = (double)(cpu_ns() - spent) / (double)(sm_clock_mono_ns() - begin);
	for (int i = 0; i < NINE; i++) {
		part(&process[i], pids[i]);
	}
	return share;
}

int main(int argc, char **argv)
{
	const char *python = argc > 1 ? argv[1] : "python3";
	int depth = 0;
	tools.walk = sm_stacks_walk_create();
	if (!tools.walk || sm_stacks_kept_open(&tools.kept, NULL)) {
		return 1;
	}
	double clock_ns = time_clock();
	pid_t pid = start(python, busy);
	struct sm_stacks_process process = meet(pid);
	double walk_ns = time_walks(&process, &depth);
	double look_ns = time_looks(&process, true) - clock_ns;
	part(&process, pid);
	pid = start(python, asleep);
	process = meet(pid);
	double asleep_ns = time_looks(&process, false) - clock_ns;
	part(&process, pid);
	printf("look_ns %.0f ns\nwalk_ns %.0f ns\nasleep_ns %.0f ns\ndepth %d frames\n", look_ns,
		walk_ns, asleep_ns, depth);
	printf("torn_share %.6f share\n", (double)tools.kept.head.torn / (BATCHES * LOOKS));
	printf("nine_share %.5f share\n", share_of_nine(python));
	sm_stacks_walk_destroy(tools.walk);
	sm_stacks_code_bodies_finish(&tools.bodies);
	tools.kept.columns->count = 0;
	sm_stacks_kept_close(&tools.kept);
	return 0;
}
