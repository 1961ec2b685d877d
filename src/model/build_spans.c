/* The stack of each thread: pairs begin and end, and hands on what has a role.
 *
 * Plain spans (operations) are most of a long trace, so they are added up here and touch nothing but their frame and
 * their row. Numbers and causes come as payloads behind the begin; they belong to the innermost open span, or to the
 * mark directly before them, so a mark is handed on when the next event shows that its numbers are complete. */
#include "base/mem.h"
#include "model/build.h"
#include "model/build_stacks.h"

#include <errno.h>
#include <string.h>

int64_t sm_build_spans_arg(const struct sm_build_args *args, enum sm_key key, int64_t otherwise)
{
	return args->keys & 1u << key ? args->value[key] : otherwise;
}

struct sm_build_frame *sm_build_spans_around(struct sm_build_thread *thread, enum sm_role role)
{
	for (size_t i = thread->depth; i-- > 0;) {
		if (thread->frames[i].role == role) {
			return &thread->frames[i];
		}
	}
	return NULL;
}

static int new_thread(struct sm_build *build, uint64_t id, struct sm_build_thread **ret_thread)
{
	struct sm_build_thread *thread = sm_mem_calloc(1, sizeof(*thread));
	if (!thread) {
		return -ENOMEM;
	}
	thread->process = (uint32_t)(id >> 32);
	thread->tid = (uint32_t)id;
	sm_build_stacks_begin(build, thread);
	int error = sm_mem_grow(&build->threads, &build->thread_capacity, build->thread_count + 1,
		sizeof(struct sm_build_thread *));
	error = error ? error : sm_map_set(&build->thread_by_id, id, build->thread_count);
	if (error) {
		sm_mem_free(thread);
		return error;
	}
	build->threads[build->thread_count++] = thread;
	*ret_thread = thread;
	return 0;
}

static int find_thread(
	struct sm_build *build, uint32_t process, uint32_t tid, struct sm_build_thread **ret_thread)
{
	uint64_t id = (uint64_t)process << 32 | tid, at;
	if (!sm_map_find(&build->thread_by_id, id, &at)) {
		return new_thread(build, id, ret_thread);
	}
	*ret_thread = build->threads[at];
	return 0;
}

static bool is_fetching(enum sm_role role)
{
	return role >= SM_ROLE_FETCHER && role < SM_ROLE_LIMIT;
}

static int begin_role(
	struct sm_build *build, struct sm_build_thread *thread, enum sm_role role, int64_t at_ns)
{
	int error = sm_mem_grow(&thread->details, &thread->detail_capacity, thread->depth,
		sizeof(*thread->details));
	if (error) {
		return error;
	}
	thread->details[thread->depth - 1] = (struct sm_build_detail){0};
	return is_fetching(role) ? sm_build_fetch_begin(build, thread, role)
				 : sm_build_consume_begin(thread, role, at_ns);
}

static int end_role(
	struct sm_build *build, struct sm_build_thread *thread, enum sm_role role, int64_t at_ns)
{
	return is_fetching(role) ? sm_build_fetch_end(build, thread, at_ns)
				 : sm_build_consume_end(build, thread, at_ns);
}

static bool is_inside(const struct sm_build_thread *thread, uint32_t slot)
{
	for (size_t i = thread->depth; slot != SM_BUILD_NONE && i-- > 0;) {
		if (thread->frames[i].role == SM_ROLE_OPERATION && thread->frames[i].slot == slot) {
			return true;
		}
	}
	return false;
}

static int begin(struct sm_build *build, struct sm_build_thread *thread, uint32_t id, int64_t at_ns)
{
	if (thread->depth >= SM_BUILD_DEPTH) {
		thread->too_deep++;
		return 0;
	}
	if (thread->depth == thread->capacity) {
		int error = sm_mem_grow(&thread->frames, &thread->capacity, thread->depth + 1,
			sizeof(*thread->frames));
		if (error) {
			return error;
		}
	}
	const struct sm_build_name *name = sm_build_names_find(build, thread->process, id);
	bool is_operation = name->role == SM_ROLE_OPERATION;
	int error = is_operation && build->session_count
			    ? sm_build_sessions_edge(build, thread, at_ns)
			    : 0;
	uint32_t around = thread->depth ? thread->frames[thread->depth - 1].inside : SM_BUILD_NONE;
	bool again = is_operation && is_inside(thread, name->slot);
	struct sm_build_frame *frame = &thread->frames[thread->depth++];
	*frame = (struct sm_build_frame){.begin_ns = at_ns,
		.inside = is_operation ? name->slot : around,
		.slot = name->slot,
		.name = id,
		.role = name->role,
		.again = again};
	return error ? error : is_operation ? 0 : begin_role(build, thread, name->role, at_ns);
}

