/* A log-linear histogram of positive numbers: fixed size, mergeable, relative error of a quantile at most 1.6 %.
 * Covers 1 ns to 10^6 s when fed with seconds; what lies outside falls into the end bins and keeps exact min and max. */
#ifndef SM_MODEL_SKETCH_H
#define SM_MODEL_SKETCH_H

#include <stdint.h>

enum { SM_SKETCH_SUB = 32, SM_SKETCH_OCTAVES = 50 };

struct sm_sketch {
	uint64_t count;
	double sum, minimum, maximum;
	uint32_t *
		bins; /* owned by the arena it was made in; SM_SKETCH_SUB * SM_SKETCH_OCTAVES, or NULL: nothing added yet */
};

struct sm_arena;
int sm_sketch_add(struct sm_sketch *sketch, struct sm_arena *arena,
	double value); /* 0 or -ENOMEM (value not added) */
int sm_sketch_merge(struct sm_sketch *into, struct sm_arena *arena, const struct sm_sketch *from);
double sm_sketch_quantile(
	const struct sm_sketch *sketch, double share); /* NaN when empty; exact at 0 and 1 */
double sm_sketch_mean(const struct sm_sketch *sketch); /* NaN when empty */

#endif
