/* What `stallmeter run` does when the job is over. */
#ifndef SM_CLI_REPORT_RUN_H
#define SM_CLI_REPORT_RUN_H

#include <stdbool.h>
#include <stdio.h>

/* Judges the run in `directory`, leaves report.json and report.html in it (nothing that is there already is touched) and
 * prints the verdict to `verdict` (NULL: it does not). 0, or an exit code, after having complained: never the child's. */
int sm_report_run(const char *directory, FILE *verdict);

#endif
