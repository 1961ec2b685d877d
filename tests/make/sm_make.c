/* Words as the recorder writes them, written a second time on purpose: the readers are tested
 * against this file, and the recorder against the readers. */
#include "make/sm_make.h"

#include "base/err.h"
#include "make/sm_make_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REAL_2026_S = 1767225600,
	SHORT_LIMIT = 1 << 20,
};

_Noreturn void sm_make_die(const char *what, int code)
{
	fprintf(stderr, "sm_make: %s: %s\n", what, sm_error_text(code));
	abort();
}

void sm_make_must(int code, const char *what)
{
	if (code < 0) {
		sm_make_die(what, code);
	}
}

void *sm_make_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1); /* not base/mem.c: tests make that one fail */
	if (!memory) {
		sm_make_die("out of memory", 0);
	}
	return memory;
}

/* --- a process --- */

static uint64_t ticks_at(const struct sm_make_process *process, int64_t time_ns)
{
	return process->ns_per_tick > 0 ? (uint64_t)((double)time_ns / process->ns_per_tick + 0.5)
					: (uint64_t)time_ns;
}

static struct sm_ring_instant instant_at(const struct sm_make_process *process, int64_t time_ns)
{
	return (struct sm_ring_instant){
		.ticks = ticks_at(process, time_ns),
		.mono_ns = time_ns,
		.real_ns = time_ns + process->real_minus_mono_ns,
	};
}

static void set_text(char *to, size_t room, const char *text, const char *otherwise)
{
	snprintf(to, room, "%s", text ? text : otherwise);
}

struct sm_make_process *sm_make_process_new(
	const struct sm_make_options *options, const struct sm_make_store *store)
{
	struct sm_make_options none = {0};
	const struct sm_make_options *want = options ? options : &none;
	struct sm_make_process *process = sm_make_alloc(sizeof(*process));
	process->store = store;
	process->fd = -1;
	process->ns_per_tick = want->ns_per_tick;
	process->real_minus_mono_ns = want->real_minus_mono_ns ? want->real_minus_mono_ns
							       : (int64_t)REAL_2026_S * 1000000000;
	process->threads = sm_make_alloc(SM_MAKE_THREADS_MAX * sizeof(*process->threads));
	struct sm_ring_header *header = &process->header;
	*header = (struct sm_ring_header){
		.magic = SM_RING_MAGIC,
		.major = SM_RING_MAJOR,
		.minor = SM_RING_MINOR,
		.endian = SM_RING_ENDIAN,
		.header_bytes = SM_RING_HEADER_BYTES,
		.segment_bytes = want->segment_bytes ? want->segment_bytes : SM_RING_SEGMENT_BYTES,
		.tick_shift = want->tick_shift,
		.clock_kind = want->ns_per_tick > 0 ? SM_RING_CLOCK_TSC : SM_RING_CLOCK_MONOTONIC,
		.pid = want->pid ? want->pid : 1000,
		.ppid = want->ppid,
		.rank = want->rank,
		.w_sequence = 1,
	};
	header->opened = header->latest =
		instant_at(process, want->opened_ns ? want->opened_ns : 1);
	char unique[sizeof(header->unique)];
	snprintf(unique, sizeof(unique), "%016x", (unsigned)header->pid);
	set_text(header->unique, sizeof(header->unique), want->unique, unique);
	set_text(header->parent, sizeof(header->parent), want->parent, "");
	set_text(header->boot_id, sizeof(header->boot_id), want->boot_id,
		"00000000-0000-0000-0000-000000000000");
	set_text(header->program, sizeof(header->program), want->program, "python train.py");
	return process;
}

void sm_make_process_free(struct sm_make_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		free(process->threads[i]->words);
		free(process->threads[i]);
	}
	for (size_t i = 0; i < process->name_count; i++) {
		free(process->names[i].text);
	}
	free(process->names);
	free(process->new_names);
	free(process->threads);
	free(process);
}

