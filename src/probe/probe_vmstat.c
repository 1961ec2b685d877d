/* /proc/vmstat: refaults tell a cache that is too small from one that is merely cold, swap and direct reclaim a
 * machine out of memory. At 10 us the dearest file we read, so once a second. */
#include "probe/source.h"

#include <errno.h>
#include <unistd.h>

enum { FIELDS = 7 };

struct vmstat {
	struct sm_source vmstat;
	struct sm_scan_field fields[FIELDS]; /* scaled by the page size */
};

static int open_vmstat(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct vmstat *vmstat = state;
	double page_bytes = (double)sysconf(_SC_PAGESIZE);
	const struct sm_scan_field fields[FIELDS] = {
		{"pswpin", SM_METRIC_SWAP_IN, page_bytes},
		{"pswpout", SM_METRIC_SWAP_OUT, page_bytes},
		{"workingset_refault", SM_METRIC_REFAULTS_FILE, page_bytes}, /* before Linux 5.9 */
		{"workingset_refault_file", SM_METRIC_REFAULTS_FILE, page_bytes},
		{"pgmajfault", SM_METRIC_MAJOR_FAULTS, 1},
		{"pgscan_direct", SM_METRIC_SCAN_DIRECT, 1},
	};
	for (int i = 0; i < FIELDS; i++) {
		vmstat->fields[i] = fields[i];
	}
	return sm_source_open(&vmstat->vmstat, why, root, "/proc/vmstat");
}

static int sample_vmstat(void *state, const struct sm_probe_sink *sink)
{
	const struct vmstat *vmstat = state;
	struct sm_scan text;
	int r = sm_source_read(&vmstat->vmstat, &text);
	if (r < 0) {
		return r;
	}
	return sm_scan_fields(text, vmstat->fields, 0, sink) > 0 ? 0 : -EBADMSG;
}

static void close_vmstat(void *state)
{
	struct vmstat *vmstat = state;
	sm_source_close(&vmstat->vmstat);
}

const struct sm_probe sm_probe_vmstat = {
	.name = "vmstat",
	.summary = "refaults, swap, major faults and direct reclaim of the machine",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_MEMORY,
	.state_bytes = sizeof(struct vmstat),
	.open = open_vmstat,
	.sample = sample_vmstat,
	.close = close_vmstat,
};
