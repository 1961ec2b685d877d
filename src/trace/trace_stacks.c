/* Samples are seven columns, cut into planes of bytes like counters (trace_planes.h): times, threads and places as
 * differences to the sample before. */
#include "trace/trace_stacks.h"

#include "trace/trace_planes.h"

#include "base/err.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* --- the table --- */

static void add_u32(struct sm_str *body, uint32_t number)
{
	sm_str_add_bytes(body, (const char *)&number, sizeof(number));
}

static size_t cut(const char *text)
{
	size_t length = strlen(text);
	return length < UINT16_MAX ? length : UINT16_MAX;
}

static void add_text(struct sm_str *body, const char *text)
{
	uint16_t length = (uint16_t)cut(text);
	sm_str_add_bytes(body, (const char *)&length, sizeof(length));
	sm_str_add_bytes(body, text, length);
}

void sm_trace_stacks_add_function(
	struct sm_str *body, const char *file, const char *name, uint32_t first_line)
{
	add_u32(body, first_line);
	add_text(body, file);
	add_text(body, name);
}

void sm_trace_stacks_add_place(
	struct sm_str *body, uint32_t caller, uint32_t function, uint32_t line)
{
	add_u32(body, caller);
	add_u32(body, function);
	add_u32(body, line);
}

void sm_trace_stacks_add_thread(struct sm_str *body, int32_t pid, uint32_t tid, const char *name)
{
	add_u32(body, (uint32_t)pid);
	add_u32(body, tid);
	add_text(body, name);
}

struct cursor {
	const unsigned char *at, *end;
};

static bool take(struct cursor *cursor, void *to, size_t bytes)
{
	if ((size_t)(cursor->end - cursor->at) < bytes) {
		return false;
	}
	memcpy(to, cursor->at, bytes);
	cursor->at += bytes;
	return true;
}

static int take_text(struct cursor *cursor, struct sm_str *text)
{
	uint16_t length;
	if (!take(cursor, &length, sizeof(length)) || (size_t)(cursor->end - cursor->at) < length) {
		return -SM_ERR_FORMAT;
	}
	sm_str_clear(text);
	sm_str_add_bytes(text, (const char *)cursor->at, length);
	cursor->at += length;
	return text->failed ? -ENOMEM : 0;
}

static int tell_function(const struct sm_trace_visitor *visitor, struct cursor *cursor,
	struct sm_trace_stacks_base *base, uint32_t number)
{
	struct sm_trace_stack_function function = {.number = number};
	int r = take(cursor, &function.first_line, sizeof(function.first_line)) ? 0
										: -SM_ERR_FORMAT;
	r = r ? r : take_text(cursor, &base->text[0]);
	r = r ? r : take_text(cursor, &base->text[1]);
	function.file = sm_str_text(&base->text[0]);
	function.name = sm_str_text(&base->text[1]);
	return r || !visitor->stack_function ? r
					     : visitor->stack_function(visitor->context, &function);
}

static int tell_place(const struct sm_trace_visitor *visitor, struct cursor *cursor,
	const struct sm_trace_stacks_base *base, uint32_t number)
{
	uint32_t words[3];
	if (!take(cursor, words, sizeof(words)) || words[0] > number - base->place ||
		words[1] >= SM_TRACE_STACKS_IDS_MAX) {
		return -SM_ERR_FORMAT; /* a caller comes before its callee, so no way runs in circles */
	}
	const struct sm_trace_stack_place place = {
		.number = number,
		.caller = words[0] ? (int64_t)base->place + words[0] - 1 : -1,
		.function = base->function + words[1],
		.line = words[2],
	};
	return visitor->stack_place ? visitor->stack_place(visitor->context, &place) : 0;
}

static int tell_thread(const struct sm_trace_visitor *visitor, struct cursor *cursor,
	struct sm_trace_stacks_base *base, uint32_t number)
{
	struct sm_trace_stack_thread thread = {.number = number};
	bool whole = take(cursor, &thread.pid, sizeof(thread.pid)) &&
		     take(cursor, &thread.tid, sizeof(thread.tid));
	int r = whole ? take_text(cursor, &base->text[0]) : -SM_ERR_FORMAT;
	thread.name = sm_str_text(&base->text[0]);
	return r || !visitor->stack_thread ? r : visitor->stack_thread(visitor->context, &thread);
}

static bool is_range(uint32_t first, uint32_t count)
{
	return first < SM_TRACE_STACKS_IDS_MAX && count < SM_TRACE_STACKS_IDS_MAX;
}

static void reach(uint32_t *next, uint32_t number)
{
	*next = number > *next ? number : *next;
}

void sm_trace_stacks_finish(struct sm_trace_stacks_base *base)
{
	sm_str_finish(&base->text[0]);
	sm_str_finish(&base->text[1]);
}

void sm_trace_stacks_begin_file(struct sm_trace_stacks_base *base)
{
	base->function = base->next_function;
	base->place = base->next_place;
	base->thread = base->next_thread;
}

