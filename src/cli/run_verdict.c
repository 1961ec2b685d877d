#include "cli/run_verdict.h"

#include "cli/command.h"
#include "cli/report_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void warn_not_judged(const char *run_directory)
{
	sm_warn(&(struct sm_complaint){.what = "the run was recorded but could not be judged",
		.where = run_directory,
		.help = "stallmeter report RUN says why"});
}

/* The exit code of the judge, or 128 + the signal that ended it. */
static int wait_for(pid_t judge)
{
	int status = 0;
	while (waitpid(judge, &status, 0) < 0) {
		if (errno != EINTR) {
			return SM_EXIT_INTERNAL;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* `run` keeps signals away from itself; a judgement that takes long may be interrupted. */
static void hear_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void sm_run_verdict_say(const char *run_directory, bool quiet)
{
	fflush(NULL);
	pid_t judge = fork();
	if (judge == 0) {
		hear_signals();
		_exit(sm_report_run(run_directory, quiet ? NULL : stderr));
	}
	int code = judge < 0 ? SM_EXIT_INTERNAL : wait_for(judge);
	if (code >= SM_EXIT_INTERNAL) { /* below, it has complained itself */
		warn_not_judged(run_directory);
	}
}
