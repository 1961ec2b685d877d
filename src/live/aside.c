#include "live/aside.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOWER = 10 }; /* levels of niceness */

struct sm_aside_head {
	int code;
	int64_t cpu_ns;
	max_align_t result[];
};

int sm_aside_init(struct sm_aside *aside, size_t result_bytes)
{
	size_t bytes = sizeof(struct sm_aside_head) + result_bytes;
	void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*aside = (struct sm_aside){.bytes = bytes};
	if (shared == MAP_FAILED) {
		return -errno;
	}
	aside->shared = shared;
	return 0;
}

void sm_aside_finish(struct sm_aside *aside)
{
	if (aside->child > 0) {
		kill(aside->child, SIGKILL);
		waitpid(aside->child, NULL, 0);
	}
	if (aside->shared) {
		munmap(aside->shared, aside->bytes);
	}
	*aside = (struct sm_aside){0};
}

static int64_t own_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void leave_signals_alone(void)
{
	static const int signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], SIG_DFL);
	}
}

static void work_and_end(struct sm_aside *aside, pid_t parent, sm_aside_work *work, void *context)
{
	leave_signals_alone();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(1); /* it died before we asked to be told */
	}
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + LOWER);
	aside->shared->code = work(context, aside->shared->result);
	aside->shared->cpu_ns = own_cpu_ns();
	_exit(0);
}

int sm_aside_begin(struct sm_aside *aside, sm_aside_work *work, void *context)
{
	pid_t parent = getpid();
	memset(aside->shared, 0, aside->bytes);
	pid_t child = fork();
	if (!child) {
		work_and_end(aside, parent, work, context);
	}
	aside->child = child > 0 ? child : 0;
	return child < 0 ? -errno : 0;
}

int sm_aside_take(struct sm_aside *aside, int64_t *ret_cpu_ns)
{
	int status;
	if (!aside->child || waitpid(aside->child, &status, WNOHANG) != aside->child) {
		return 0;
	}
	aside->child = 0;
	*ret_cpu_ns = aside->shared->cpu_ns;
	bool done = WIFEXITED(status) && !WEXITSTATUS(status);
	return !done ? -ECHILD : aside->shared->code < 0 ? aside->shared->code : 1;
}

void sm_aside_await(const struct sm_aside *aside)
{
	siginfo_t info;
	while (aside->child && waitid(P_PID, (id_t)aside->child, &info, WEXITED | WNOWAIT) < 0 &&
		errno == EINTR) {
	}
}

const void *sm_aside_result(const struct sm_aside *aside)
{
	return aside->shared->result;
}
