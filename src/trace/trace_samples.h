/* Counter values as the body of a SAMPLES block. */
#ifndef SM_TRACE_TRACE_SAMPLES_H
#define SM_TRACE_TRACE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

enum { SM_TRACE_SAMPLES_MAX = 4096 }; /* in one block */

struct sm_trace_samples_columns {
	size_t count;
	int64_t time_ns[SM_TRACE_SAMPLES_MAX];
	int64_t instance[SM_TRACE_SAMPLES_MAX];
	double value[SM_TRACE_SAMPLES_MAX];
	uint16_t metric[SM_TRACE_SAMPLES_MAX];
};

enum { SM_TRACE_SAMPLE_BYTES = 26 }; /* of one sample in a body before it is compressed */

/* Into `to`, which has room for count * SM_TRACE_SAMPLE_BYTES; returns the bytes. */
size_t sm_trace_samples_encode(const struct sm_trace_samples_columns *samples, unsigned char *to);
/* 0 or -SM_ERR_FORMAT. */
int sm_trace_samples_decode(struct sm_trace_samples_columns *samples, const unsigned char *body,
	size_t bytes, uint64_t count);

#endif
