/* From "this thread has no place to write" to a slot of its own, and back when it ends.
 *
 * Everything here that takes the lock happens once per thread and once per slot of some sixteen
 * thousand words. A thread that finds no slot (the limit is reached, the disk is full) counts what
 * it loses and looks again every now and then; when a slot comes back it says so by a LOST payload
 * before it goes on. */
#include "record/thread.h"

#include "record/fork.h"
#include "record/name.h"
#include "record/session.h"

#include <stallmeter/stallmeter.h>

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	RETRY_TIME = 1 << 20,		/* between two looks for a slot, about a millisecond */
	ABANDONED_TIME = 1 << 30,	/* after so long an unfinished event was left by a jump */
	ADOPTABLE_BYTES_MIN = 4 * 1024, /* a slot with less room is not worth going on in */
};

/* A time before all others: what follows says its time in full. */
static const uint64_t long_ago = 1;

uint32_t sm_thread_used;

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

static uint64_t now(void)
{
	return sm_ring_clock_units(&sm_session_here.clock);
}

/* --- words --- */

static void put_long(
	struct sm_thread *thread, uint64_t time, uint32_t field, enum sm_ring_word_kind kind)
{
	unsigned char *at = thread->hot.cursor;
	sm_ring_word_put(at + SM_RING_LONG_BYTES, 0);
	sm_ring_word_commit_long(at, sm_ring_word_long(time, field, kind));
	SM_INLINE_PUBLISH(thread->hot.cursor, at + SM_RING_LONG_BYTES);
	thread->last = time;
}

static void put_payload(struct sm_thread *thread, uint64_t time, uint32_t type, const void *words,
	uint32_t word_count)
{
	unsigned char *at = thread->hot.cursor;
	unsigned char *behind = at + SM_RING_LONG_BYTES + 8 * (size_t)word_count;
	uint32_t field = sm_ring_word_payload(type, word_count);
	sm_ring_word_put(behind, 0);
	memcpy(at + SM_RING_LONG_BYTES, words, 8 * (size_t)word_count);
	sm_ring_word_commit_long(at, sm_ring_word_long(time, field, SM_RING_PAYLOAD));
	SM_INLINE_PUBLISH(thread->hot.cursor, behind);
	thread->last = time;
}

static void put_sync(struct sm_thread *thread, uint64_t time)
{
	uint64_t ticks = time << sm_session_here.clock.tick_shift;
	put_payload(thread, time, SM_RING_SYNC, &ticks, 1);
}

/* Forty bits of time say enough unless the thread was silent for minutes. */
static void break_silence(struct sm_thread *thread, uint64_t time)
{
	if ((int64_t)(time - thread->last) >> (SM_RING_LONG_TIME_BITS - 1) > 0) {
		put_sync(thread, time);
	}
}

void sm_thread_put_apart(struct sm_thread *thread, uint64_t time)
{
	if (thread->hot.cursor == thread->mark_end) {
		put_sync(thread, time);
	}
}

void sm_thread_put_word(
	struct sm_thread *thread, uint64_t time, uint32_t name, enum sm_ring_word_kind kind)
{
	bool fits = name < SM_RING_SHORT_NAMES && kind <= SM_RING_END &&
		    !((time - thread->last) >> SM_RING_SHORT_TIME_BITS);
	if (fits) {
		unsigned char *at = thread->hot.cursor;
		sm_inline_commit(at, sm_ring_word_short(time, name, kind));
		SM_INLINE_PUBLISH(thread->hot.cursor, at + SM_RING_SHORT_BYTES);
		thread->last = time;
		return;
	}
	break_silence(thread, time);
	put_long(thread, time, name, kind);
}

void sm_thread_put_payload(struct sm_thread *thread, uint64_t time, uint32_t type,
	const void *words, uint32_t word_count)
{
	break_silence(thread, time);
	put_payload(thread, time, type, words, word_count);
}