static int add_interlude(struct sm_build *build, const struct sm_build_thread *thread,
	const struct sm_build_frame *frame, int64_t end_ns)
{
	struct sm_model *model = build->model;
	if (model->interlude_count >= SM_MODEL_INTERLUDES_MAX) {
		return 0;
	}
	int error = sm_build_grow(build, &model->interludes, &build->interlude_capacity,
		model->interlude_count + 1, sizeof(*model->interludes));
	if (!error) {
		model->interludes[model->interlude_count++] = (struct sm_interlude){
			frame->begin_ns, end_ns, build->processes[thread->process].info.rank};
	}
	return error;
}

static int add_operation(struct sm_build *build, const struct sm_build_thread *thread,
	const struct sm_build_frame *frame, int64_t end_ns)
{
	if (frame->slot == SM_BUILD_NONE) {
		return 0;
	}
	struct sm_operation *operation = &build->model->operations[frame->slot];
	int64_t wall_ns = end_ns - frame->begin_ns;
	if (!operation->count++ || frame->begin_ns < operation->first_ns) {
		operation->first_ns = frame->begin_ns;
	}
	operation->last_ns = end_ns > operation->last_ns ? end_ns : operation->last_ns;
	operation->inclusive_ns += frame->again ? 0 : wall_ns;
	operation->self_ns += wall_ns - frame->inner_ns;
	int error = operation->interlude ? add_interlude(build, thread, frame, end_ns) : 0;
	return error ? error
		     : sm_sketch_add(
			       &operation->wall_s, &build->model->arena, (double)wall_ns * 1e-9);
}

static int end(struct sm_build *build, struct sm_build_thread *thread, int64_t at_ns)
{
	if (thread->too_deep) {
		thread->too_deep--;
		return 0;
	}
	if (!thread->depth) {
		return 0; /* its begin was lost */
	}
	struct sm_build_frame *frame = &thread->frames[thread->depth - 1];
	bool is_operation = frame->role == SM_ROLE_OPERATION;
	if (thread->depth > 1) {
		thread->frames[thread->depth - 2].inner_ns +=
			is_operation ? at_ns - frame->begin_ns : frame->inner_ns;
	}
	int error = is_operation && build->session_count
			    ? sm_build_sessions_operation(build, thread, frame, at_ns)
			    : 0;
	error = error	       ? error
		: is_operation ? add_operation(build, thread, frame, at_ns)
			       : end_role(build, thread, frame->role, at_ns);
	thread->depth--;
	return error;
}

static int settle_mark(struct sm_build *build, struct sm_build_thread *thread)
{
	if (!thread->has_mark) {
		return 0;
	}
	thread->has_mark = false;
	enum sm_role role = sm_build_names_find(build, thread->process, thread->mark_name)->role;
	return is_fetching(role)
		       ? sm_build_fetch_mark(build, thread, role, thread->mark_ns, &thread->mark)
		       : sm_build_consume_mark(build, thread, role, thread->mark_ns, &thread->mark);
}

static int mark(
	struct sm_build *build, struct sm_build_thread *thread, uint32_t name, int64_t at_ns)
{
	int error = settle_mark(build, thread);
	thread->has_mark = true;
	thread->mark_name = name;
	thread->mark_ns = at_ns;
	thread->mark.keys = 0;
	return error;
}

static void forget_open(struct sm_build_thread *thread)
{
	thread->depth = thread->too_deep = 0;
	if (thread->fetcher) {
		thread->fetcher->in_batch = false;
	}
}

