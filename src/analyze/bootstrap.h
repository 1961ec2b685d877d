/* Intervals by resampling blocks of consecutive steps, so that what neighbours have in common (a slow shard, an epoch's
 * start) stays in. Seeded with a constant: the same trace gives the same bytes. */
#ifndef SM_ANALYZE_BOOTSTRAP_H
#define SM_ANALYZE_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

struct sm_bootstrap {
	uint64_t state;
};

#define SM_BOOTSTRAP_SEED 0x5374616c6c6d6574ULL /* "Stallmet" */

uint64_t sm_bootstrap_below(
	struct sm_bootstrap *bootstrap, uint64_t limit); /* uniform in 0 .. limit - 1 */

/* Length of a block for n steps of a loader with `window` batches on their way: n^(1/3), the rate that is best for
 * a variance (Hall, Horowitz, Jing 1995), and no shorter than the window, within which one slow batch delays others;
 * but at least four blocks. */
size_t sm_bootstrap_block(size_t n, size_t window);

/* 95 % interval of (fixed_top + sum of top) / (fixed_bottom + sum of bottom) over n steps. 0 or -ENOMEM. */
int sm_bootstrap_ratio(const double *top, const double *bottom, size_t n, size_t block,
	double fixed_top, double fixed_bottom, double *ret_low, double *ret_high);

/* For other statistics: sums of the first 0 .. 2 n values, which go round once (owned, NULL without memory), and the sum of
 * n of them, drawn in blocks. */
double *sm_bootstrap_sums(const double *values, size_t n);
double sm_bootstrap_resample(
	struct sm_bootstrap *bootstrap, const double *sums, size_t n, size_t block);

double sm_bootstrap_percentile(double *values, size_t n, double share); /* sorts */

#endif
