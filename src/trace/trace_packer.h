/* Events into the PACKED coding: columns, each with its own zstd frame. */
#ifndef SM_TRACE_TRACE_PACKER_H
#define SM_TRACE_TRACE_PACKER_H

#include "trace/trace_columns.h"

struct sm_trace_packer; /* opaque, heap */
int sm_trace_packer_create(struct sm_trace_packer **ret_packer);
void sm_trace_packer_destroy(struct sm_trace_packer *packer); /* NULL is fine */
/* Up to SM_TRACE_BLOCK_EVENTS_MAX rows into *ret_body, which stays valid until the next call. `segment` says where they
 * come from. Sets codec, plain_bytes, count and times of `block`. 0, -ENOMEM, -SM_ERR_LIMIT. */
int sm_trace_packer_encode(struct sm_trace_packer *packer, const struct sm_trace_columns *columns,
	const struct sm_trace_raw *segment, struct sm_trace_block *block, const void **ret_body,
	size_t *ret_bytes);

#endif
