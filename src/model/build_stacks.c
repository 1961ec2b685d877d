/* Which line a thread was seen on, by what it was doing there: a stage of a loader, or nothing that has a name.
 *
 * Looks and events of a thread come in blocks of their own, in no order between them, so the looks are read first, in a
 * pass that opens no events, and sorted by thread and time. While the events pass by, each look is taken by the spans that
 * are open at its time. A look that stands for several (the thread did not run in between) lies in one span: a thread that
 * does not run neither begins nor ends any.
 *
 * Memory: at most LOOKS_MAX looks. When they are full, every second one goes, and what is left counts twice. */
#include "model/build_stacks.h"

#include "base/mem.h"
#include "model/stack_rows.h"
#include "model/stack_spots.h"
#include "trace/stack_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS_MAX = 1 << 20, LINES_KEPT = 512 };
#define OF_LOADER 0x80000000u /* an owner is a loader's index, not a thread's */
#define NOBODY	  UINT32_MAX

struct look {
	int64_t time_ns;
	uint32_t group; /* its thread */
	uint32_t place;
	uint32_t cpu_us;
	float interval_s; /* that each look stands for */
	uint16_t looks;
	uint8_t state;
};

struct group { /* one thread of one process id */
	size_t first, count;
};

struct sm_build_stacks {
	struct sm_stack_tree tree;
	struct look *looks; /* owned */
	size_t count, capacity;
	uint64_t seen; /* of all, for thinning */
	int level;
	struct group *groups; /* owned */
	size_t group_count, group_capacity;
	struct sm_map group_by_thread; /* pid and tid */
	struct sm_stack_spot *spots;   /* owned; by place */
	struct sm_stack_rows rows;
};

/* --- reading --- */

static int see_function(void *context, const struct sm_trace_stack_function *function)
{
	struct sm_build *build = context;
	return sm_stack_tree_add_function(&build->stacks->tree, function);
}

static int see_place(void *context, const struct sm_trace_stack_place *place)
{
	struct sm_build *build = context;
	return sm_stack_tree_add_place(&build->stacks->tree, place);
}

static int see_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	struct sm_build *build = context;
	return sm_stack_tree_add_thread(&build->stacks->tree, thread);
}

static void thin(struct sm_build_stacks *stacks)
{
	size_t kept = 0;
	for (size_t i = 0; i < stacks->count; i += 2) {
		stacks->looks[kept] = stacks->looks[i];
		stacks->looks[kept].interval_s *= 2;
		stacks->looks[kept++].cpu_us *= 2;
	}
	stacks->count = kept;
	stacks->level++;
}

static uint64_t thread_key(int32_t pid, uint32_t tid)
{
	return (uint64_t)(uint32_t)pid << 32 | tid;
}

static int find_group(struct sm_build_stacks *stacks, uint32_t number, uint32_t *ret_group)
{
	const struct sm_stack_tree_thread *thread = sm_stack_tree_thread(&stacks->tree, number);
	uint64_t key = thread ? thread_key(thread->pid, thread->tid) : 0, at;
	if (sm_map_find(&stacks->group_by_thread, key, &at)) {
		*ret_group = (uint32_t)at;
		return 0;
	}
	if (sm_mem_grow(&stacks->groups, &stacks->group_capacity, stacks->group_count + 1,
		    sizeof(*stacks->groups)) ||
		sm_map_set(&stacks->group_by_thread, key, stacks->group_count)) {
		return -ENOMEM;
	}
	stacks->groups[stacks->group_count] = (struct group){0};
	*ret_group = (uint32_t)stacks->group_count++;
	return 0;
}

static int keep_look(struct sm_build_stacks *stacks, struct look *look)
{
	uint32_t scale = 1u << stacks->level;
	if (stacks->seen++ % scale) {
		return 0;
	}
	look->interval_s *= (float)scale;
	look->cpu_us *= scale;
	if (sm_mem_grow(&stacks->looks, &stacks->capacity, stacks->count + 1, sizeof(*look))) {
		return -ENOMEM;
	}
	stacks->looks[stacks->count++] = *look;
	if (stacks->count == LOOKS_MAX) {
		thin(stacks);
	}
	return 0;
}

