#include "export/open_spans.h"

#include "base/mem.h"

#include <stddef.h>

void sm_open_spans_finish(struct sm_open_spans *spans)
{
	for (size_t i = 0; i < spans->count; i++) {
		sm_mem_free(spans->threads[i].spans);
		sm_mem_free(spans->threads[i].args);
	}
	sm_mem_free(spans->threads);
	sm_map_finish(&spans->places);
	*spans = SM_OPEN_SPANS_EMPTY;
}

struct sm_open_thread *sm_open_spans_of(struct sm_open_spans *spans, uint32_t process, uint32_t tid)
{
	uint64_t key = (uint64_t)process << 32 | tid, place;
	if (sm_map_find(&spans->places, key, &place)) {
		return &spans->threads[place];
	}
	if (sm_mem_grow(
		    &spans->threads, &spans->capacity, spans->count + 1, sizeof(*spans->threads)) ||
		sm_map_set(&spans->places, key, spans->count)) {
		return NULL;
	}
	struct sm_open_thread *thread = &spans->threads[spans->count++];
	*thread = (struct sm_open_thread){.process = process, .tid = tid};
	return thread;
}

int sm_open_spans_push(struct sm_open_thread *thread, int64_t begin_ns, uint32_t name)
{
	int error = sm_mem_grow(&thread->spans, &thread->span_capacity, thread->span_count + 1,
		sizeof(*thread->spans));
	if (!error) {
		thread->spans[thread->span_count++] = (struct sm_open_span){
			.begin_ns = begin_ns, .name = name, .first_arg = thread->arg_count};
	}
	return error;
}

void sm_open_spans_pop(struct sm_open_thread *thread)
{
	thread->arg_count = thread->spans[--thread->span_count].first_arg;
}

int sm_open_spans_add_arg(struct sm_open_thread *thread, uint8_t key, int64_t value)
{
	int error = sm_mem_grow(
		&thread->args, &thread->arg_capacity, thread->arg_count + 1, sizeof(*thread->args));
	if (!error) {
		thread->args[thread->arg_count++] = (struct sm_open_arg){key, value};
	}
	return error;
}
