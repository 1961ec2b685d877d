/* Which line of the job's own code a place of a stack stands for; private to src/model. */
#ifndef SM_MODEL_STACK_SPOTS_H
#define SM_MODEL_STACK_SPOTS_H

#include "trace/stack_tree.h"

#include <stdbool.h>
#include <stdint.h>

#define SM_STACK_SPOTS_NONE UINT32_MAX

struct sm_stack_spot {
	uint32_t function, line;
	uint32_t callee; /* what it called there; SM_STACK_SPOTS_NONE */
	bool known;	 /* the block that tells it was there */
	bool own;	 /* the job's code, or below it */
};

/* Of every place of the tree; owned by the caller (sm_mem_free). NULL without memory. */
struct sm_stack_spot *sm_stack_spots_find(const struct sm_stack_tree *tree);

#endif
