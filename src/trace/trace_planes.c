#include "trace/trace_planes.h"

#include <string.h>

unsigned char *sm_trace_planes_put(
	unsigned char *to, const uint64_t *numbers, size_t count, int bytes)
{
	for (int plane = 0; plane < bytes; plane++) {
		for (size_t i = 0; i < count; i++) {
			*to++ = (unsigned char)(numbers[i] >> (8 * plane));
		}
	}
	return to;
}

const unsigned char *sm_trace_planes_get(
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
