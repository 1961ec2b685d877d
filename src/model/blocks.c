#include "model/blocks.h"

static void join_neighbours(struct sm_blocks *blocks)
{
	for (size_t i = 0; i < SM_BLOCKS_MAX / 2; i++) {
		blocks->mean[i] = (blocks->mean[2 * i] + blocks->mean[2 * i + 1]) / 2;
	}
	blocks->full = SM_BLOCKS_MAX / 2;
	blocks->per_block *= 2;
}

static void close_block(struct sm_blocks *blocks)
{
	blocks->mean[blocks->full++] = blocks->pending_sum / (double)blocks->pending;
	blocks->pending = 0;
	blocks->pending_sum = 0;
	if (blocks->full == SM_BLOCKS_MAX) {
		join_neighbours(blocks);
	}
}

void sm_blocks_add(struct sm_blocks *blocks, double value)
{
	blocks->per_block = blocks->per_block ? blocks->per_block : 1;
	blocks->pending++;
	blocks->pending_sum += value;
	if (blocks->pending == blocks->per_block) {
		close_block(blocks);
	}
}
