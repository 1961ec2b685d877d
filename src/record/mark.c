/* Instants and sampled numbers, and the name of a thread. */
#include "record/session.h"
#include "record/span.h"
#include "record/thread.h"

#include <stallmeter/stallmeter.h>

#include <string.h>

enum { ARGS_MAX = 8 };

void sm_mark(uint32_t name)
{
	sm_mark_args(name, 0, NULL, NULL);
}

/* The numbers lie behind the mark and are stored first: a mark is in the file with all of them or not at all. */
static void put_mark(
	struct sm_thread *thread, uint32_t name, int count, const int *keys, const int64_t *values)
{
	uint64_t time = sm_ring_clock_units(&sm_session_here.clock);
	unsigned char *at = sm_thread_reserve_long(thread, time);
	for (int i = 0; i < count; i++) {
		if (keys[i] >= 0 && keys[i] < SM_SPAN_KEYS) {
			sm_thread_put_payload(
				thread, time, SM_RING_ARG + (uint32_t)keys[i], &values[i], 1);
		}
	}
	sm_ring_word_commit_long(at, sm_ring_word_long(time, name, SM_RING_MARK));
	thread->mark_end = thread->hot.cursor;
}

void sm_mark_args(uint32_t name, int count, const int *keys, const int64_t *values)
{
	if (!name || name >= SM_RING_NAMES_MAX || count < 0 || count > ARGS_MAX) {
		return;
	}
	struct sm_thread *thread = sm_thread_enter();
	if (thread) {
		put_mark(thread, name, count, keys, values);
		sm_thread_leave(thread);
	}
}

void sm_counter(uint32_t name, double value)
{
	uint64_t words[2] = {name};
	memcpy(&words[1], &value, sizeof(value));
	if (!name || name >= SM_RING_NAMES_MAX) {
		return;
	}
	struct sm_thread *thread = sm_thread_enter();
	if (thread) {
		uint64_t time = sm_ring_clock_units(&sm_session_here.clock);
		sm_thread_put_payload(thread, time, SM_RING_COUNTER, words, 2);
		sm_thread_leave(thread);
	}
}
