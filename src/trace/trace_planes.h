/* Numbers as planes: the lowest bytes of all of them, then the next, so that a compressor finds what they have alike. */
#ifndef SM_TRACE_TRACE_PLANES_H
#define SM_TRACE_TRACE_PLANES_H

#include <stddef.h>
#include <stdint.h>

/* The `bytes` lowest bytes of each number. Returns what lies behind them. */
unsigned char *sm_trace_planes_put(
	unsigned char *to, const uint64_t *numbers, size_t count, int bytes);
const unsigned char *sm_trace_planes_get(
	const unsigned char *from, uint64_t *numbers, size_t count, int bytes);

#endif
