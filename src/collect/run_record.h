/* The RUN lines of a trace: what was run, where, how it ended. */
#ifndef SM_COLLECT_RUN_RECORD_H
#define SM_COLLECT_RUN_RECORD_H

#include "collect/collector.h"
#include "collect/run_files.h"

#include <stdbool.h>

enum { SM_RUN_RECORD_STATUS_UNKNOWN = -1 };

struct sm_run_record_end {
	int wait_status;      /* of the job's first process, as wait(2) gives it; or unknown */
	double cpu_s, wall_s; /* of the collector */
	bool complete;
};

int sm_run_record_begin(
	const struct sm_run_files *files, const struct sm_collector_options *options);
int sm_run_record_end(struct sm_trace_writer *writer, const struct sm_run_record_end *end);

#endif
