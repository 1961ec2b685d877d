/* Every stack once: functions, and a tree of the places they were called from. A stack is the number of the place of its
 * innermost frame; its callers are the way to the root. The same numbers stand in the trace (docs/format.md, STACKS). */
#ifndef SM_COLLECT_STACKS_TABLE_H
#define SM_COLLECT_STACKS_TABLE_H

#include "base/map.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SM_STACKS_FUNCTIONS_MAX = 1 << 16,
	SM_STACKS_NODES_MAX = 1 << 18,
	SM_STACKS_LINE_MAX = (1 << 24) - 1,
	SM_STACKS_TEXT_MAX = 1023, /* bytes of a file's or a function's name */
};

struct sm_stacks_named {   /* a function */
	char *file, *name; /* owned */
	uint32_t first_line;
};

struct sm_stacks_node {
	uint32_t parent; /* number of the caller's place + 1; 0: nobody's callee */
	uint32_t function;
	uint32_t line; /* 0: not known */
};

struct sm_stacks_thread_name {
	int32_t pid;
	uint32_t tid;
	char name[32]; /* the kernel's */
};

struct sm_stacks_table {
	struct sm_stacks_named *function; /* owned */
	struct sm_stacks_node *node;	  /* owned */
	struct sm_stacks_thread_name
		*thread; /* owned; a later one of the same pid and tid renames it */
	size_t function_count, node_count, thread_count;
	size_t function_capacity, node_capacity, thread_capacity;
	struct sm_map functions, nodes; /* by what they are */
	size_t text_bytes;
};

void sm_stacks_table_finish(struct sm_stacks_table *table); /* fine on a zeroed one */
/* Numbers, the same for the same; -SM_ERR_LIMIT when the table is full, or -ENOMEM. */
int64_t sm_stacks_table_function(
	struct sm_stacks_table *table, const char *file, const char *name, uint32_t first_line);
int64_t sm_stacks_table_node(struct sm_stacks_table *table, int64_t parent, uint32_t function,
	uint32_t line); /* parent -1: none */
/* A new number each time. */
int64_t sm_stacks_table_thread(
	struct sm_stacks_table *table, pid_t pid, uint32_t tid, const char *name);

#endif
