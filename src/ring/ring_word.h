/* How words are stored. The first store that makes a word non-zero is its commit, so it comes last: behind the word's
 * own upper half, behind its payload, behind the zero that follows.
 *
 * On x86 stores become visible in the order of the program, and an 8-byte store is one instruction wherever it lies:
 * a killed program leaves all of it or nothing. Elsewhere the lower four bytes, aligned and released, are the commit. */
#ifndef SM_RING_RING_WORD_H
#define SM_RING_RING_WORD_H

#include "ring/ring_layout.h"

#include <stallmeter/inline.h>

#include <string.h>

enum {
	SM_RING_SHORT_TIME_BITS = 20,
	SM_RING_LONG_TIME_BITS = 40,
	SM_RING_SHORT_BYTES = 4,
	SM_RING_LONG_BYTES = 8,
};

static inline uint32_t sm_ring_word_short(uint64_t time, uint32_t name, enum sm_ring_word_kind kind)
{
	return (uint32_t)time << 12 | name << 2 | (uint32_t)kind << 1;
}

static inline uint64_t sm_ring_word_long(uint64_t time, uint32_t name, enum sm_ring_word_kind kind)
{
	return time << 24 | (uint64_t)name << 3 | (uint64_t)kind << 1 | 1;
}

/* Name field of a payload word. */
static inline uint32_t sm_ring_word_payload(uint32_t type, uint32_t word_count)
{
	return type | word_count << 8;
}

/* Stores that need no order among themselves. */
static inline void sm_ring_word_put(unsigned char *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Commits a long word; what lies behind it is in place. */
static inline void sm_ring_word_commit_long(unsigned char *at, uint64_t word)
{
#if defined(__x86_64__)
	typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned;
	SM_INLINE_ORDER();
	*(volatile unaligned *)at = word;
#else
	typedef uint32_t __attribute__((may_alias)) aliased;
	*(volatile aliased *)(at + 4) = (uint32_t)(word >> 32);
	__atomic_store_n((aliased *)at, (uint32_t)word, __ATOMIC_RELEASE);
#endif
}

#endif
