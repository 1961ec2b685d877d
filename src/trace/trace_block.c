#include "trace/trace_block.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t hash_head(const struct sm_trace_block *block)
{
	return XXH3_64bits(block, offsetof(struct sm_trace_block, head_hash));
}

static uint64_t hash_parts(const struct sm_trace_part *parts, int count)
{
	XXH3_state_t state;
	XXH3_64bits_reset(&state);
	for (int i = 0; i < count; i++) {
		XXH3_64bits_update(&state, parts[i].bytes, parts[i].count);
	}
	return XXH3_64bits_digest(&state);
}

void sm_trace_block_seal(struct sm_trace_block *block, const struct sm_trace_part *parts, int count)
{
	size_t bytes = 0;
	for (int i = 0; i < count; i++) {
		bytes += parts[i].count;
	}
	block->magic = SM_TRACE_BLOCK_MAGIC;
	block->stored_bytes = (uint32_t)bytes;
	block->body_hash = hash_parts(parts, count);
	block->head_hash = hash_head(block);
}

bool sm_trace_block_is_head(const struct sm_trace_block *block)
{
	return block->magic == SM_TRACE_BLOCK_MAGIC &&
	       block->stored_bytes <= SM_TRACE_BLOCK_BYTES_MAX &&
	       block->plain_bytes <= SM_TRACE_BLOCK_BYTES_MAX &&
	       block->head_hash == hash_head(block);
}

bool sm_trace_block_is_body(const struct sm_trace_block *block, const void *body)
{
	return block->body_hash == XXH3_64bits(body, block->stored_bytes);
}

uint64_t sm_trace_block_padded(uint64_t bytes)
{
	return (bytes + 7) & ~(uint64_t)7;
}

void sm_trace_block_seal_tail(struct sm_trace_tail *tail)
{
	memcpy(tail->magic, SM_TRACE_TAIL_MAGIC, sizeof(tail->magic));
	tail->hash = XXH3_64bits(tail, offsetof(struct sm_trace_tail, hash));
}

bool sm_trace_block_is_tail(const struct sm_trace_tail *tail)
{
	return !memcmp(tail->magic, SM_TRACE_TAIL_MAGIC, sizeof(tail->magic)) &&
	       tail->hash == XXH3_64bits(tail, offsetof(struct sm_trace_tail, hash));
}
