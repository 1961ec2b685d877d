/* A file that a command was asked to write: whole or not at all. */
#ifndef SM_CLI_OUTPUT_H
#define SM_CLI_OUTPUT_H

#include "report/report.h"

#include <stdio.h>

/* Calls `write` with a stream for `path` ("-": standard output). A regular file appears under its name only once it is
 * whole. 0, or a negative code, after having complained. */
int sm_output_write(
	const char *path, int (*write)(const void *context, FILE *out), const void *context);

/* How reports look on this stream. */
struct sm_report_style sm_output_style(FILE *stream);

#endif