unsigned char *sm_thread_reserve_long(struct sm_thread *thread, uint64_t time)
{
	break_silence(thread, time);
	unsigned char *at = thread->hot.cursor;
	sm_ring_word_put(at, 0);
	sm_ring_word_put(at + SM_RING_LONG_BYTES, 0);
	SM_INLINE_PUBLISH(thread->hot.cursor, at + SM_RING_LONG_BYTES);
	thread->last = time;
	return at;
}

/* --- slots --- */

static void open_pen(struct sm_thread *thread)
{
	thread->hot.long_span = sm_session_long_span();
	SM_INLINE_STORE(thread->words_end, sm_ring_writer_words_end(&thread->slot));
	if (sm_session_here.clock.kind == SM_RING_CLOCK_TSC) {
		SM_INLINE_STORE(thread->hot.end, sm_ring_writer_words_end(&thread->slot));
	}
}

/* Also from other threads: an event never stores what this does. */
static void shut_pen(struct sm_thread *thread)
{
	SM_INLINE_STORE(thread->hot.end, NULL);
	SM_INLINE_STORE(thread->words_end, NULL);
}

static void seal_slot(struct sm_thread *thread)
{
	shut_pen(thread);
	/* of a thread that may be writing on, when the session stops: what it had published is sealed */
	const unsigned char *end = __atomic_load_n(&thread->hot.cursor, __ATOMIC_ACQUIRE);
	sm_ring_writer_seal(&sm_fork_state->writer, &thread->slot, end);
}

static void forget_open_spans(struct sm_thread *thread)
{
	thread->hot.depth = 0;
	memset(thread->hot.begun, 0, sizeof(thread->hot.begun));
	thread->cause_count = 0;
}

static void forget_losses(struct sm_thread *thread)
{
	SM_INLINE_STORE(thread->lost, 0);
	SM_INLINE_STORE(thread->lost_unsaid, 0);
	SM_INLINE_STORE(thread->retry_time, 0);
}

static void say_what_was_lost(struct sm_thread *thread)
{
	uint64_t lost = SM_INLINE_LOAD(thread->lost_unsaid);
	if (lost) {
		put_payload(thread, now(), SM_RING_LOST, &lost, 1);
		SM_INLINE_STORE(thread->lost_unsaid, 0);
		forget_open_spans(thread);
	}
}

static void begin_in(struct sm_thread *thread, const struct sm_ring_writer_slot *slot)
{
	bool behind_mark = thread->mark_end == thread->hot.cursor;
	thread->slot = *slot;
	thread->hot.cursor = sm_ring_writer_words(slot);
	thread->mark_end = behind_mark ? thread->hot.cursor : NULL;
	/* so long ago that the first word is a long one, even if its clock was read before the
	 * slot's */
	thread->last = (slot->segment->ticks >> sm_session_here.clock.tick_shift) -
		       ((uint64_t)1 << (SM_RING_LONG_TIME_BITS - 2));
	say_what_was_lost(thread);
	open_pen(thread);
	sm_thread_leave(thread);
}

static bool has_room(const struct sm_thread *thread)
{
	return thread->slot.segment && thread->hot.cursor < sm_ring_writer_words_end(&thread->slot);
}

/* Under the lock. */
static int give_slot(struct sm_thread *thread)
{
	struct sm_ring_writer *writer = &sm_fork_state->writer;
	if (!has_room(thread) && !sm_ring_writer_extend(writer, &thread->slot)) {
		open_pen(thread);
	}
	if (has_room(thread)) {
		return 0;
	}
	struct sm_ring_writer_slot next;
	int error = sm_ring_writer_take(writer, SM_RING_EVENTS, thread->tid, thread->lost, &next);
	seal_slot(thread);
	if (error) {
		SM_INLINE_STORE(thread->retry_time, now() + RETRY_TIME);
		return error;
	}
	begin_in(thread, &next);
	return 0;
}

