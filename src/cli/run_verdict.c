#include "cli/run_verdict.h"

#include <stdio.h>

void sm_run_verdict_say(const char *run_directory, bool quiet)
{
	if (!quiet) {
		fprintf(stderr, "stallmeter: recorded in %s\n", run_directory);
	}
}
