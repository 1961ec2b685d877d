/* Numbers as planes: the lowest bytes of all of them, then the next, so that a compressor finds what they have alike. */
#ifndef SM_TRACE_TRACE_PLANES_H
#define SM_TRACE_TRACE_PLANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The `bytes` lowest bytes of each number. Returns what lies behind them. */
static inline unsigned char *sm_trace_planes_put(
	unsigned char *to, const uint64_t *numbers, size_t count, int bytes)
{
	for (int plane = 0; plane < bytes; plane++) {
		for (size_t i = 0; i < count; i++) {
			*to++ = (unsigned char)(numbers[i] >> (8 * plane));
		}
	}
	return to;
}

static inline const unsigned char *sm_trace_planes_get(
	const unsigned char *from, uint64_t *numbers, size_t count, int bytes)
{
	memset(numbers, 0, count * sizeof(*numbers));
	for (int plane = 0; plane < bytes; plane++) {
		for (size_t i = 0; i < count; i++) {
			numbers[i] |= (uint64_t)*from++ << (8 * plane);
		}
	}
	return from;
}

#endif
