/* Opens a run for a command: with a line of progress on a terminal, and a complaint when it cannot be read. */
#ifndef SM_CLI_OPEN_RUN_H
#define SM_CLI_OPEN_RUN_H

#include "read/reading.h"

/* Reads `path`, a run directory or a .stall file, with a line of progress on a terminal when that takes long. 0, or the
 * exit code, after having complained. The reading ends with sm_reading_finish. */
int sm_open_run(struct sm_reading *reading, const char *path);
/* Says why `path` could not be read, and what to do; returns the exit code. */
int sm_open_run_complain(const char *path, int rc, const struct sm_error *error);

#endif