struct sm_make_thread *sm_make_thread_add(struct sm_make_process *process, uint32_t tid)
{
	if (process->thread_count == SM_MAKE_THREADS_MAX) {
		sm_make_die("too many threads", 0);
	}
	struct sm_make_thread *thread = sm_make_alloc(sizeof(*thread));
	thread->process = process;
	thread->tid = tid;
	thread->words = sm_make_alloc(process->header.segment_bytes);
	process->threads[process->thread_count++] = thread;
	return thread;
}

/* --- names --- */

uint32_t sm_make_name_bytes(struct sm_make_process *process, enum sm_name_kind kind,
	enum sm_role role, const char *text, size_t length)
{
	for (size_t i = 0; i < process->name_count; i++) {
		const struct sm_make_known *known = &process->names[i];
		if (known->name.kind == kind && known->name.role == role &&
			known->name.length == length && !memcmp(known->text, text, length)) {
			return known->name.id;
		}
	}
	struct sm_make_known *grown =
		realloc(process->names, (process->name_count + 1) * sizeof(*process->names));
	if (!grown) {
		sm_make_die("out of memory", 0);
	}
	process->names = grown;
	struct sm_make_known *known = &process->names[process->name_count++];
	known->name = (struct sm_ring_name){
		.id = (uint32_t)process->name_count,
		.length = (uint16_t)length,
		.kind = (uint8_t)kind,
		.role = (uint8_t)role,
	};
	known->text = sm_make_alloc(length);
	memcpy(known->text, text, length);
	process->store->name(process, &known->name, text);
	return known->name.id;
}

uint32_t sm_make_name(struct sm_make_process *process, enum sm_name_kind kind, enum sm_role role,
	const char *text)
{
	return sm_make_name_bytes(process, kind, role, text, strlen(text));
}

uint32_t sm_make_text(struct sm_make_thread *thread, const char *text)
{
	return sm_make_name(thread->process, SM_NAME_TEXT, SM_ROLE_OPERATION, text);
}

void sm_make_fact(struct sm_make_process *process, const char *lines)
{
	sm_make_name(process, SM_NAME_FACT, SM_ROLE_OPERATION, lines);
}

/* --- words --- */

void sm_make_seal(struct sm_make_thread *thread)
{
	if (thread->segment.sequence) {
		thread->process->store->segment(thread, SM_RING_SEALED);
	}
	thread->segment.sequence = 0;
	thread->used = 0;
}

static void begin_segment(struct sm_make_thread *thread, int64_t time_ns)
{
	struct sm_make_process *process = thread->process;
	thread->segment = (struct sm_ring_segment){
		.magic = SM_RING_SEGMENT_MAGIC,
		.kind = SM_RING_EVENTS,
		.sequence = process->header.w_sequence++,
		.tid = thread->tid,
		.ticks = ticks_at(process, time_ns),
		.mono_ns = time_ns,
		.lost_before = thread->lost,
	};
	memset(thread->words, 0, process->header.segment_bytes);
	thread->units = thread->segment.ticks >> process->header.tick_shift;
	process->header.latest = instant_at(process, time_ns);
	if (process->store->begin) {
		process->store->begin(thread);
	}
}

/* Room for `bytes` and the zero behind them; true in a segment that has just begun. */
static bool make_room(struct sm_make_thread *thread, int64_t time_ns, size_t bytes)
{
	size_t room = thread->process->header.segment_bytes - SM_RING_SEGMENT_HEADER_BYTES;
	if (thread->segment.sequence && thread->used + bytes + 8 > room) {
		sm_make_seal(thread);
	}
	if (!thread->segment.sequence) {
		assert(bytes + 8 <= room);
		begin_segment(thread, time_ns);
	}
	return thread->used == 0;
}

