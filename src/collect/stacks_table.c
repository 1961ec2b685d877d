#include "collect/stacks_table.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_TOTAL_MAX = 16 * 1024 * 1024, THREADS_MAX = 1 << 16, PROBES_MAX = 8 };

void sm_stacks_table_finish(struct sm_stacks_table *table)
{
	for (size_t i = 0; i < table->function_count; i++) {
		sm_mem_free(table->function[i].file);
		sm_mem_free(table->function[i].name);
	}
	sm_mem_free(table->function);
	sm_mem_free(table->node);
	sm_mem_free(table->thread);
	sm_map_finish(&table->functions);
	sm_map_finish(&table->nodes);
	*table = (struct sm_stacks_table){0};
}

/* --- functions --- */

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++) {
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	}
	return (hash ^ 0xff) * 0x100000001b3ULL; /* where one text ends and the next begins */
}

static bool is_function(const struct sm_stacks_named *function, const char *file, const char *name,
	uint32_t first_line)
{
	return function->first_line == first_line && !strcmp(function->file, file) &&
	       !strcmp(function->name, name);
}

static int64_t add_function(struct sm_stacks_table *table, uint64_t key, const char *file,
	const char *name, uint32_t first_line)
{
	size_t text = strlen(file) + strlen(name) + 2;
	if (table->function_count >= SM_STACKS_FUNCTIONS_MAX ||
		table->text_bytes + text > TEXT_TOTAL_MAX) {
		return -SM_ERR_LIMIT;
	}
	if (sm_mem_grow(&table->function, &table->function_capacity, table->function_count + 1,
		    sizeof(*table->function))) {
		return -ENOMEM;
	}
	struct sm_stacks_named function = {
		.file = sm_mem_strdup(file), .name = sm_mem_strdup(name), .first_line = first_line};
	if (!function.file || !function.name ||
		sm_map_set(&table->functions, key, table->function_count)) {
		sm_mem_free(function.file);
		sm_mem_free(function.name);
		return -ENOMEM;
	}
	table->text_bytes += text;
	table->function[table->function_count] = function;
	return (int64_t)table->function_count++;
}

int64_t sm_stacks_table_function(
	struct sm_stacks_table *table, const char *file, const char *name, uint32_t first_line)
{
	uint64_t key = hash_text(hash_text(0xcbf29ce484222325ULL + first_line, file), name);
	uint64_t place;
	for (int i = 0; i < PROBES_MAX; i++, key++) { /* two of one hash lie side by side */
		if (!sm_map_find(&table->functions, key, &place)) {
			return add_function(table, key, file, name, first_line);
		}
		if (is_function(&table->function[place], file, name, first_line)) {
			return (int64_t)place;
		}
	}
	return -SM_ERR_LIMIT;
}

/* --- nodes --- */

/* Bounds of all three leave room for them in one word. */
_Static_assert(SM_STACKS_NODES_MAX <= 1 << 23 && SM_STACKS_FUNCTIONS_MAX <= 1 << 16, "key");

int64_t sm_stacks_table_node(
	struct sm_stacks_table *table, int64_t parent, uint32_t function, uint32_t line)
{
	line = line <= SM_STACKS_LINE_MAX ? line : 0;
	uint64_t key = (uint64_t)(parent + 1) << 40 | (uint64_t)function << 24 | line;
	uint64_t place;
	if (sm_map_find(&table->nodes, key, &place)) {
		return (int64_t)place;
	}
	if (table->node_count >= SM_STACKS_NODES_MAX) {
		return -SM_ERR_LIMIT;
	}
	if (sm_mem_grow(&table->node, &table->node_capacity, table->node_count + 1,
		    sizeof(*table->node)) ||
		sm_map_set(&table->nodes, key, table->node_count)) {
		return -ENOMEM;
	}
	table->node[table->node_count] =
		(struct sm_stacks_node){(uint32_t)(parent + 1), function, line};
	return (int64_t)table->node_count++;
}

/* --- threads --- */

int64_t sm_stacks_table_thread(
	struct sm_stacks_table *table, pid_t pid, uint32_t tid, const char *name)
{
	if (table->thread_count >= THREADS_MAX) {
		return -SM_ERR_LIMIT;
	}
	if (sm_mem_grow(&table->thread, &table->thread_capacity, table->thread_count + 1,
		    sizeof(*table->thread))) {
		return -ENOMEM;
	}
	struct sm_stacks_thread_name *thread = &table->thread[table->thread_count];
	*thread = (struct sm_stacks_thread_name){.pid = pid, .tid = tid};
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	return (int64_t)table->thread_count++;
}
