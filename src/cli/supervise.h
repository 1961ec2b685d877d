/* Stands in for the job towards whoever started us: hands signals on, stops when it stops, ends as it ends. */
#ifndef SM_CLI_SUPERVISE_H
#define SM_CLI_SUPERVISE_H

#include "cli/launch.h"

#include <stdbool.h>

struct sm_supervise {
	int signal_fd;			 /* owned */
	struct sm_launch_signals before; /* for the job */
	pid_t job;			 /* 0: not started yet */
	bool job_ended;
	int job_status; /* as wait(2) gives it */
	pid_t other;	/* a child of ours that is not the job's, 0: none */
	bool other_ended;
	int interrupts; /* signals that asked us to end, after the job had */
};

/* From here on, signals wait until they are asked for. */
int sm_supervise_start(struct sm_supervise *supervise);
/* Where no job was started, signals come again as before. Else they stay away: what is still pending (a Ctrl-Z that the job
 * did not care for) must not meet us on our way out. */
void sm_supervise_finish(struct sm_supervise *supervise);
/* Waits until a signal or a child's end was handled, until `fd` (or -1) is readable, or `timeout_ms` have passed
 * (-1: for ever). Returns true when `fd` is. */
bool sm_supervise_step(struct sm_supervise *supervise, int fd, int timeout_ms);
int sm_supervise_exit_code(const struct sm_supervise *supervise);

#endif
