/* A run, read and judged: what every command that speaks about a finished run begins with. */
#ifndef SM_CLI_READING_H
#define SM_CLI_READING_H

#include "report/report.h"

struct sm_reading {
	struct sm_model model;
	struct sm_analysis analysis;
	struct sm_findings findings;
	struct sm_report report; /* points at the three above */
};

/* Reads `path`, a run directory or a .stall file, with a line of progress on a terminal when that takes long. 0, or the
 * exit code, after having complained. */
int sm_reading_open(struct sm_reading *reading, const char *path);
/* Says why `path` could not be read, and what to do; returns the exit code. */
int sm_reading_complain(const char *path, int rc, const struct sm_error *error);
void sm_reading_close(struct sm_reading *reading); /* fine on a zeroed one */

#endif