static void sum_up(struct sm_stacks *sum, const struct sm_trace_stack_samples *samples)
{
	double interval_s = (double)samples->interval_ns * 1e-9;
	sum->torn += samples->torn;
	sum->unread += samples->unread;
	sum->missed += samples->missed;
	for (size_t i = 0; i < samples->count; i++) {
		sum->looks += samples->looks[i];
	}
	if (samples->count) {
		bool first = !sum->has_interval;
		sum->shortest_s =
			first || interval_s < sum->shortest_s ? interval_s : sum->shortest_s;
		sum->longest_s = first || interval_s > sum->longest_s ? interval_s : sum->longest_s;
		sum->has_interval = true;
	}
}

static int see_samples(void *context, const struct sm_trace_stack_samples *samples)
{
	struct sm_build *build = context;
	int error = 0;
	sum_up(&build->model->stacks, samples);
	for (size_t i = 0; i < samples->count && !error; i++) {
		struct look look = {
			.time_ns = samples->time_ns[i],
			.place = samples->place[i],
			.cpu_us = samples->cpu_us[i],
			.interval_s = (float)samples->interval_ns * 1e-9f,
			.looks = samples->looks[i],
			.state = samples->state[i],
		};
		error = find_group(build->stacks, samples->thread[i], &look.group);
		error = error ? error : keep_look(build->stacks, &look);
	}
	return error;
}

