#include "trace/stack_tree.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

void sm_stack_tree_finish(struct sm_stack_tree *tree)
{
	sm_mem_free(tree->function);
	sm_mem_free(tree->place);
	sm_mem_free(tree->thread);
	sm_arena_finish(&tree->arena);
	*tree = (struct sm_stack_tree){0};
}

/* Room for `number`; entries before it that were never told stay zero. */
static int reach(
	void *items_pointer, size_t *count, size_t *capacity, uint32_t number, size_t bytes)
{
	if (number < *count) {
		return 0;
	}
	if (sm_mem_grow(items_pointer, capacity, (size_t)number + 1, bytes)) {
		return -ENOMEM;
	}
	char *items;
	memcpy(&items, items_pointer, sizeof(items));
	memset(items + *count * bytes, 0, ((size_t)number + 1 - *count) * bytes);
	*count = (size_t)number + 1;
	return 0;
}

int sm_stack_tree_add_function(
	struct sm_stack_tree *tree, const struct sm_trace_stack_function *function)
{
	if (reach(&tree->function, &tree->function_count, &tree->function_capacity,
		    function->number, sizeof(*tree->function))) {
		return -ENOMEM;
	}
	struct sm_stack_tree_function *kept = &tree->function[function->number];
	kept->file = sm_arena_strdup(&tree->arena, function->file);
	kept->name = sm_arena_strdup(&tree->arena, function->name);
	kept->first_line = function->first_line;
	return kept->file && kept->name ? 0 : -ENOMEM;
}

int sm_stack_tree_add_place(struct sm_stack_tree *tree, const struct sm_trace_stack_place *place)
{
	if (reach(&tree->place, &tree->place_count, &tree->place_capacity, place->number,
		    sizeof(*tree->place))) {
		return -ENOMEM;
	}
	tree->place[place->number] =
		(struct sm_stack_tree_place){place->caller, place->function, place->line, true};
	return 0;
}

int sm_stack_tree_add_thread(struct sm_stack_tree *tree, const struct sm_trace_stack_thread *thread)
{
	if (reach(&tree->thread, &tree->thread_count, &tree->thread_capacity, thread->number,
		    sizeof(*tree->thread))) {
		return -ENOMEM;
	}
	const char *name = sm_arena_strdup(&tree->arena, thread->name);
	tree->thread[thread->number] =
		(struct sm_stack_tree_thread){name, thread->pid, thread->tid};
	return name ? 0 : -ENOMEM;
}

const struct sm_stack_tree_thread *sm_stack_tree_thread(
	const struct sm_stack_tree *tree, uint32_t number)
{
	return number < tree->thread_count && tree->thread[number].name ? &tree->thread[number]
									: NULL;
}

const struct sm_stack_tree_function *sm_stack_tree_function(
	const struct sm_stack_tree *tree, uint32_t place)
{
	if (place >= tree->place_count || !tree->place[place].known) {
		return NULL;
	}
	uint32_t function = tree->place[place].function;
	return function < tree->function_count && tree->function[function].file
		       ? &tree->function[function]
		       : NULL;
}

int sm_stack_tree_way(const struct sm_stack_tree *tree, uint32_t place,
	uint32_t ret_places[SM_STACK_TREE_DEPTH_MAX])
{
	int count = 0;
	for (int64_t at = place; at >= 0; at = tree->place[at].caller) {
		if (count == SM_STACK_TREE_DEPTH_MAX ||
			!sm_stack_tree_function(tree, (uint32_t)at)) {
			return 0;
		}
		ret_places[count++] = (uint32_t)at;
	}
	for (int i = 0; i < count / 2; i++) {
		uint32_t other = ret_places[count - 1 - i];
		ret_places[count - 1 - i] = ret_places[i];
		ret_places[i] = other;
	}
	return count;
}
