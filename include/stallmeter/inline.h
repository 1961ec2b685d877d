/* stallmeter, the shortest way: a begin or an end without a call.
 *
 *     #include <stallmeter/inline.h>
 *
 *     sm_inline_begin(decode);
 *     ...
 *     sm_inline_end();
 *
 * They do what sm_span_begin and sm_span_end do, and may be mixed with them. Everything out of the ordinary (first event
 * of a thread or of a forked child, a full segment, a long pause, a large name, a span that carries its cause, no
 * session) is left to the library by one of four branches that are never taken in a busy program. What is left:
 *
 *     time, 20 bits | name, 10 bits | kind | 0         one word of four bytes and the zero behind it, in one store
 *
 * A program killed right behind that store has the event in the file; right before it, not. While an event is being
 * written `end` is NULL, so that a signal handler which records on the same thread sees that it came in between.
 *
 * The structure is shared between a program and the library it was built with: it may change with the minor version. */
#ifndef STALLMETER_INLINE_H
#define STALLMETER_INLINE_H

#include <stallmeter/stallmeter.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SM_INLINE_NAMES = 1024, /* ids below fit a short word */
	SM_INLINE_DEPTH = 256,	/* open spans whose begin is remembered, a power of two */
	SM_INLINE_NAME_BITS = 21,
};

/* What a thread needs for an event, in one cache line; then the begins of its open spans. Other threads touch it only to stop it. */
struct sm_inline_thread {
	unsigned char *cursor; /* where the next word goes */
	unsigned char *
		end; /* words begin below; NULL while one is being written, and where this path is closed */
	unsigned char *limit; /* what `end` becomes again */
	uint64_t last;	      /* time of the last word */
	uint64_t long_span;   /* a time from which a span counts as long, shifted as in `begun` */
	const unsigned char *weights; /* per name: not 0, its spans may carry their cause */
	uint64_t depth;		      /* open spans; wraps */
	uint64_t reserved;
	uint64_t begun[SM_INLINE_DEPTH]; /* time << 21 | name */
};

extern SM_API __thread struct sm_inline_thread *sm_inline_here
	__attribute__((tls_model("initial-exec")));

SM_API void sm_inline_begin_slow(uint32_t name);
SM_API void sm_inline_end_slow(void);

#if defined(__x86_64__)
#define SM_INLINE_TICK_SHIFT 1 /* the lowest bit of a time stamp is noise */
static inline __attribute__((always_inline)) uint64_t sm_inline_ticks(void)
{
	return __builtin_ia32_rdtsc();
}
/* `word` and the zero behind it. One store: x86 keeps the order of stores by itself. */
static inline __attribute__((always_inline)) void sm_inline_commit(unsigned char *at, uint32_t word)
{
	typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned;
	*(volatile unaligned *)at = word;
}
#elif defined(__aarch64__)
#define SM_INLINE_TICK_SHIFT 0
static inline __attribute__((always_inline)) uint64_t sm_inline_ticks(void)
{
	uint64_t ticks;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}
/* Words are 4-byte aligned, and a release store must be aligned: the zero first, then the word. */
static inline __attribute__((always_inline)) void sm_inline_commit(unsigned char *at, uint32_t word)
{
	typedef uint32_t __attribute__((may_alias)) aliased;
	*(volatile aliased *)(at + 4) = 0;
	__atomic_store_n((aliased *)at, word, __ATOMIC_RELEASE);
}
#else
#define SM_INLINE_TICK_SHIFT 0
#define SM_INLINE_UNKNOWN    1 /* nanoseconds by the library: `end` stays NULL */
static inline uint64_t sm_inline_ticks(void)
{
	return 0;
}
static inline void sm_inline_commit(unsigned char *at, uint32_t word)
{
	typedef uint32_t __attribute__((may_alias)) aliased;
	*(volatile aliased *)(at + 4) = 0;
	__atomic_store_n((aliased *)at, word, __ATOMIC_RELEASE);
}
#endif

#define SM_INLINE_UNLIKELY(x)	  __builtin_expect(!!(x), 0)
#define SM_INLINE_LOAD(x)	  __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define SM_INLINE_STORE(x, value) __atomic_store_n(&(x), (value), __ATOMIC_RELAXED)
/* What lies before is complete for whoever reads x; on x86 no more than a store. */
#define SM_INLINE_PUBLISH(x, value) __atomic_store_n(&(x), (value), __ATOMIC_RELEASE)
/* Keeps the compiler from moving stores across: all that a signal handler on the same thread needs. */
#define SM_INLINE_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static inline __attribute__((always_inline)) void sm_inline_begin(uint32_t name)
{
	struct sm_inline_thread *here = sm_inline_here;
	unsigned char *end = SM_INLINE_LOAD(here->end);
	if (SM_INLINE_UNLIKELY(!end || name - 1 >= SM_INLINE_NAMES - 1 ||
			       SM_INLINE_LOAD(here->weights[name]))) {
		sm_inline_begin_slow(name);
		return;
	}
	SM_INLINE_STORE(here->end, NULL);
	SM_INLINE_ORDER();
	unsigned char *at = SM_INLINE_LOAD(here->cursor);
	uint64_t time = sm_inline_ticks() >> SM_INLINE_TICK_SHIFT;
	if (SM_INLINE_UNLIKELY(at >= end || (time - here->last) >> 20)) {
		SM_INLINE_ORDER();
		SM_INLINE_STORE(here->end, SM_INLINE_LOAD(here->limit));
		sm_inline_begin_slow(name);
		return;
	}
	uint64_t depth = here->depth;
	here->last = time;
	sm_inline_commit(at, (uint32_t)time << 12 | name << 2);
	SM_INLINE_PUBLISH(here->cursor, at + 4);
	here->begun[depth % SM_INLINE_DEPTH] = time << SM_INLINE_NAME_BITS | name;
	here->depth = depth + 1;
	SM_INLINE_ORDER();
	SM_INLINE_STORE(here->end, SM_INLINE_LOAD(here->limit));
}

static inline __attribute__((always_inline)) void sm_inline_end(void)
{
	struct sm_inline_thread *here = sm_inline_here;
	unsigned char *end = SM_INLINE_LOAD(here->end);
	if (SM_INLINE_UNLIKELY(!end)) {
		sm_inline_end_slow();
		return;
	}
	SM_INLINE_STORE(here->end, NULL);
	SM_INLINE_ORDER();
	unsigned char *at = SM_INLINE_LOAD(here->cursor);
	uint64_t depth = here->depth - 1;
	uint64_t time = sm_inline_ticks() >> SM_INLINE_TICK_SHIFT;
	if (SM_INLINE_UNLIKELY(
		    at >= end || (time - here->last) >> 20 ||
		    (time << SM_INLINE_NAME_BITS) - here->begun[depth % SM_INLINE_DEPTH] >=
			    here->long_span)) {
		SM_INLINE_ORDER();
		SM_INLINE_STORE(here->end, SM_INLINE_LOAD(here->limit));
		sm_inline_end_slow();
		return;
	}
	here->last = time;
	here->depth = depth;
	sm_inline_commit(at, (uint32_t)time << 12 | 2);
	SM_INLINE_PUBLISH(here->cursor, at + 4);
	SM_INLINE_ORDER();
	SM_INLINE_STORE(here->end, SM_INLINE_LOAD(here->limit));
}

#ifdef __cplusplus
}
#endif
#endif