/* --- threads --- */

/* The thread ends. What its slot has left goes to the next thread that is born. */
static void leave_process(void *own)
{
	struct sm_thread *thread = own;
	if (sm_thread_self() != thread || !thread->live) {
		return; /* of the parent, before the fork */
	}
	struct sm_fork_guard guard;
	sm_fork_lock(&guard);
	sm_cause_close(&thread->source);
	sm_inline_here = &sm_inline_nobody.hot;
	shut_pen(thread);
	thread->live = 0;
	if (has_room(thread) && sm_ring_writer_words_end(&thread->slot) - thread->hot.cursor >=
					ADOPTABLE_BYTES_MIN) {
		__atomic_store_n(&thread->slot.segment->adoptable, 1, __ATOMIC_RELEASE);
	} else {
		seal_slot(thread);
	}
	thread->next_idle = sm_fork_state->idle;
	sm_fork_state->idle = thread;
	sm_fork_unlock(&guard);
}

static void make_exit_key(void)
{
	pthread_key_create(&exit_key, leave_process);
}

static struct sm_thread *take_struct(void)
{
	struct sm_fork_state *state = sm_fork_state;
	struct sm_thread *thread = state->idle;
	if (thread) {
		state->idle = thread->next_idle;
		return thread;
	}
	uint32_t index = state->thread_first + state->thread_count;
	if (index >= sm_fork_thread_max()) {
		return NULL;
	}
	state->thread_count++;
	if (sm_thread_used <= index) {
		sm_thread_used = index + 1;
	}
	return sm_fork_thread(index);
}

static void adopt_slot(struct sm_thread *thread)
{
	uint64_t tid = thread->tid;
	thread->slot.segment->adoptable = 0;
	sm_thread_put_payload(thread, now(), SM_RING_THREAD, &tid, 1);
	open_pen(thread);
}

/* Under the lock: the calling thread's struct, made on its first event. NULL: more threads than
 * places. */
static struct sm_thread *join_process(void)
{
	struct sm_thread *thread = sm_thread_self();
	if (thread->live) {
		return thread;
	}
	thread = take_struct();
	if (!thread) {
		return NULL;
	}
	forget_open_spans(thread);
	thread->tid = (uint32_t)syscall(SYS_gettid);
	forget_losses(thread);
	thread->hot.weights = sm_name_weights;
	thread->last = thread->hot.last ? thread->hot.last : long_ago;
	thread->resting = 0;
	thread->live = 1;
	sm_inline_here = &thread->hot;
	pthread_once(&exit_key_once, make_exit_key);
	pthread_setspecific(exit_key, thread);
	if (has_room(thread)) {
		adopt_slot(thread);
	}
	sm_thread_leave(thread);
	return thread;
}

/* --- one event --- */

static void lose_event(struct sm_thread *thread, bool say)
{
	if (thread->live) {
		__atomic_fetch_add(&thread->lost, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&thread->lost_unsaid, (uint64_t)say, __ATOMIC_RELAXED);
	}
	sm_fork_count_lost(1);
}

/* There was nothing to have a moment ago: spares the lock. */
static bool is_too_early(const struct sm_thread *thread)
{
	uint64_t next = thread->live && !SM_INLINE_LOAD(thread->words_end)
				? SM_INLINE_LOAD(thread->retry_time)
				: sm_fork_retry_time();
	return next && (int64_t)(now() - next) < 0;
}

static bool find_room(void)
{
	struct sm_thread *thread = sm_thread_self();
	if (is_too_early(thread)) {
		lose_event(thread, true);
		return false;
	}
	struct sm_fork_guard guard;
	sm_fork_lock(&guard);
	bool on = sm_session_is_on();
	bool found = on && !sm_fork_open_file() && (thread = join_process()) && !give_slot(thread);
	if (on && !found) {
		lose_event(sm_thread_self(), true);
	}
	sm_fork_unlock(&guard);
	return found;
}

