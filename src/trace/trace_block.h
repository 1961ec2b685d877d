/* Checksums of blocks, and the few rules that every block obeys. */
#ifndef SM_TRACE_TRACE_BLOCK_H
#define SM_TRACE_TRACE_BLOCK_H

#include "trace/trace_format.h"

#include <stdbool.h>

/* A body in pieces, so that nothing needs to be copied together before it is written. */
struct sm_trace_part {
	const void *bytes;
	size_t count;
};

/* Fills magic, stored_bytes and both hashes of an otherwise finished header. */
void sm_trace_block_seal(
	struct sm_trace_block *block, const struct sm_trace_part *parts, int count);
bool sm_trace_block_is_head(const struct sm_trace_block *block); /* a header of ours, unchanged */
bool sm_trace_block_is_body(const struct sm_trace_block *block, const void *body);
uint64_t sm_trace_block_padded(uint64_t bytes); /* up to the next multiple of 8 */

void sm_trace_block_seal_tail(struct sm_trace_tail *tail);
bool sm_trace_block_is_tail(const struct sm_trace_tail *tail);

#endif