static void keep_number(struct sm_build_thread *thread, uint32_t key, uint64_t word)
{
	struct sm_build_args *args = NULL;
	if (thread->has_mark) {
		args = &thread->mark;
	} else if (thread->depth && !thread->too_deep &&
		   thread->frames[thread->depth - 1].role != SM_ROLE_OPERATION) {
		args = &thread->details[thread->depth - 1].args;
	}
	if (args && key < SM_BUILD_KEYS) {
		args->keys |= 1u << key;
		args->value[key] = (int64_t)word;
	}
}

static void keep_cause(struct sm_build_thread *thread, const uint64_t *words)
{
	if (!thread->depth || thread->too_deep ||
		thread->frames[thread->depth - 1].role == SM_ROLE_OPERATION) {
		return;
	}
	struct sm_trace_cause *cause = &thread->details[thread->depth - 1].cause;
	memcpy(cause, words, sizeof(*cause));
	thread->frames[thread->depth - 1].has_cause = !(cause->missing & SM_TRACE_NO_CPU);
}

static size_t words_of(uint32_t type)
{
	return type == SM_TRACE_CAUSE	  ? sizeof(struct sm_trace_cause) / 8
	       : type == SM_TRACE_COUNTER ? 2
					  : 1;
}

static int add_counter(
	struct sm_build *build, uint32_t process, const uint64_t *words, int64_t at_ns)
{
	const struct sm_build_name *name = sm_build_names_find(build, process, (uint32_t)words[0]);
	double value;
	if (name->kind != SM_NAME_COUNTER || name->slot == SM_BUILD_NONE) {
		return 0;
	}
	memcpy(&value, &words[1], sizeof(value));
	return sm_build_series_one(
		build, at_ns, (uint16_t)name->slot, build->processes[process].info.pid, value);
}

static int payload(struct sm_build *build, struct sm_build_thread *thread,
	const struct sm_trace_events *events, size_t i)
{
	uint32_t type = events->name[i], at = events->payload_at[i];
	if (at > events->word_count || events->word_count - at < words_of(type)) {
		return 0; /* damaged */
	}
	if (type >= SM_TRACE_ARG) {
		keep_number(thread, type - SM_TRACE_ARG, events->words[at]);
		return 0;
	}
	int error = settle_mark(build, thread);
	if (type == SM_TRACE_CAUSE) {
		keep_cause(thread, &events->words[at]);
	} else if (type == SM_TRACE_LOST) {
		forget_open(thread);
	} else if (type == SM_TRACE_COUNTER && !error) {
		error = add_counter(build, thread->process, &events->words[at], events->time_ns[i]);
	}
	return error;
}

static int add_event(struct sm_build *build, struct sm_build_thread *thread,
	const struct sm_trace_events *events, size_t i)
{
	if (events->kind[i] == SM_TRACE_PAYLOAD) {
		return payload(build, thread, events, i);
	}
	if (events->kind[i] == SM_TRACE_MARK) {
		return mark(build, thread, events->name[i], events->time_ns[i]);
	}
	int error = thread->has_mark ? settle_mark(build, thread) : 0;
	if (error) {
		return error;
	}
	return events->kind[i] == SM_TRACE_BEGIN
		       ? begin(build, thread, events->name[i], events->time_ns[i])
		       : end(build, thread, events->time_ns[i]);
}

static void widen_run(struct sm_build *build, int64_t first_ns, int64_t last_ns)
{
	build->first_ns = first_ns < build->first_ns ? first_ns : build->first_ns;
	build->last_ns = last_ns > build->last_ns ? last_ns : build->last_ns;
}

int sm_build_spans_add(struct sm_build *build, const struct sm_trace_events *events)
{
	struct sm_build_thread *thread = NULL;
	int error = events->count ? find_thread(build, events->process, events->tid, &thread) : 0;
	if (error || !thread) {
		return error;
	}
	if (events->broken) {
		forget_open(thread);
	}
	widen_run(build, events->time_ns[0], events->time_ns[events->count - 1]);
	for (size_t i = 0; i < events->count && !error; i++) {
		if (events->time_ns[i] > thread->next_look_ns) {
			error = sm_build_stacks_join(build, thread, events->time_ns[i]);
		}
		error = error ? error : add_event(build, thread, events, i);
	}
	return error;
}

int sm_build_spans_finish(struct sm_build *build)
{
	int error = 0;
	for (size_t i = 0; i < build->thread_count && !error; i++) {
		error = settle_mark(build, build->threads[i]);
	}
	return error;
}
