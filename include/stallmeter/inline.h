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
 * written `last` is 0, so that a signal handler which records on the same thread sees that it came in between. It is the
 * one field that an event stores anew without having to know what was there: had a handler recorded between the load of
 * `last` and the store of 0, all it changed is read behind that store, and an older `last` only makes a word longer.
 *
 * A time stamp is a microprogram that runs beside nothing else: what an event costs beyond it is the number of
 * instructions around it, whichever they are. So the word's bits are also what is remembered of a begin, and the depth
 * is counted in memory.
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
	SM_INLINE_NAMES = 1024,	   /* ids below fit a short word */
	SM_INLINE_DEPTH = 256,	   /* open spans whose begin is remembered: one byte of the depth */
	SM_INLINE_TIME_SHIFT = 12, /* of the time in a word, above the name */
	SM_INLINE_TIME_BITS = 20,  /* that a word keeps of it */
};

/* What a thread needs for an event, in one cache line; then the begins of its open spans. Other threads touch it only to stop it. */
struct sm_inline_thread {
	unsigned char *cursor; /* where the next word goes */
	unsigned char *end;    /* words begin below; NULL where this path is closed */
	uint64_t last;	       /* time of the last word; 0 before the first and within one */
	uint64_t long_span;    /* a time from which a span counts as long, shifted as in `begun` */
	const unsigned char *weights; /* per name: not 0, this path is not for it now */
	uint64_t depth;		      /* open spans; wraps */
	uint64_t reserved[2];
	uint64_t begun[SM_INLINE_DEPTH]; /* of the span at this depth: time << 12 | name << 2 */
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

/* Whether no word may begin at `at`. On x86 one instruction, which compilers do not make of a load that others may change. */
static inline __attribute__((always_inline)) int sm_inline_is_full(
	const struct sm_inline_thread *here, const unsigned char *at)
{
#if defined(__x86_64__)
	int full;
	__asm__("{cmp %2, %1|cmp %1, %2}" : "=@ccae"(full) : "r"(at), "m"(here->end));
	return full;
#else
	return at >= SM_INLINE_LOAD(here->end);
#endif
}

/* Where the begin of the innermost span is remembered. Only a byte of `depth` is read, and that the first: where there is
 * a time stamp for this path, the lowest byte lies first. */
static inline __attribute__((always_inline)) uint64_t *sm_inline_begun(
	struct sm_inline_thread *here)
{
	return &here->begun[*(const volatile unsigned char *)&here->depth];
}

static inline __attribute__((always_inline)) void sm_inline_begin(uint32_t name)
{
	struct sm_inline_thread *here = sm_inline_here;
	uint64_t last = SM_INLINE_LOAD(here->last);
	if (SM_INLINE_UNLIKELY(
		    !last || name >= SM_INLINE_NAMES || SM_INLINE_LOAD(here->weights[name]))) {
		sm_inline_begin_slow(name);
		return;
	}
	SM_INLINE_STORE(here->last, 0);
	SM_INLINE_ORDER();
	unsigned char *at = SM_INLINE_LOAD(here->cursor);
	uint64_t time = sm_inline_ticks() >> SM_INLINE_TICK_SHIFT;
	if (SM_INLINE_UNLIKELY(
		    sm_inline_is_full(here, at) || time - last >= 1 << SM_INLINE_TIME_BITS)) {
		SM_INLINE_ORDER();
		SM_INLINE_STORE(here->last, last);
		sm_inline_begin_slow(name);
		return;
	}
	uint64_t word = (time << SM_INLINE_TIME_SHIFT) + (uint64_t)name * 4;
	sm_inline_commit(at, (uint32_t)word);
	SM_INLINE_PUBLISH(here->cursor, at + 4);
	here->depth++;
	*sm_inline_begun(here) = word;
	SM_INLINE_ORDER();
	SM_INLINE_STORE(here->last, time);
}

static inline __attribute__((always_inline)) void sm_inline_end(void)
{
	struct sm_inline_thread *here = sm_inline_here;
	uint64_t last = SM_INLINE_LOAD(here->last);
	if (SM_INLINE_UNLIKELY(!last)) {
		sm_inline_end_slow();
		return;
	}
	SM_INLINE_STORE(here->last, 0);
	SM_INLINE_ORDER();
	unsigned char *at = SM_INLINE_LOAD(here->cursor);
	uint64_t time = sm_inline_ticks() >> SM_INLINE_TICK_SHIFT;
	uint64_t word = time << SM_INLINE_TIME_SHIFT;
	if (SM_INLINE_UNLIKELY(sm_inline_is_full(here, at) ||
			       time - last >= 1 << SM_INLINE_TIME_BITS ||
			       word - *sm_inline_begun(here) >= here->long_span)) {
		SM_INLINE_ORDER();
		SM_INLINE_STORE(here->last, last);
		sm_inline_end_slow();
		return;
	}
	sm_inline_commit(at, (uint32_t)word | 2);
	SM_INLINE_PUBLISH(here->cursor, at + 4);
	here->depth--;
	SM_INLINE_ORDER();
	SM_INLINE_STORE(here->last, time);
}

#ifdef __cplusplus
}
#endif
#endif
