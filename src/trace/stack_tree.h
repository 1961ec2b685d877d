/* The stacks of a run while it is read: functions, the tree of places, threads; all found by their numbers. */
#ifndef SM_TRACE_STACK_TREE_H
#define SM_TRACE_STACK_TREE_H

#include "base/arena.h"
#include "trace/trace_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SM_STACK_TREE_DEPTH_MAX = 512 };

struct sm_stack_tree {
	struct sm_stack_tree_function {
		const char *file, *name; /* in arena; NULL: never told, its block was lost */
		uint32_t first_line;
	} * function; /* owned */
	struct sm_stack_tree_place {
		int64_t caller; /* -1: none */
		uint32_t function, line;
		bool known;
	} * place; /* owned */
	struct sm_stack_tree_thread {
		const char *name; /* in arena; NULL: never told */
		int32_t pid;
		uint32_t tid;
	} * thread; /* owned */
	size_t function_count, place_count, thread_count;
	size_t function_capacity, place_capacity, thread_capacity;
	struct sm_arena arena;
};

void sm_stack_tree_finish(struct sm_stack_tree *tree); /* fine on a zeroed one */
/* As the visitor is told them. 0 or -ENOMEM. */
int sm_stack_tree_add_function(
	struct sm_stack_tree *tree, const struct sm_trace_stack_function *function);
int sm_stack_tree_add_place(struct sm_stack_tree *tree, const struct sm_trace_stack_place *place);
int sm_stack_tree_add_thread(
	struct sm_stack_tree *tree, const struct sm_trace_stack_thread *thread);

/* NULL where the thread or the function was never told. */
const struct sm_stack_tree_thread *sm_stack_tree_thread(
	const struct sm_stack_tree *tree, uint32_t number);
const struct sm_stack_tree_function *sm_stack_tree_function(
	const struct sm_stack_tree *tree, uint32_t place);
/* The places from the outermost to this one; how many, 0 where part of the way is not known. */
int sm_stack_tree_way(const struct sm_stack_tree *tree, uint32_t place,
	uint32_t ret_places[SM_STACK_TREE_DEPTH_MAX]);

#endif
