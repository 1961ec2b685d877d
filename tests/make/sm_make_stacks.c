#include "make/sm_make_stacks.h"

#include "make/sm_make_parts.h"
#include "trace/trace_stacks.h"

#include <stdlib.h>
#include <string.h>

struct sm_make_stacks {
	struct sm_trace_writer *writer; /* borrowed from the run */
	struct sm_str functions, places, threads;
	struct sm_trace_stacks_head head;
	struct sm_trace_stack_columns columns;
};

struct sm_make_stacks *sm_make_stacks_begin(struct sm_make_run *run)
{
	struct sm_make_stacks *stacks = sm_make_alloc(sizeof(*stacks));
	stacks->writer = sm_make_run_writer(run);
	return stacks;
}

uint32_t sm_make_function(
	struct sm_make_stacks *stacks, const char *file, const char *name, uint32_t first_line)
{
	sm_trace_stacks_add_function(&stacks->functions, file, name, first_line);
	return stacks->head.function_count++;
}

uint32_t sm_make_place(
	struct sm_make_stacks *stacks, int64_t caller, uint32_t function, uint32_t line)
{
	sm_trace_stacks_add_place(&stacks->places, (uint32_t)(caller + 1), function, line);
	return stacks->head.place_count++;
}

uint32_t sm_make_stack_thread(
	struct sm_make_stacks *stacks, int32_t pid, uint32_t tid, const char *name)
{
	sm_trace_stacks_add_thread(&stacks->threads, pid, tid, name);
	return stacks->head.thread_count++;
}

void sm_make_look(struct sm_make_stacks *stacks, int64_t time_ns, uint32_t thread, uint32_t place,
	uint8_t state, uint16_t looks)
{
	struct sm_trace_stack_columns *columns = &stacks->columns;
	size_t at = columns->count++;
	if (at == SM_TRACE_STACK_SAMPLES_MAX) {
		sm_make_die("too many looks", 0);
	}
	columns->time_ns[at] = time_ns;
	columns->thread[at] = thread;
	columns->place[at] = place;
	columns->state[at] = state;
	columns->looks[at] = looks;
	columns->cpu_us[at] =
		(state & SM_TRACE_STACK_STATE_MASK) == SM_TRACE_STACK_RUNNING ? 800 : 0;
}

static void write_table(struct sm_make_stacks *stacks)
{
	struct sm_str body = SM_STR_EMPTY;
	sm_str_add_bytes(&body, (const char *)&stacks->head, sizeof(stacks->head));
	sm_str_add_bytes(&body, sm_str_text(&stacks->functions), stacks->functions.length);
	sm_str_add_bytes(&body, sm_str_text(&stacks->places), stacks->places.length);
	sm_str_add_bytes(&body, sm_str_text(&stacks->threads), stacks->threads.length);
	sm_make_must(sm_trace_writer_stacks(stacks->writer, body.text, body.length), "stacks");
	sm_str_finish(&body);
}

static void write_looks(struct sm_make_stacks *stacks, int64_t interval_ns, uint32_t torn)
{
	struct sm_trace_stack_columns *columns = &stacks->columns;
	const struct sm_trace_stack_samples_head head = {
		.interval_ns = (uint64_t)interval_ns, .torn = torn};
	unsigned char *body =
		sm_make_alloc(sizeof(head) + columns->count * SM_TRACE_STACK_SAMPLE_BYTES);
	for (size_t i = 0; i < columns->count; i++) {
		columns->span_ns[i] = (uint64_t)((columns->looks[i] - 1) * interval_ns);
	}
	size_t bytes = sm_trace_stacks_encode(&head, columns, body);
	sm_make_must(sm_trace_writer_stack_samples(stacks->writer, body, bytes, columns->count,
			     columns->count ? columns->time_ns[0] : 0,
			     columns->count ? columns->time_ns[columns->count - 1] : 0),
		"looks");
	free(body);
}

void sm_make_stacks_end(struct sm_make_stacks *stacks, int64_t interval_ns, uint32_t torn)
{
	write_table(stacks);
	write_looks(stacks, interval_ns, torn);
	sm_str_finish(&stacks->functions);
	sm_str_finish(&stacks->places);
	sm_str_finish(&stacks->threads);
	free(stacks);
}
