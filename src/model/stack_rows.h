/* Looks added up by whose they were, in which stage, on which line; private to src/model. */
#ifndef SM_MODEL_STACK_ROWS_H
#define SM_MODEL_STACK_ROWS_H

#include "base/map.h"
#include "base/vocabulary.h"

#include <stddef.h>
#include <stdint.h>

struct sm_stack_row {
	uint32_t owner;			 /* build_stacks.c says who */
	uint32_t function, line, callee; /* as struct sm_stack_spot */
	enum sm_stage stage;		 /* SM_STAGE_COUNT: none */
	double wall_s, cpu_s, awake_s, in_call_s;
	uint64_t looks;
};

struct sm_stack_rows {
	struct sm_stack_row *row; /* owned */
	size_t count, capacity;
	struct sm_map by_content;
};

/* Into the row of the same owner, place and stage. 0 or -ENOMEM. */
int sm_stack_rows_add(struct sm_stack_rows *rows, const struct sm_stack_row *row);
/* The most seen first; nothing may be added afterwards. */
void sm_stack_rows_sort(struct sm_stack_rows *rows);
/* wall_s of all rows of the same owner and stage. */
double sm_stack_rows_of_stage(const struct sm_stack_rows *rows, const struct sm_stack_row *like);
void sm_stack_rows_finish(struct sm_stack_rows *rows); /* fine on a zeroed one */

#endif
