/* /proc/<pid>/schedstat: how long a process was ready to run and did not. Of its main thread only. Quota, too many
 * workers and foreign load all end here; the control group, the idle time and the job's share of the CPUs tell which. */
#include "probe/source.h"

#include <errno.h>

#define NANOSECOND 1e-9

struct delay {
	struct sm_source schedstat;
	int64_t pid;
};

static int open_delay(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct delay *delay = state;
	delay->pid = pid;
	return sm_source_open(&delay->schedstat, why, root, "/proc/%d/schedstat", (int)pid);
}

static int sample_delay(void *state, const struct sm_probe_sink *sink)
{
	const struct delay *delay = state;
	struct sm_scan text, line;
	uint64_t run_ns, delay_ns;
	int r = sm_source_read(&delay->schedstat, &text);
	if (r < 0) {
		return r;
	}
	if (!sm_scan_line(&text, &line) || !sm_scan_u64(&line, &run_ns) ||
		!sm_scan_u64(&line, &delay_ns)) {
		return -EBADMSG;
	}
	sm_probe_emit(sink, SM_METRIC_PROC_RUN_DELAY, delay->pid, (double)delay_ns * NANOSECOND);
	return 0;
}

static void close_delay(void *state)
{
	struct delay *delay = state;
	sm_source_close(&delay->schedstat);
}

const struct sm_probe sm_probe_process_delay = {
	.name = "process_delay",
	.summary = "how long the main thread of every process was ready to run and did not",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_CPU,
	.per_process = 1,
	.state_bytes = sizeof(struct delay),
	.open = open_delay,
	.sample = sample_delay,
	.close = close_delay,
};
