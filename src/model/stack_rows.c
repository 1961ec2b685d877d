#include "model/stack_rows.h"

#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ROWS_MAX = 1 << 16, PROBES_MAX = 16 };

static uint64_t hash_row(const struct sm_stack_row *row)
{
	const uint32_t words[] = {
		row->owner, row->function, row->line, row->callee, (uint32_t)row->stage};
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a, by words */
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		hash = (hash ^ words[i]) * 0x100000001b3ULL;
	}
	return hash;
}

static bool is_same_row(const struct sm_stack_row *a, const struct sm_stack_row *b)
{
	return a->owner == b->owner && a->function == b->function && a->line == b->line &&
	       a->callee == b->callee && a->stage == b->stage;
}

static void add_up(struct sm_stack_row *into, const struct sm_stack_row *from)
{
	into->wall_s += from->wall_s;
	into->cpu_s += from->cpu_s;
	into->awake_s += from->awake_s;
	into->in_call_s += from->in_call_s;
	into->looks += from->looks;
}

static int add_new(struct sm_stack_rows *rows, const struct sm_stack_row *row, uint64_t key)
{
	if (rows->count >= ROWS_MAX) {
		return 0; /* by then the lines that matter have their rows */
	}
	if (sm_mem_grow(&rows->row, &rows->capacity, rows->count + 1, sizeof(*row)) ||
		sm_map_set(&rows->by_content, key, rows->count)) {
		return -ENOMEM;
	}
	rows->row[rows->count++] = *row;
	return 0;
}

int sm_stack_rows_add(struct sm_stack_rows *rows, const struct sm_stack_row *row)
{
	uint64_t key = hash_row(row), at;
	for (int i = 0; i < PROBES_MAX; i++, key++) {
		if (!sm_map_find(&rows->by_content, key, &at)) {
			return add_new(rows, row, key);
		}
		if (is_same_row(&rows->row[at], row)) {
			add_up(&rows->row[at], row);
			return 0;
		}
	}
	return 0;
}

void sm_stack_rows_finish(struct sm_stack_rows *rows)
{
	sm_mem_free(rows->row);
	sm_map_finish(&rows->by_content);
}

static int compare_rows(const void *left, const void *right)
{
	const struct sm_stack_row *a = left, *b = right;
	if (a->wall_s != b->wall_s) {
		return a->wall_s > b->wall_s ? -1 : 1;
	}
	if (a->function != b->function) {
		return a->function < b->function ? -1 : 1;
	}
	return a->line < b->line ? -1 : a->line > b->line;
}

double sm_stack_rows_of_stage(const struct sm_stack_rows *rows, const struct sm_stack_row *like)
{
	double sum_s = 0;
	for (size_t i = 0; i < rows->count; i++) {
		const struct sm_stack_row *row = &rows->row[i];
		bool fits = row->owner == like->owner && row->stage == like->stage;
		sum_s += fits ? row->wall_s : 0;
	}
	return sum_s;
}

void sm_stack_rows_sort(struct sm_stack_rows *rows)
{
	if (rows->count) {
		qsort(rows->row, rows->count, sizeof(*rows->row), compare_rows);
	}
}
