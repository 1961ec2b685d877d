#include "base/tracking.h"

#include "base/metric.h"

#include <stddef.h>
#include <string.h>

static const char *const names[SM_TRACKING_COUNT] = {"memory", "gpu", "cpu", "io"};

/* Ids lie in families, so a few ranges tell all. */
static const struct {
	int first, last; /* enum sm_metric */
	unsigned group;
} families[] = {
	{SM_METRIC_CPU_USER, SM_METRIC_LOAD_RUNNABLE, SM_TRACKING_CPU},
	{SM_METRIC_MEM_TOTAL, SM_METRIC_SCAN_DIRECT, SM_TRACKING_MEMORY},
	{SM_METRIC_PRESSURE_CPU_SOME, SM_METRIC_PRESSURE_CPU_SOME, SM_TRACKING_CPU},
	{SM_METRIC_PRESSURE_IO_SOME, SM_METRIC_PRESSURE_IO_FULL, SM_TRACKING_IO},
	{SM_METRIC_PRESSURE_MEM_SOME, SM_METRIC_SHM_TOTAL, SM_TRACKING_MEMORY},
	{SM_METRIC_PROC_CPU, SM_METRIC_PROC_RUN_DELAY, SM_TRACKING_CPU},
	{SM_METRIC_PROC_RSS, SM_METRIC_PROC_RSS, SM_TRACKING_MEMORY},
	{SM_METRIC_PROC_READ, SM_METRIC_PROC_READ_CALLS, SM_TRACKING_IO},
	{SM_METRIC_PROC_MINOR_FAULTS, SM_METRIC_PROC_MAJOR_FAULTS, SM_TRACKING_MEMORY},
	{SM_METRIC_PROC_THREADS, SM_METRIC_PROC_THREADS, SM_TRACKING_CPU},
	{SM_METRIC_PROC_OPEN_FILES, SM_METRIC_PROC_OPEN_FILES_LIMIT, SM_TRACKING_IO},
	{SM_METRIC_PROC_VOLUNTARY, SM_METRIC_PROC_INVOLUNTARY, SM_TRACKING_CPU},
	{SM_METRIC_PROC_SWAP, SM_METRIC_PROC_SHARED, SM_TRACKING_MEMORY},
	{SM_METRIC_PROC_NICE, SM_METRIC_GROUP_CPU, SM_TRACKING_CPU},
	{SM_METRIC_GROUP_MEM, SM_METRIC_GROUP_MEM_EVENTS, SM_TRACKING_MEMORY},
	{SM_METRIC_DISK_READ, SM_METRIC_NET_SEND, SM_TRACKING_IO},
	{SM_METRIC_GPU_BUSY, SM_METRIC_GPU_PCIE_RX, SM_TRACKING_GPU},
	{SM_METRIC_PROC_WRITE_CALLS, SM_METRIC_PROC_WRITE_CALLS, SM_TRACKING_IO},
	{SM_METRIC_PROC_POLICY, SM_METRIC_PROC_POLICY, SM_TRACKING_CPU},
	{SM_METRIC_GROUP_CACHE, SM_METRIC_GROUP_CACHE, SM_TRACKING_MEMORY},
	{SM_METRIC_PROC_GPU_ALLOCATED, SM_METRIC_PROC_GPU_RESERVED, SM_TRACKING_GPU},
};

unsigned sm_tracking_of(int metric)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (metric >= families[i].first && metric <= families[i].last) {
			return families[i].group;
		}
	}
	return 0;
}

const char *sm_tracking_name(int i)
{
	return names[i];
}

static unsigned group_named(const char *word, size_t length)
{
	for (int i = 0; i < SM_TRACKING_COUNT; i++) {
		if (strlen(names[i]) == length && !memcmp(names[i], word, length)) {
			return 1U << i;
		}
	}
	return 0;
}

bool sm_tracking_read(
	const char *words, char separator, unsigned *ret_groups, const char **ret_wrong)
{
	unsigned groups = 0;
	for (const char *word = words; *word;) {
		const char *end = strchr(word, separator);
		size_t length = end ? (size_t)(end - word) : strlen(word);
		unsigned group = group_named(word, length);
		if (!group || (end && !end[1])) {
			if (ret_wrong) {
				*ret_wrong = group ? end : word;
			}
			return false;
		}
		groups |= group;
		word = end ? end + 1 : word + length;
	}
	*ret_groups = groups;
	return true;
}