static int compare_looks(const void *left, const void *right)
{
	const struct look *a = left, *b = right;
	if (a->group != b->group) {
		return a->group < b->group ? -1 : 1;
	}
	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

static void sort_by_thread(struct sm_build_stacks *stacks)
{
	if (stacks->count) {
		qsort(stacks->looks, stacks->count, sizeof(*stacks->looks), compare_looks);
	}
	for (size_t i = 0; i < stacks->count; i++) {
		struct group *group = &stacks->groups[stacks->looks[i].group];
		group->first = group->count++ ? group->first : i;
	}
}

/* --- reading, the rest --- */

int sm_build_stacks_read(struct sm_build *build, const char *path)
{
	const struct sm_trace_visitor visitor = {
		.context = build,
		.stack_function = see_function,
		.stack_place = see_place,
		.stack_thread = see_thread,
		.stack_samples = see_samples,
	};
	build->stacks = sm_mem_calloc(1, sizeof(*build->stacks));
	if (!build->stacks) {
		return -ENOMEM;
	}
	int error = sm_trace_reader_visit(path, &visitor, NULL, NULL);
	if (error == -ENOMEM) {
		return error; /* what else is wrong, the reading of the rest will say */
	}
	sort_by_thread(build->stacks);
	build->stacks->spots = sm_stack_spots_find(&build->stacks->tree);
	return build->stacks->spots ? 0 : -ENOMEM;
}

/* --- joining --- */

static void point_to_next(const struct sm_build_stacks *stacks, struct sm_build_thread *thread)
{
	thread->next_look_ns = thread->look_at < thread->look_end
				       ? stacks->looks[thread->look_at].time_ns
				       : INT64_MAX;
}

void sm_build_stacks_begin(struct sm_build *build, struct sm_build_thread *thread)
{
	const struct sm_build_stacks *stacks = build->stacks;
	const struct sm_process *process = &build->processes[thread->process].info;
	uint64_t at;
	thread->next_look_ns = INT64_MAX;
	if (!stacks || !sm_map_find(&stacks->group_by_thread, thread_key(process->pid, thread->tid),
			       &at)) {
		return;
	}
	const struct group *group = &stacks->groups[at];
	thread->look_at = group->first;
	thread->look_end = group->first + group->count;
	while (thread->look_at < thread->look_end &&
		stacks->looks[thread->look_at].time_ns < process->started_ns) {
		thread->look_at++; /* of an earlier process of the same pid */
	}
	point_to_next(stacks, thread);
}

static enum sm_stage stage_of_role(enum sm_role role)
{
	switch (role) {
	case SM_ROLE_SAMPLER:
		return SM_STAGE_SAMPLER;
	case SM_ROLE_BATCH:
	case SM_ROLE_SAMPLE:
		return SM_STAGE_FETCH;
	case SM_ROLE_COMPOSE:
	case SM_ROLE_TRANSFORM:
		return SM_STAGE_TRANSFORM;
	case SM_ROLE_COLLATE:
		return SM_STAGE_COLLATE;
	case SM_ROLE_SERIALIZE:
	case SM_ROLE_DESERIALIZE:
		return SM_STAGE_TRANSPORT;
	case SM_ROLE_PIN:
		return SM_STAGE_PIN;
	case SM_ROLE_H2D:
		return SM_STAGE_H2D;
	case SM_ROLE_FORWARD:
	case SM_ROLE_BACKWARD:
	case SM_ROLE_OPTIMIZER:
		return SM_STAGE_COMPUTE;
	case SM_ROLE_SYNC:
		return SM_STAGE_SYNC;
	default:
		return SM_STAGE_COUNT;
	}
}

/* The innermost open span that is a stage; in a step outside of all of them, as build_step.c cuts it. */
static enum sm_stage stage_now(const struct sm_build_thread *thread)
{
	for (size_t i = thread->depth; i-- > 0;) {
		enum sm_role role = thread->frames[i].role;
		if (role == SM_ROLE_NEXT || role == SM_ROLE_ITERATE) {
			return SM_STAGE_COUNT; /* waiting: what for is the workers' affair */
		}
		if (stage_of_role(role) != SM_STAGE_COUNT) {
			return stage_of_role(role);
		}
	}
	if (thread->consumer && thread->consumer->has_current) {
		return thread->consumer->has_training ? SM_STAGE_OTHER : SM_STAGE_COMPUTE;
	}
	return SM_STAGE_COUNT;
}

/* Whose stage it is; a worker's loader may be known only at the end. */
static uint32_t owner_now(
	struct sm_build *build, struct sm_build_thread *thread, enum sm_stage stage)
{
	struct sm_build_loader *loader = NULL;
	if (thread->consumer && sm_build_spans_around(thread, SM_ROLE_NEXT)) {
		int64_t drawn_for = thread->consumer->drawn_for;
		if (drawn_for >= 0 &&
			!sm_build_loader_find(build, thread->process, drawn_for, &loader)) {
			return OF_LOADER | loader->index;
		}
	} else if (thread->consumer && thread->consumer->has_current) {
		return OF_LOADER | thread->consumer->current.loader;
	}
	uint64_t at;
	uint64_t id = (uint64_t)thread->process << 32 | thread->tid;
	bool found = stage != SM_STAGE_COUNT && sm_map_find(&build->thread_by_id, id, &at);
	return found ? (uint32_t)at : NOBODY;
}

/* --- one look --- */

static bool is_awake(uint8_t state)
{
	state &= SM_TRACE_STACK_STATE_MASK;
	return state == SM_TRACE_STACK_RUNNING || state == SM_TRACE_STACK_RUNNABLE;
}

static int add_look(struct sm_build_stacks *stacks, const struct look *look, uint32_t owner,
	enum sm_stage stage)
{
	const struct sm_stack_spot *spot =
		look->place < stacks->tree.place_count ? &stacks->spots[look->place] : NULL;
	if (!spot || !spot->known) {
		return 0; /* the block that told of it was lost */
	}
	double wall_s = look->looks * (double)look->interval_s;
	double awake_s = is_awake(look->state) ? wall_s : 0;
	const struct sm_stack_row row = {
		.owner = owner,
		.function = spot->function,
		.line = spot->line,
		.callee = spot->callee,
		.stage = stage,
		.wall_s = wall_s,
		.cpu_s = look->cpu_us * 1e-6,
		.awake_s = awake_s,
		.in_call_s = look->state & SM_TRACE_STACK_IN_CALL ? awake_s : 0,
		.looks = look->looks,
	};
	return sm_stack_rows_add(&stacks->rows, &row);
}

int sm_build_stacks_join(struct sm_build *build, struct sm_build_thread *thread, int64_t until_ns)
{
	struct sm_build_stacks *stacks = build->stacks;
	enum sm_stage stage = stage_now(thread);
	uint32_t owner = owner_now(build, thread, stage);
	int error = 0;
	while (!error && thread->look_at < thread->look_end &&
		stacks->looks[thread->look_at].time_ns < until_ns) {
		error = add_look(stacks, &stacks->looks[thread->look_at++], owner, stage);
	}
	point_to_next(stacks, thread);
	return error;
}

/* --- when all is read --- */

/* Of threads that recorded nothing: they have no spans, so their lines belong to nothing. */
static int add_silent(struct sm_build *build)
{
	struct sm_build_stacks *stacks = build->stacks;
	bool *taken = sm_mem_calloc(stacks->group_count + 1, sizeof(*taken));
	int error = taken ? 0 : -ENOMEM;
	for (size_t i = 0; !error && i < build->thread_count; i++) {
		uint64_t at;
		const struct sm_build_thread *thread = build->threads[i];
		int32_t pid = build->processes[thread->process].info.pid;
		if (sm_map_find(&stacks->group_by_thread, thread_key(pid, thread->tid), &at)) {
			taken[at] = true;
		}
	}
	for (size_t i = 0; !error && i < stacks->count; i++) {
		if (!taken[stacks->looks[i].group]) {
			error = add_look(stacks, &stacks->looks[i], NOBODY, SM_STAGE_COUNT);
		}
	}
	sm_mem_free(taken);
	return error;
}

static uint32_t resolve_owner(const struct sm_build *build, uint32_t owner)
{
	const struct sm_build_worker *worker;
	struct sm_build_loader *loader = NULL;
	if (owner == NOBODY || owner & OF_LOADER) {
		return owner;
	}
	const struct sm_build_thread *thread = build->threads[owner];
	loader = sm_build_loader_of_worker(build, thread->process, thread->tid, &worker);
	if (!loader && build->loader_count == 1) {
		loader = build->loaders[0];
	}
	return loader ? OF_LOADER | loader->index : NOBODY;
}

static int join_owners(const struct sm_build *build, struct sm_stack_rows *into)
{
	int error = 0;
	for (size_t i = 0; !error && i < build->stacks->rows.count; i++) {
		struct sm_stack_row row = build->stacks->rows.row[i];
		row.owner = resolve_owner(build, row.owner);
		error = sm_stack_rows_add(into, &row);
	}
	return error;
}

static const char *name_of(struct sm_build *build, uint32_t function)
{
	const struct sm_stack_tree *tree = &build->stacks->tree;
	bool known = function < tree->function_count && tree->function[function].name;
	return known ? sm_arena_strdup(&build->model->arena, tree->function[function].name) : "";
}

static int keep_line(
	struct sm_build *build, const struct sm_stack_rows *rows, const struct sm_stack_row *row)
{
	struct sm_model *model = build->model;
	const char *file = build->stacks->tree.function[row->function].file;
	struct sm_hot_line *line = &model->hot_lines[model->hot_line_count];
	*line = (struct sm_hot_line){
		.file = sm_arena_strdup(&model->arena, file),
		.function = name_of(build, row->function),
		.calls = name_of(build, row->callee),
		.line = (int)row->line,
		.loader = row->owner == NOBODY ? -1 : (int)(row->owner & ~OF_LOADER),
		.stage = row->stage,
		.wall_s = row->wall_s,
		.cpu_s = row->cpu_s,
		.awake_s = row->awake_s,
		.in_call_s = row->in_call_s,
		.looks = row->looks,
		.part = row->wall_s / sm_stack_rows_of_stage(rows, row),
	};
	model->hot_line_count++;
	return line->file && line->function && line->calls ? 0 : -ENOMEM;
}

static int keep_lines(struct sm_build *build, struct sm_stack_rows *rows)
{
	struct sm_model *model = build->model;
	size_t count = rows->count < LINES_KEPT ? rows->count : LINES_KEPT;
	model->hot_lines = sm_arena_alloc(&model->arena, (count + 1) * sizeof(*model->hot_lines));
	int error = model->hot_lines ? 0 : -ENOMEM;
	sm_stack_rows_sort(rows);
	for (size_t i = 0; !error && i < count; i++) {
		error = keep_line(build, rows, &rows->row[i]);
	}
	return error;
}

int sm_build_stacks_complete(struct sm_build *build)
{
	struct sm_stack_rows rows = {0};
	int error = 0;
	if (!build->stacks) {
		return 0;
	}
	for (size_t i = 0; !error && i < build->thread_count; i++) {
		error = sm_build_stacks_join(build, build->threads[i], INT64_MAX);
	}
	error = error ? error : add_silent(build);
	error = error ? error : join_owners(build, &rows);
	error = error ? error : keep_lines(build, &rows);
	sm_stack_rows_finish(&rows);
	return error;
}

void sm_build_stacks_finish(struct sm_build *build)
{
	struct sm_build_stacks *stacks = build->stacks;
	if (!stacks) {
		return;
	}
	sm_stack_tree_finish(&stacks->tree);
	sm_mem_free(stacks->looks);
	sm_mem_free(stacks->groups);
	sm_mem_free(stacks->spots);
	sm_map_finish(&stacks->group_by_thread);
	sm_stack_rows_finish(&stacks->rows);
	sm_mem_free(stacks);
	build->stacks = NULL;
}