static void put(struct sm_make_thread *thread, int64_t time_ns, enum sm_ring_word_kind kind,
	uint32_t name, const uint64_t *payload, uint32_t count)
{
	bool first = make_room(thread, time_ns, 8 + 8 * (size_t)count);
	uint64_t units = ticks_at(thread->process, time_ns) >> thread->process->header.tick_shift;
	uint64_t step = units - thread->units;
	thread->units = units;
	if (!first && kind <= SM_RING_END && name < SM_RING_SHORT_NAMES && step < SHORT_LIMIT) {
		uint32_t word = (uint32_t)units << 12 | name << 2 | (uint32_t)kind << 1;
		memcpy(thread->words + thread->used, &word, sizeof(word));
		thread->used += sizeof(word);
		return;
	}
	uint64_t word = units << 24 | (uint64_t)name << 3 | (uint64_t)kind << 1 | 1;
	memcpy(thread->words + thread->used, &word, sizeof(word));
	if (count) {
		memcpy(thread->words + thread->used + 8, payload, 8 * (size_t)count);
	}
	thread->used += 8 + 8 * (size_t)count;
}

void sm_make_payload(struct sm_make_thread *thread, int64_t time_ns, uint32_t type,
	const uint64_t *words, uint32_t count)
{
	put(thread, time_ns, SM_RING_PAYLOAD, type | count << 8, words, count);
}

/* The time a payload gets that belongs to the word just made. */
static int64_t time_of_last(const struct sm_make_thread *thread)
{
	uint64_t ticks = thread->units << thread->process->header.tick_shift;
	return thread->process->ns_per_tick > 0
		       ? (int64_t)((double)ticks * thread->process->ns_per_tick)
		       : (int64_t)ticks;
}

void sm_make_begin_id(struct sm_make_thread *thread, int64_t time_ns, uint32_t name)
{
	put(thread, time_ns, SM_RING_BEGIN, name, NULL, 0);
}

void sm_make_begin(
	struct sm_make_thread *thread, int64_t time_ns, enum sm_role role, const char *name)
{
	sm_make_begin_id(thread, time_ns, sm_make_name(thread->process, SM_NAME_SPAN, role, name));
}

void sm_make_end(struct sm_make_thread *thread, int64_t time_ns)
{
	put(thread, time_ns, SM_RING_END, 0, NULL, 0);
}

void sm_make_end_cause(
	struct sm_make_thread *thread, int64_t time_ns, const struct sm_ring_cause *cause)
{
	uint64_t words[sizeof(*cause) / 8];
	memcpy(words, cause, sizeof(words));
	sm_make_payload(thread, time_ns, SM_RING_CAUSE, words, sizeof(words) / 8);
	sm_make_end(thread, time_ns);
}

void sm_make_arg(struct sm_make_thread *thread, enum sm_key key, int64_t value)
{
	uint64_t word = (uint64_t)value;
	sm_make_payload(thread, time_of_last(thread), SM_RING_ARG + (uint32_t)key, &word, 1);
}

void sm_make_mark(
	struct sm_make_thread *thread, int64_t time_ns, enum sm_role role, const char *name)
{
	put(thread, time_ns, SM_RING_MARK, sm_make_name(thread->process, SM_NAME_MARK, role, name),
		NULL, 0);
}

void sm_make_counter(struct sm_make_thread *thread, int64_t time_ns, const char *name, double value)
{
	uint64_t words[2] = {
		sm_make_name(thread->process, SM_NAME_COUNTER, SM_ROLE_OPERATION, name)};
	memcpy(&words[1], &value, sizeof(value));
	sm_make_payload(thread, time_ns, SM_RING_COUNTER, words, 2);
}

void sm_make_lost(struct sm_make_thread *thread, int64_t time_ns, uint64_t events)
{
	thread->lost += events;
	thread->process->header.w_lost_events += events;
	sm_make_payload(thread, time_ns, SM_RING_LOST, &events, 1);
}

void sm_make_adopt(struct sm_make_thread *thread, int64_t time_ns, uint32_t tid, const char *name)
{
	uint64_t id =
		name ? sm_make_name(thread->process, SM_NAME_TEXT, SM_ROLE_OPERATION, name) : 0;
	uint64_t word = tid | id << 32;
	thread->tid = tid;
	sm_make_payload(thread, time_ns, SM_RING_THREAD, &word, 1);
}

void sm_make_sync(struct sm_make_thread *thread, int64_t time_ns)
{
	uint64_t ticks = ticks_at(thread->process, time_ns);
	sm_make_payload(thread, time_ns, SM_RING_SYNC, &ticks, 1);
}
