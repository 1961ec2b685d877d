#include "model/sketch.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The bin of a number is read off its IEEE bits: the exponent names the octave, the first five bits of the mantissa
 * the sub-bin. No logarithm, no branch in the middle; adding costs about two nanoseconds. */
enum {
	SUB_BITS = 5,
	EXPONENT_FIRST = 1023 - 30, /* 2^-30 s is just below 1 ns */
	BIN_COUNT = SM_SKETCH_SUB * SM_SKETCH_OCTAVES,
};
_Static_assert(SM_SKETCH_SUB == 1 << SUB_BITS, "a sub-bin is a prefix of the mantissa");

static size_t bin_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	int64_t bin = (int64_t)(bits >> (52 - SUB_BITS)) - ((int64_t)EXPONENT_FIRST << SUB_BITS);
	return bin < 0 ? 0 : bin >= BIN_COUNT ? BIN_COUNT - 1 : (size_t)bin;
}

static double middle_of(size_t bin)
{
	double octave = ldexp(1.0, (int)(bin >> SUB_BITS) - 30);
	return octave * (1.0 + ((double)(bin & (SM_SKETCH_SUB - 1)) + 0.5) / SM_SKETCH_SUB);
}

static int ensure_bins(struct sm_sketch *sketch, struct sm_arena *arena)
{
	if (!sketch->bins) {
		sketch->bins = sm_arena_alloc(arena, BIN_COUNT * sizeof(*sketch->bins));
		sketch->minimum = INFINITY;
		sketch->maximum = -INFINITY;
	}
	return sketch->bins ? 0 : -ENOMEM;
}

static void count_up(uint32_t *bin, uint32_t by)
{
	*bin = by > UINT32_MAX - *bin ? UINT32_MAX : *bin + by;
}

int sm_sketch_add(struct sm_sketch *sketch, struct sm_arena *arena, double value)
{
	if (!sketch->bins && ensure_bins(sketch, arena)) {
		return -ENOMEM;
	}
	value = value > 0 ? value : 0; /* also a NaN */
	count_up(&sketch->bins[bin_of(value)], 1);
	sketch->count++;
	sketch->sum += value;
	sketch->minimum = value < sketch->minimum ? value : sketch->minimum;
	sketch->maximum = value > sketch->maximum ? value : sketch->maximum;
	return 0;
}

int sm_sketch_merge(struct sm_sketch *into, struct sm_arena *arena, const struct sm_sketch *from)
{
	if (!from->count) {
		return 0;
	}
	if (ensure_bins(into, arena)) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < BIN_COUNT; i++) {
		count_up(&into->bins[i], from->bins[i]);
	}
	into->count += from->count;
	into->sum += from->sum;
	into->minimum = fmin(into->minimum, from->minimum);
	into->maximum = fmax(into->maximum, from->maximum);
	return 0;
}

/* The middle of the bin of the number at that place in order, from 0. */
static double number_at(const struct sm_sketch *sketch, double place)
{
	double below = 0;
	for (size_t i = 0; i < BIN_COUNT; i++) {
		below += sketch->bins[i];
		if (below > place) {
			return fmin(fmax(middle_of(i), sketch->minimum), sketch->maximum);
		}
	}
	return sketch->maximum;
}

/* Between two places as sm_bootstrap_percentile() has it: of few numbers, the 99th percentile is near the largest. */
double sm_sketch_quantile(const struct sm_sketch *sketch, double share)
{
	if (!sketch->count) {
		return NAN;
	}
	if (share <= 0) {
		return sketch->minimum;
	}
	if (share >= 1) {
		return sketch->maximum;
	}
	double place = share * (double)(sketch->count - 1), whole = floor(place);
	double low = number_at(sketch, whole);
	return place > whole ? low + (place - whole) * (number_at(sketch, whole + 1) - low) : low;
}

double sm_sketch_mean(const struct sm_sketch *sketch)
{
	return sketch->count ? sketch->sum / (double)sketch->count : NAN;
}
