/* One thread's pen: where its next word goes, which spans it has open, what it has lost.
 *
 * Writing an event goes sm_thread_enter, sm_thread_put_..., sm_thread_leave. In between, as in the middle of an inline
 * event, `hot.last` is 0: the inline path is shut, and a signal handler that records on the same thread is seen (and its
 * event counted as lost) instead of writing into the half-made one. */
#ifndef SM_RECORD_THREAD_H
#define SM_RECORD_THREAD_H

#include "record/cause.h"
#include "ring/ring_word.h"
#include "ring/ring_writer.h"

#include <stdbool.h>

enum {
	SM_THREAD_CAUSES = 24, /* nested spans that can carry their cause */
};

/* An open span that will carry its cause. */
struct sm_thread_cause {
	uint64_t depth; /* of the thread when it began, plus one; 0: none */
	uint64_t time;
	struct sm_cause_reading begin;
};

/* A whole page, so that neighbours never share a cache line. Zero after a fork. */
struct sm_thread {
	struct sm_inline_thread hot;
	unsigned char *mark_end;  /* behind the newest mark and its numbers */
	unsigned char *words_end; /* no event begins from here on; NULL without a slot */
	uint64_t last;		  /* between enter and leave: what hot.last was and becomes */
	uint32_t live;		  /* a thread of this process owns it */
	uint32_t resting;	  /* there was no session, so its inline path is shut */
	uint32_t tid;
	uint32_t cause_count;
	uint64_t lost;	      /* all that this thread lost */
	uint64_t lost_unsaid; /* of it, what waits for its LOST payload */
	uint64_t retry_time;  /* no slot to have: when to look again */
	/* the event that a signal handler came in on: its place, and when that was first seen; 0: never */
	unsigned char *between_at;
	uint64_t between_since;
	struct sm_ring_writer_slot slot;
	struct sm_thread *next_idle;
	struct sm_cause_source source;
	struct sm_thread_cause causes[SM_THREAD_CAUSES];
} __attribute__((aligned(4096)));
_Static_assert(sizeof(struct sm_thread) == 4096, "a page each");

/* What a thread points to before its first event; never written to. */
extern struct sm_thread sm_inline_nobody;

/* Places in the wiped memory that were ever used; a child inherits it, see choose_first_thread in fork.c. */
extern uint32_t sm_thread_used;

/* Without a session: until it enters again, the calling thread's inline path looks no further than at `last`. */
void sm_thread_rest(void);

/* The calling thread with room for one event, or NULL: no session, or the event is lost and counted. */
struct sm_thread *sm_thread_enter(void);
static inline void sm_thread_leave(struct sm_thread *thread)
{
	SM_INLINE_STORE(thread->between_since, 0);
	SM_INLINE_ORDER();
	SM_INLINE_STORE(thread->hot.last, thread->last);
}

/* The calling thread's struct; one without a name (live 0) before its first event. */
static inline struct sm_thread *sm_thread_self(void)
{
	return (struct sm_thread *)(void *)sm_inline_here;
}

/* Between enter and leave. `time` is in units of the session's clock. */
void sm_thread_put_word(
	struct sm_thread *thread, uint64_t time, uint32_t name, enum sm_ring_word_kind kind);
void sm_thread_put_payload(struct sm_thread *thread, uint64_t time, uint32_t type,
	const void *words, uint32_t word_count);

/* A word that says nothing new, so that what follows is not "directly behind" the mark before it. */
void sm_thread_put_apart(struct sm_thread *thread, uint64_t time);
/* Leaves room for a long word that the caller commits after what lies behind it. */
unsigned char *sm_thread_reserve_long(struct sm_thread *thread, uint64_t time);

/* Under the lock, when the session stops: takes the slots away from all threads and seals them. */
void sm_thread_stop_all(void);

#endif
