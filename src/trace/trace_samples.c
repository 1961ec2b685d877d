/* Four columns, each cut into planes of bytes: all lowest bytes, then all second ones, and so on.
 *
 *     times      u64, the difference to the sample before; the first is the time itself
 *     instances  u64, the difference to the sample before
 *     values     u64, the bits of a double
 *     metrics    u16
 *
 * Counters are sampled in the same order again and again, so the high planes repeat and zstd finds that; left as
 * whole numbers it would not. */
#include "trace/trace_samples.h"

#include "trace/trace_planes.h"

#include "base/err.h"

#include <string.h>

static void differences(uint64_t *numbers, const int64_t *values, size_t count)
{
	uint64_t last = 0;
	for (size_t i = 0; i < count; i++) {
		numbers[i] = (uint64_t)values[i] - last;
		last = (uint64_t)values[i];
	}
}

static void sums(int64_t *values, const uint64_t *numbers, size_t count)
{
	uint64_t last = 0;
	for (size_t i = 0; i < count; i++) {
		last += numbers[i];
		values[i] = (int64_t)last;
	}
}

size_t sm_trace_samples_encode(const struct sm_trace_samples_columns *samples, unsigned char *to)
{
	uint64_t numbers[SM_TRACE_SAMPLES_MAX];
	size_t count = samples->count;
	unsigned char *at = to;
	differences(numbers, samples->time_ns, count);
	at = sm_trace_planes_put(at, numbers, count, 8);
	differences(numbers, samples->instance, count);
	at = sm_trace_planes_put(at, numbers, count, 8);
	memcpy(numbers, samples->value, count * sizeof(*numbers));
	at = sm_trace_planes_put(at, numbers, count, 8);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = samples->metric[i];
	}
	at = sm_trace_planes_put(at, numbers, count, 2);
	return (size_t)(at - to);
}

int sm_trace_samples_decode(struct sm_trace_samples_columns *samples, const unsigned char *body,
	size_t bytes, uint64_t count)
{
	uint64_t numbers[SM_TRACE_SAMPLES_MAX];
	if (count > SM_TRACE_SAMPLES_MAX || bytes != count * SM_TRACE_SAMPLE_BYTES) {
		return -SM_ERR_FORMAT;
	}
	samples->count = (size_t)count;
	body = sm_trace_planes_get(body, numbers, samples->count, 8);
	sums(samples->time_ns, numbers, samples->count);
	body = sm_trace_planes_get(body, numbers, samples->count, 8);
	sums(samples->instance, numbers, samples->count);
	body = sm_trace_planes_get(body, numbers, samples->count, 8);
	memcpy(samples->value, numbers, samples->count * sizeof(*numbers));
	sm_trace_planes_get(body, numbers, samples->count, 2);
	for (size_t i = 0; i < samples->count; i++) {
		samples->metric[i] = (uint16_t)numbers[i];
	}
	return 0;
}
