/* /proc/<pid>/status: swap, and switches of the main thread. Six times as dear as stat, so once a second. */
#include "probe/source.h"

#include <errno.h>

#define KB 1024.0

struct status {
	struct sm_source status;
	int64_t pid;
};

static const struct sm_scan_field fields[] = {
	{"VmSwap", SM_METRIC_PROC_SWAP, KB},
	{"voluntary_ctxt_switches", SM_METRIC_PROC_VOLUNTARY, 1},
	{"nonvoluntary_ctxt_switches", SM_METRIC_PROC_INVOLUNTARY, 1},
	{0},
};

static int open_status(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct status *status = state;
	status->pid = pid;
	return sm_source_open(&status->status, why, root, "/proc/%d/status", (int)pid);
}

static int sample_status(void *state, const struct sm_probe_sink *sink)
{
	const struct status *status = state;
	struct sm_scan text;
	int r = sm_source_read(&status->status, &text);
	if (r < 0) {
		return r;
	}
	return sm_scan_fields(text, fields, status->pid, sink) > 0 ? 0 : -EBADMSG;
}

static void close_status(void *state)
{
	struct status *status = state;
	sm_source_close(&status->status);
}

const struct sm_probe sm_probe_process_status = {
	.name = "process_status",
	.summary = "swap and context switches of every process of the job",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_CPU | SM_TRACKING_MEMORY,
	.per_process = 1,
	.state_bytes = sizeof(struct status),
	.open = open_status,
	.sample = sample_status,
	.close = close_status,
};