void sm_thread_rest(void)
{
	struct sm_thread *thread = sm_thread_self();
	uint64_t last = SM_INLINE_LOAD(thread->hot.last);
	if (thread->live && last) {
		thread->last = last;
		thread->resting = 1;
		SM_INLINE_STORE(thread->hot.last, 0);
	}
}

static void wake(struct sm_thread *thread)
{
	if (thread->resting) {
		thread->resting = 0;
		SM_INLINE_STORE(thread->hot.last, thread->last);
	}
}

/* The event that is being written has been for so long that it will never be finished. The time of
 * the last word does not tell: the thread may have been silent, and in a new slot there is none. So
 * it is told from the first handler that came in on this event, which is known by its place. */
static bool is_abandoned(struct sm_thread *thread)
{
	uint64_t time = now();
	uint64_t since = SM_INLINE_LOAD(thread->between_since);
	unsigned char *at = SM_INLINE_LOAD(thread->hot.cursor);
	if (!since || thread->between_at != at) {
		thread->between_at = at;
		SM_INLINE_STORE(thread->between_since, time | 1);
		return false;
	}
	return (int64_t)(time - since) > ABANDONED_TIME;
}

/* A signal handler came in the middle of an event of its own thread. The inline path and this one tell
 * by the same mark: judged by two that are set one after the other, a handler could lose a begin and
 * keep its end. One that never returned to the event (siglongjmp) would shut the pen for ever, hence
 * the long stop. */
static bool came_in_between(struct sm_thread *thread)
{
	if (!thread->live) {
		return false;
	}
	wake(thread);
	if (SM_INLINE_LOAD(thread->hot.last)) {
		SM_INLINE_STORE(thread->between_since, 0);
		return false;
	}
	if (!is_abandoned(thread)) {
		return true;
	}
	SM_INLINE_STORE(thread->hot.last, long_ago);
	return false;
}

/* A handler's event between the load and the store would be newer than what was loaded, and the word
 * to come perhaps too short for its time: then it says its time in full. */
static void shut_inline_path(struct sm_thread *thread)
{
	const unsigned char *at = SM_INLINE_LOAD(thread->hot.cursor);
	uint64_t last = SM_INLINE_LOAD(thread->hot.last);
	SM_INLINE_STORE(thread->hot.last, 0);
	SM_INLINE_ORDER();
	thread->last = SM_INLINE_LOAD(thread->hot.cursor) == at ? last : long_ago;
}

struct sm_thread *sm_thread_enter(void)
{
	if (!sm_session_is_on()) {
		return NULL;
	}
	for (;;) {
		struct sm_thread *thread = sm_thread_self();
		if (came_in_between(thread)) {
			lose_event(thread, false);
			return NULL;
		}
		if (thread->live) {
			shut_inline_path(thread);
			if (SM_INLINE_LOAD(thread->hot.cursor) <
				SM_INLINE_LOAD(thread->words_end)) {
				return thread;
			}
			sm_thread_leave(thread);
		}
		if (!find_room()) {
			return NULL;
		}
	}
}

void sm_thread_name(const char *text)
{
	if (!text || !sm_session_is_on()) {
		return;
	}
	uint64_t name = sm_name_register(SM_TEXT, text);
	if (!name) {
		lose_event(sm_thread_self(), false);
		return;
	}
	struct sm_thread *thread = sm_thread_enter();
	if (thread) {
		uint64_t word = thread->tid | name << 32;
		sm_thread_put_payload(thread, now(), SM_RING_THREAD, &word, 1);
		sm_thread_leave(thread);
	}
}

void sm_thread_stop_all(void)
{
	for (uint32_t i = 0; i < sm_fork_state->thread_count; i++) {
		struct sm_thread *thread = sm_fork_thread(sm_fork_state->thread_first + i);
		seal_slot(thread);
		forget_losses(thread);
	}
}
