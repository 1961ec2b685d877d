/* Starts the job's command exactly as a shell would have: same process group and terminal, same signal mask and
 * dispositions, same open files; only the environment has what the recorder needs. */
#ifndef SM_CLI_LAUNCH_H
#define SM_CLI_LAUNCH_H

#include <signal.h>
#include <sys/types.h>

enum { SM_LAUNCH_FAILED = 125, SM_LAUNCH_NOT_EXECUTABLE = 126, SM_LAUNCH_NOT_FOUND = 127 };

struct sm_launch_environment {
	const char *live, *run, *level; /* live NULL: leave the environment as it is */
	const char *inject;		/* in front of PYTHONPATH; NULL: nothing */
};

struct sm_launch_signals { /* as they were before we touched any */
	sigset_t mask;
	struct sigaction child;
};

/* Runs `command` in a new process. 0, or an exit code of ours after a complaint. */
int sm_launch_start(char *const *command, const struct sm_launch_environment *environment,
	const struct sm_launch_signals *signals, pid_t *ret_pid);
/* Becomes `command`. Returns only when it cannot: an exit code, after a complaint. */
int sm_launch_become(char *const *command);

#endif
