/* Signals reach us in three ways, and each wants its own answer.
 *
 * From the terminal (Ctrl-C, Ctrl-\): the kernel sends them to the whole foreground group, the job has them already; we
 * only must not die of them before it. From a person or a batch system, by kill: to us alone, so we hand them on. (A
 * kill of the whole group reaches the job twice. It cannot be told apart, and for the signals in question twice is
 * once.) Ctrl-Z stops the job; then we stop too, as the shell that waits for us expects, and go on when it does.
 *
 * We are also the one to whom orphans of the job fall (prctl PR_SET_CHILD_SUBREAPER), so that a daemon it leaves
 * behind is still seen; we collect whatever of them ends. */
#include "cli/supervise.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNAL_EXIT = 128 };

/* Of a fault of our own we die where we stand; stops are copied from the job; a closed pipe is our own affair. */
static const int left_alone[] = {
	SIGSEGV,
	SIGBUS,
	SIGFPE,
	SIGILL,
	SIGTRAP,
	SIGSYS,
	SIGABRT,
	SIGTSTP,
	SIGTTIN,
	SIGTTOU,
	SIGPIPE,
};

int sm_supervise_start(struct sm_supervise *supervise)
{
	sigset_t wanted;
	*supervise = (struct sm_supervise){.signal_fd = -1};
	sigfillset(&wanted);
	for (size_t i = 0; i < sizeof(left_alone) / sizeof(left_alone[0]); i++) {
		sigdelset(&wanted, left_alone[i]);
	}
	/* Terminal stops are held back too, until the job has stopped; see follow_stop. */
	sigset_t blocked = wanted;
	sigaddset(&blocked, SIGTSTP);
	sigaddset(&blocked, SIGTTIN);
	sigaddset(&blocked, SIGTTOU);
	sigaddset(&blocked, SIGPIPE);
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &supervise->before.child);
	sigprocmask(SIG_SETMASK, &blocked, &supervise->before.mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	supervise->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return supervise->signal_fd < 0 ? -errno : 0;
}

void sm_supervise_finish(struct sm_supervise *supervise)
{
	if (supervise->signal_fd >= 0) {
		close(supervise->signal_fd);
	}
	if (!supervise->job) {
		sigprocmask(SIG_SETMASK, &supervise->before.mask, NULL);
		sigaction(SIGCHLD, &supervise->before.child, NULL);
	}
	supervise->signal_fd = -1;
}

/* Stops as the job did, so that the shell sees what it would have seen; returns when somebody lets us go on. */
static void follow_stop(int signal)
{
	struct sigaction before;
	sigset_t one, mask;
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, &before);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(signal, &before, NULL);
}

/* A stop by kill -STOP is somebody's doing to the job alone; a stop from the terminal concerns us all. */
static bool is_terminal_stop(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void note_child(struct sm_supervise *supervise, pid_t pid, int status)
{
	if (WIFSTOPPED(status)) {
		if (pid == supervise->job && is_terminal_stop(WSTOPSIG(status))) {
			follow_stop(WSTOPSIG(status));
		}
	} else if (pid == supervise->job) {
		supervise->job_ended = true;
		supervise->job_status = status;
	} else if (pid == supervise->other) {
		supervise->other_ended = true;
	}
}

static void collect_children(struct sm_supervise *supervise)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		note_child(supervise, pid, status);
	}
}

static bool is_stopped(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file) {
		fclose(file);
	}
	text[length] = '\0';
	const char *bracket = strrchr(text, ')');
	return bracket && bracket[1] == ' ' && bracket[2] == 'T';
}

static void hand_on(struct sm_supervise *supervise, const struct signalfd_siginfo *info)
{
	int signal = (int)info->ssi_signo;
	bool from_terminal = info->ssi_code == SI_KERNEL;
	if (supervise->job_ended) {
		supervise->interrupts += signal == SIGINT || signal == SIGTERM ||
					 signal == SIGQUIT || signal == SIGHUP;
	} else if (signal == SIGCONT ? is_stopped(supervise->job) : !from_terminal) {
		kill(supervise->job, signal);
	}
}

static void take_signals(struct sm_supervise *supervise)
{
	struct signalfd_siginfo info;
	while (read(supervise->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			collect_children(supervise);
		} else if (supervise->job) {
			hand_on(supervise, &info);
		}
	}
}

bool sm_supervise_step(struct sm_supervise *supervise, int fd, int timeout_ms)
{
	struct pollfd sources[2] = {
		{.fd = supervise->signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	if (poll(sources, 2, timeout_ms) > 0 && sources[0].revents) {
		take_signals(supervise);
	}
	return fd >= 0 && sources[1].revents;
}

int sm_supervise_exit_code(const struct sm_supervise *supervise)
{
	int status = supervise->job_status;
	return WIFSIGNALED(status) ? SIGNAL_EXIT + WTERMSIG(status) : WEXITSTATUS(status);
}
