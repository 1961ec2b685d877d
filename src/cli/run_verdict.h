/* What `run` says when the job is over. */
#ifndef SM_CLI_RUN_VERDICT_H
#define SM_CLI_RUN_VERDICT_H

#include <stdbool.h>

/* Judges the run in a process of its own, so that no fault of ours reaches the job's exit code: the verdict on standard
 * error, report.json and report.html into the run's directory. */
void sm_run_verdict_say(const char *run_directory, bool quiet);

#endif
