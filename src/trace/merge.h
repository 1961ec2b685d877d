/* One clock for the files of one run. */
#ifndef SM_TRACE_MERGE_H
#define SM_TRACE_MERGE_H

#include "trace/trace_format.h"

#include <stdbool.h>

struct sm_merge {
	bool has_reference;
	char boot_id[40]; /* of the host whose clock the run is told in */
	int64_t real_minus_mono_ns;
};

/* What to add to the times of this file. The first file asked about is the reference. *ret_other_host: it ran elsewhere,
 * and its offset is only as good as the two hosts' wall clocks. */
int64_t sm_merge_offset(struct sm_merge *merge, const struct sm_trace_file_header *header,
	const char *boot_id, bool *ret_other_host);

#endif
