#include "base/mem.h"
#include "base/metric.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

static const struct sm_build_name nameless = {.slot = SM_BUILD_NONE};

const struct sm_build_name *sm_build_names_find(
	const struct sm_build *build, uint32_t process, uint32_t id)
{
	if (process >= build->model->process_count ||
		id >= build->processes[process].name_capacity) {
		return &nameless;
	}
	return &build->processes[process].names[id];
}

/* The process itself; again when more is known of it. */
static int keep_process(struct sm_build *build, const struct sm_trace_process *process)
{
	const char *program =
		sm_arena_strdup(&build->model->arena, process->program ? process->program : "");
	if (!program) {
		return -ENOMEM;
	}
	build->processes[process->ordinal].info =
		(struct sm_process){process->ordinal, process->pid, process->ppid, process->rank,
			process->started_ns, process->ended_ns, program, process->complete};
	return sm_map_set(&build->process_by_pid, (uint32_t)process->pid, process->ordinal);
}

int sm_build_names_process(struct sm_build *build, const struct sm_trace_process *process)
{
	enum { PROCESSES_MAX = 1 << 20 };
	if (process->ordinal >= PROCESSES_MAX) {
		return 0;
	}
	size_t before = build->process_capacity;
	int error = sm_mem_grow(&build->processes, &build->process_capacity,
		(size_t)process->ordinal + 1, sizeof(*build->processes));
	if (error) {
		return error;
	}
	memset(build->processes + before, 0,
		(build->process_capacity - before) * sizeof(*build->processes));
	for (size_t i = build->model->process_count; i <= process->ordinal; i++) {
		build->processes[i].info = (struct sm_process){.ordinal = (uint32_t)i, .rank = -1};
		build->model->process_count = i + 1;
	}
	return keep_process(build, process);
}

static const char *second_text(const struct sm_trace_name *name)
{
	size_t length = strlen(name->text);
	return length + 1 < name->length ? name->text + length + 1 : "";
}

static uint64_t hash_of(const char *text, uint64_t seed)
{
	uint64_t hash = seed ^ 0xcbf29ce484222325ULL; /* FNV-1a */
	for (; *text; text++) {
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	}
	return hash;
}

static uint64_t hash_of_pair(const char *first, const char *second)
{
	return hash_of(second, hash_of(first, 0) * 31 + 1);
}

/* The row of an operation: spans of one name and type are one, whichever process they were in. */
static int operation_slot(
	struct sm_build *build, const char *text, const char *type, uint32_t *ret_slot)
{
	struct sm_model *model = build->model;
	if (model->operation_count >= SM_MODEL_OPERATIONS_MAX - 1) {
		text = "(other names)";
		type = "";
	}
	uint64_t hash = hash_of_pair(text, type), at;
	if (sm_map_find(&build->operation_by_text, hash, &at)) {
		*ret_slot = (uint32_t)at;
		return 0;
	}
	struct sm_operation row = {.name = sm_arena_strdup(&model->arena, text),
		.type = sm_arena_strdup(&model->arena, type),
		.interlude = strcmp(type, SM_VOCABULARY_INTERLUDE) == 0};
	int error = row.name && row.type ? 0 : -ENOMEM;
	error = error ? error
		      : sm_build_grow(build, &model->operations, &build->operation_capacity,
				model->operation_count + 1, sizeof(row));
	error = error ? error : sm_map_set(&build->operation_by_text, hash, model->operation_count);
	if (!error) {
		*ret_slot = (uint32_t)model->operation_count;
		model->operations[model->operation_count++] = row;
	}
	return error;
}

static int transform_slot(
	struct sm_build *build, const char *text, const char *where, uint32_t *ret_slot)
{
	enum { TRANSFORMS_MAX = 1024 };
	uint64_t hash = hash_of_pair(text, where), at;
	if (sm_map_find(&build->transform_by_text, hash, &at)) {
		*ret_slot = (uint32_t)at;
		return 0;
	}
	if (build->transform_count >= TRANSFORMS_MAX) {
		*ret_slot = SM_BUILD_NONE;
		return 0;
	}
	struct sm_build_transform row = {sm_arena_strdup(&build->model->arena, text),
		sm_arena_strdup(&build->model->arena, where)};
	int error = row.name && row.where ? 0 : -ENOMEM;
	error = error ? error
		      : sm_mem_grow(&build->transforms, &build->transform_capacity,
				build->transform_count + 1, sizeof(row));
	error = error ? error : sm_map_set(&build->transform_by_text, hash, build->transform_count);
	if (!error) {
		*ret_slot = (uint32_t)build->transform_count;
		build->transforms[build->transform_count++] = row;
	}
	return error;
}

/* Counters of the list that only the process itself can tell; the user's own are not looked at. */
static uint32_t metric_told(const char *text)
{
	static const int told[] = {SM_METRIC_PROC_GPU_ALLOCATED, SM_METRIC_PROC_GPU_RESERVED};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		if (strcmp(sm_metric_find(told[i])->name, text) == 0) {
			return (uint32_t)told[i];
		}
	}
	return SM_BUILD_NONE;
}

static int fill(
	struct sm_build *build, const struct sm_trace_name *name, struct sm_build_name *slot)
{
	if (name->kind == SM_NAME_TEXT) {
		slot->text = sm_arena_strndup(&build->scratch, name->text, name->length);
		return slot->text ? 0 : -ENOMEM;
	}
	if (name->kind == SM_NAME_COUNTER) {
		slot->slot = metric_told(name->text);
		return 0;
	}
	if (name->kind == SM_NAME_SPAN && name->role == SM_ROLE_OPERATION) {
		return operation_slot(build, name->text, second_text(name), &slot->slot);
	}
	if (name->kind == SM_NAME_SPAN &&
		(name->role == SM_ROLE_TRANSFORM || name->role == SM_ROLE_COMPOSE)) {
		return transform_slot(build, name->text, second_text(name), &slot->slot);
	}
	return 0;
}

static int room_for(struct sm_build_process *process, uint32_t id)
{
	size_t before = process->name_capacity;
	int error = sm_mem_grow(
		&process->names, &process->name_capacity, (size_t)id + 1, sizeof(*process->names));
	for (size_t i = before; !error && i < process->name_capacity; i++) {
		process->names[i] = nameless;
	}
	return error;
}

int sm_build_names_add(struct sm_build *build, uint32_t process, const struct sm_trace_name *name)
{
	enum { NAMES_MAX = 1 << 21 };
	if (process >= build->model->process_count || name->id >= NAMES_MAX) {
		return 0;
	}
	if (name->kind == SM_NAME_FACT) {
		return sm_build_facts_add(build, process, name->text);
	}
	int error = room_for(&build->processes[process], name->id);
	if (error) {
		return error;
	}
	struct sm_build_name *slot = &build->processes[process].names[name->id];
	*slot = (struct sm_build_name){
		NULL, SM_BUILD_NONE, (uint8_t)name->kind, (uint8_t)name->role};
	return fill(build, name, slot);
}
