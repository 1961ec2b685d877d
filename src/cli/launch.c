#include "cli/launch.h"

#include "base/str.h"
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int complain_start(const char *program, int error)
{
	char what[512];
	snprintf(what, sizeof(what), "cannot start '%s': %s", program, strerror(error));
	sm_complain(&(struct sm_complaint){.what = what});
	return error == ENOENT ? SM_LAUNCH_NOT_FOUND : SM_LAUNCH_NOT_EXECUTABLE;
}

int sm_launch_become(char *const *command)
{
	fflush(NULL);
	execvp(command[0], command);
	return complain_start(command[0], errno);
}

/* PYTHONPATH=<inject>[:<as it was>]. An empty part would mean the current folder, so none is ever made. */
static bool put_in_front(const char *inject)
{
	const char *old = getenv("PYTHONPATH");
	if (!old || !*old) {
		return !setenv("PYTHONPATH", inject, 1);
	}
	struct sm_str path = SM_STR_EMPTY;
	sm_str_addf(&path, "%s:%s", inject, old);
	bool done = !path.failed && !setenv("PYTHONPATH", sm_str_text(&path), 1);
	sm_str_finish(&path);
	return done;
}

static bool set_environment(const struct sm_launch_environment *environment)
{
	return !setenv("STALLMETER_LIVE", environment->live, 1) &&
	       !setenv("STALLMETER_RUN", environment->run, 1) &&
	       !setenv("STALLMETER_LEVEL", environment->level, 1) &&
	       (!environment->inject || put_in_front(environment->inject));
}

static void run_child(char *const *command, const struct sm_launch_environment *environment,
	const struct sm_launch_signals *signals, int errno_fd)
{
	int error = 0;
	if (environment->live && !set_environment(environment)) {
		error = ENOMEM;
	} else {
		sigaction(SIGCHLD, &signals->child, NULL);
		sigprocmask(SIG_SETMASK, &signals->mask, NULL);
		execvp(command[0], command);
		error = errno;
	}
	ssize_t told = write(errno_fd, &error, sizeof(error));
	_exit(told == sizeof(error) ? SM_LAUNCH_FAILED : SM_LAUNCH_NOT_EXECUTABLE);
}

/* The pipe closes itself when exec succeeds; else it says why not. */
static int await_exec(int errno_fd)
{
	int error = 0;
	ssize_t got;
	do {
		got = read(errno_fd, &error, sizeof(error));
	} while (got < 0 && errno == EINTR);
	return got == sizeof(error) ? error : 0;
}

int sm_launch_start(char *const *command, const struct sm_launch_environment *environment,
	const struct sm_launch_signals *signals, pid_t *ret_pid)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC)) {
		complain_start(command[0], errno);
		return SM_LAUNCH_FAILED;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		run_child(command, environment, signals, ends[1]);
	}
	int fork_error = pid < 0 ? errno : 0;
	close(ends[1]);
	int error = fork_error ? 0 : await_exec(ends[0]);
	close(ends[0]);
	if (fork_error) {
		complain_start(command[0], fork_error);
		return SM_LAUNCH_FAILED;
	}
	*ret_pid = pid;
	return error ? complain_start(command[0], error) : 0;
}
