/* Means of consecutive stretches of a sequence of numbers, in their order: what two sequences are compared by when
 * neighbours resemble each other. All full blocks hold the same count of numbers; when the room is used up, neighbours
 * are joined and blocks are twice as long from there. */
#ifndef SM_MODEL_BLOCKS_H
#define SM_MODEL_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { SM_BLOCKS_MAX = 64 };

struct sm_blocks {
	uint64_t per_block; /* 0: nothing added yet */
	size_t full;
	double mean[SM_BLOCKS_MAX];
	uint64_t pending; /* numbers of the block that is filling */
	double pending_sum;
};

void sm_blocks_add(struct sm_blocks *blocks, double value);

#endif
