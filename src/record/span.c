/* Begins and ends with every case handled, and the functions that programs call. Those are the
 * inline ones of inline.h: what is ordinary stays in them, the rest comes back here.
 *
 * Whether a span carries its cause is decided at its begin, by the weight of its name. What the end
 * needs to know is in the thread's stack of begins: a span that carries its cause is entered there
 * as if it had begun an age ago, so the one comparison that finds long spans finds it too. */
#include "record/span.h"

#include "record/name.h"
#include "record/session.h"
#include "record/thread.h"

#include <stallmeter/inline.h>

enum { WIDE_NAME_BITS = 16 };

static const uint64_t word_mask = ((uint64_t)1 << SM_INLINE_TIME_SHIFT) - 1;
static const uint64_t wide_mask = ((uint64_t)1 << (WIDE_NAME_BITS + 1)) - 1;
_Static_assert(SM_NAME_WEIGHTS <= 1 << WIDE_NAME_BITS, "every name with a weight is remembered");

/* --- spans that carry their cause --- */

/* The span on top, if it is one of those. */
static struct sm_thread_cause *carried_on_top(struct sm_thread *thread)
{
	struct sm_thread_cause *top =
		thread->cause_count ? &thread->causes[thread->cause_count - 1] : NULL;
	return top && top->depth == thread->hot.depth ? top : NULL;
}

static void push_cause(
	struct sm_thread *thread, uint64_t time, const struct sm_cause_reading *reading)
{
	while (thread->cause_count &&
		thread->causes[thread->cause_count - 1].depth > thread->hot.depth) {
		thread->cause_count--; /* its end was lost */
	}
	struct sm_thread_cause *cause = &thread->causes[thread->cause_count++];
	*cause = (struct sm_thread_cause){
		.depth = thread->hot.depth + 1, .time = time, .begin = *reading};
}

static void write_cause(struct sm_thread *thread, uint64_t time,
	const struct sm_thread_cause *cause, const struct sm_cause_reading *end)
{
	struct sm_ring_cause words = sm_cause_between(&cause->begin, end);
	sm_thread_put_payload(
		thread, time, SM_RING_CAUSE, &words, sizeof(words) / sizeof(uint64_t));
	thread->cause_count--;
}

/* --- begin --- */

static bool has_session(void)
{
	bool on = sm_session_is_on();
	if (!on && SM_INLINE_LOAD(sm_thread_self()->hot.last)) {
		sm_thread_rest();
	}
	return on;
}

/* A thread that has made an event before, so that its sources are its own. NULL: there is no room,
 * and the event that brought us here is counted as lost. */
static struct sm_thread *introduce(void)
{
	if (sm_thread_self()->live) {
		return sm_thread_self();
	}
	struct sm_thread *thread = sm_thread_enter();
	if (thread) {
		sm_thread_leave(thread);
	}
	return thread;
}

/* What the inline end compares with. A span that carries its cause looks so old that its end comes
 * here. A name beyond the inline ones takes the place of the last bits of the time, some thirty
 * nanoseconds, and sets the lowest bit. */
static uint64_t begun_word(uint64_t time, uint32_t name, bool carries)
{
	const uint64_t very_old = (uint64_t)1 << (63 - SM_INLINE_TIME_SHIFT);
	uint64_t begun = (carries ? time - very_old : time) << SM_INLINE_TIME_SHIFT;
	if (name < SM_INLINE_NAMES) {
		return begun | name << 2;
	}
	return (begun & ~wide_mask) | (name < SM_NAME_WEIGHTS ? name << 1 : 0) | 1;
}

static uint32_t begun_name(uint64_t begun)
{
	return (uint32_t)(begun & 1 ? (begun & wide_mask) >> 1 : (begun & word_mask) >> 2);
}

void sm_span_begin_general(uint32_t name, bool always)
{
	if (!name || name >= SM_RING_NAMES_MAX || !has_session()) {
		return;
	}
	struct sm_cause_reading reading;
	struct sm_thread *thread = always ? introduce() : sm_thread_self();
	if (!thread) {
		return;
	}
	bool heavy = sm_name_lower_weight(name) >= SM_NAME_WEIGHT_CARRY;
	bool carries = (always || heavy) && thread->live && thread->cause_count < SM_THREAD_CAUSES;
	if (carries) {
		sm_cause_read_begin(&thread->source, &reading);
	}
	thread = sm_thread_enter();
	if (!thread) {
		return;
	}
	carries = carries && thread->cause_count < SM_THREAD_CAUSES; /* a handler may have come */
	uint64_t time = sm_ring_clock_units(&sm_session_here.clock);
	sm_thread_put_word(thread, time, name, SM_RING_BEGIN);
	if (carries) {
		push_cause(thread, time, &reading);
	}
	thread->hot.depth++;
	thread->hot.begun[thread->hot.depth % SM_INLINE_DEPTH] = begun_word(time, name, carries);
	sm_thread_leave(thread);
}

/* --- end --- */

/* How long the span on top is, in the form of `long_span`, and whose it is. */
static bool was_long(const struct sm_thread *thread, uint64_t time,
	const struct sm_thread_cause *cause, uint32_t *ret_name)
{
	uint64_t begun = thread->hot.begun[thread->hot.depth % SM_INLINE_DEPTH];
	*ret_name = begun_name(begun);
	if (cause) {
		begun = cause->time << SM_INLINE_TIME_SHIFT;
	}
	return (time << SM_INLINE_TIME_SHIFT) - (begun & ~word_mask) >= sm_session_long_span();
}

void sm_span_end_general(void)
{
	if (!has_session()) {
		return;
	}
	struct sm_cause_reading reading;
	struct sm_thread *thread = sm_thread_self();
	uint64_t time = sm_ring_clock_units(&sm_session_here.clock);
	bool carries = thread->live && carried_on_top(thread);
	if (carries) {
		sm_cause_read_end(&thread->source, &reading);
	}
	thread = sm_thread_enter();
	if (!thread) {
		return;
	}
	struct sm_thread_cause *cause = carries ? carried_on_top(thread) : NULL;
	uint32_t name;
	if (was_long(thread, time, cause, &name)) {
		sm_name_raise_weight(name);
	}
	if (cause) {
		write_cause(thread, time, cause, &reading);
	}
	sm_thread_put_word(thread, time, 0, SM_RING_END);
	thread->hot.depth--;
	sm_thread_leave(thread);
}

/* --- what programs call --- */

void sm_span_begin(uint32_t name)
{
	sm_inline_begin(name);
}

void sm_span_end(void)
{
	sm_inline_end();
}

void sm_span_begin_cause(uint32_t name)
{
	sm_span_begin_general(name, true);
}

void sm_span_arg(int key, int64_t value)
{
	if (key < 0 || key >= SM_SPAN_KEYS) {
		return;
	}
	struct sm_thread *thread = sm_thread_enter();
	if (thread) {
		uint64_t time = sm_ring_clock_units(&sm_session_here.clock);
		sm_thread_put_apart(thread, time);
		sm_thread_put_payload(thread, time, SM_RING_ARG + (uint32_t)key, &value, 1);
		sm_thread_leave(thread);
	}
}