int sm_trace_stacks_tell(const struct sm_trace_visitor *visitor, struct sm_trace_stacks_base *base,
	const unsigned char *body, size_t bytes)
{
	struct cursor cursor = {body, body + bytes};
	struct sm_trace_stacks_head head;
	int r = 0;
	if (!take(&cursor, &head, sizeof(head)) ||
		!is_range(head.first_function, head.function_count) ||
		!is_range(head.first_place, head.place_count) ||
		!is_range(head.first_thread, head.thread_count)) {
		return -SM_ERR_FORMAT;
	}
	for (uint32_t i = 0; !r && i < head.function_count; i++) {
		r = tell_function(visitor, &cursor, base, base->function + head.first_function + i);
	}
	for (uint32_t i = 0; !r && i < head.place_count; i++) {
		r = tell_place(visitor, &cursor, base, base->place + head.first_place + i);
	}
	for (uint32_t i = 0; !r && i < head.thread_count; i++) {
		r = tell_thread(visitor, &cursor, base, base->thread + head.first_thread + i);
	}
	if (!r) {
		reach(&base->next_function,
			base->function + head.first_function + head.function_count);
		reach(&base->next_place, base->place + head.first_place + head.place_count);
		reach(&base->next_thread, base->thread + head.first_thread + head.thread_count);
	}
	return r;
}

/* --- samples --- */

size_t sm_trace_stacks_encode(const struct sm_trace_stack_samples_head *head,
	const struct sm_trace_stack_columns *columns, unsigned char *to)
{
	uint64_t numbers[SM_TRACE_STACK_SAMPLES_MAX];
	size_t count = columns->count;
	unsigned char *at = to + sizeof(*head);
	memcpy(to, head, sizeof(*head));
	for (size_t i = 0; i < count; i++) {
		numbers[i] =
			(uint64_t)columns->time_ns[i] - (i ? (uint64_t)columns->time_ns[i - 1] : 0);
	}
	at = sm_trace_planes_put(at, numbers, count, 8);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = columns->span_ns[i];
	}
	at = sm_trace_planes_put(at, numbers, count, 8);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = columns->thread[i] - (i ? columns->thread[i - 1] : 0);
	}
	at = sm_trace_planes_put(at, numbers, count, 4);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = columns->place[i] - (i ? columns->place[i - 1] : 0);
	}
	at = sm_trace_planes_put(at, numbers, count, 4);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = columns->looks[i];
	}
	at = sm_trace_planes_put(at, numbers, count, 2);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = columns->cpu_us[i];
	}
	at = sm_trace_planes_put(at, numbers, count, 4);
	memcpy(at, columns->state, count);
	return (size_t)(at + count - to);
}

static void decode(struct sm_trace_stack_columns *columns, const unsigned char *at,
	const struct sm_trace_stacks_base *base, int64_t offset_ns)
{
	uint64_t numbers[SM_TRACE_STACK_SAMPLES_MAX], time = (uint64_t)offset_ns;
	uint32_t thread = 0, place = 0;
	size_t count = columns->count;
	at = sm_trace_planes_get(at, numbers, count, 8);
	for (size_t i = 0; i < count; i++) {
		time += numbers[i];
		columns->time_ns[i] = (int64_t)time;
	}
	at = sm_trace_planes_get(at, columns->span_ns, count, 8);
	at = sm_trace_planes_get(at, numbers, count, 4);
	for (size_t i = 0; i < count; i++) {
		thread += (uint32_t)numbers[i];
		columns->thread[i] = base->thread + thread;
	}
	at = sm_trace_planes_get(at, numbers, count, 4);
	for (size_t i = 0; i < count; i++) {
		place += (uint32_t)numbers[i];
		columns->place[i] = base->place + place;
	}
	at = sm_trace_planes_get(at, numbers, count, 2);
	for (size_t i = 0; i < count; i++) {
		columns->looks[i] = (uint16_t)numbers[i];
	}
	at = sm_trace_planes_get(at, numbers, count, 4);
	for (size_t i = 0; i < count; i++) {
		columns->cpu_us[i] = (uint32_t)numbers[i];
	}
	memcpy(columns->state, at, count);
}

int sm_trace_stacks_tell_samples(const struct sm_trace_visitor *visitor,
	const struct sm_trace_stacks_base *base, struct sm_trace_stack_columns *columns,
	const unsigned char *body, size_t bytes, uint64_t count, int64_t offset_ns)
{
	struct sm_trace_stack_samples_head head;
	if (count > SM_TRACE_STACK_SAMPLES_MAX ||
		bytes != sizeof(head) + count * SM_TRACE_STACK_SAMPLE_BYTES) {
		return -SM_ERR_FORMAT;
	}
	memcpy(&head, body, sizeof(head));
	columns->count = (size_t)count;
	decode(columns, body + sizeof(head), base, offset_ns);
	const struct sm_trace_stack_samples samples = {
		.count = columns->count,
		.interval_ns = head.interval_ns,
		.torn = head.torn,
		.unread = head.unread,
		.missed = head.missed,
		.time_ns = columns->time_ns,
		.span_ns = columns->span_ns,
		.thread = columns->thread,
		.place = columns->place,
		.looks = columns->looks,
		.cpu_us = columns->cpu_us,
		.state = columns->state,
	};
	return visitor->stack_samples(visitor->context, &samples);
}
