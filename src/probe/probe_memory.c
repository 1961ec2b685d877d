/* /proc/meminfo: the machine's memory. A container sees the host's; its own limit is in cgroup_memory. */
#include "probe/source.h"

#include <errno.h>

#define KB 1024.0

struct memory {
	struct sm_source meminfo;
};

static const struct sm_scan_field fields[] = {
	{"MemTotal", SM_METRIC_MEM_TOTAL, KB},
	{"MemAvailable", SM_METRIC_MEM_AVAILABLE, KB},
	{"Dirty", SM_METRIC_MEM_DIRTY, KB},
	{"Shmem", SM_METRIC_MEM_SHMEM, KB},
	{"SwapFree", SM_METRIC_SWAP_FREE, KB},
	{0},
};

static int open_memory(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct memory *memory = state;
	return sm_source_open(&memory->meminfo, why, root, "/proc/meminfo");
}

static int sample_memory(void *state, const struct sm_probe_sink *sink)
{
	const struct memory *memory = state;
	struct sm_scan text;
	int r = sm_source_read(&memory->meminfo, &text);
	if (r < 0) {
		return r;
	}
	return sm_scan_fields(text, fields, 0, sink) > 0 ? 0 : -EBADMSG;
}

static void close_memory(void *state)
{
	struct memory *memory = state;
	sm_source_close(&memory->meminfo);
}

const struct sm_probe sm_probe_memory = {
	.name = "memory",
	.summary = "memory of the machine: available, dirty, shared, swap left",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_MEMORY,
	.state_bytes = sizeof(struct memory),
	.open = open_memory,
	.sample = sample_memory,
	.close = close_memory,
};
