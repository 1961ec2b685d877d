/* Ranks on one host share one CLOCK_MONOTONIC, to the nanosecond. Other hosts have other ones, which began when they
 * were booted; only the wall clocks connect them. So a file whose boot id differs is shifted by the difference of
 * (wall clock - monotonic clock) at the two starts: good to what NTP makes of it, a millisecond or so, which is said. */
#include "trace/merge.h"

#include <stdio.h>
#include <string.h>

int64_t sm_merge_offset(struct sm_merge *merge, const struct sm_trace_file_header *header,
	const char *boot_id, bool *ret_other_host)
{
	int64_t gap =
		(int64_t)((uint64_t)header->started_real_ns - (uint64_t)header->started_mono_ns);
	*ret_other_host = false;
	if (!merge->has_reference) {
		merge->has_reference = true;
		merge->real_minus_mono_ns = gap;
		snprintf(merge->boot_id, sizeof(merge->boot_id), "%s", boot_id);
		return 0;
	}
	if (!boot_id[0] || !strcmp(boot_id, merge->boot_id)) {
		return 0;
	}
	*ret_other_host = true;
	return (int64_t)((uint64_t)gap - (uint64_t)merge->real_minus_mono_ns);
}
