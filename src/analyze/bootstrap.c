#include "analyze/bootstrap.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { RESAMPLES = 400 };

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct sm_bootstrap *bootstrap)
{
	uint64_t z = bootstrap->state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint64_t sm_bootstrap_below(struct sm_bootstrap *bootstrap, uint64_t limit)
{
	return draw(bootstrap) % limit; /* the limit is far below 2^64, so the bias is nothing */
}

size_t sm_bootstrap_block(size_t n, size_t window)
{
	size_t block = (size_t)ceil(cbrt((double)n));
	block = block < window ? window : block;
	return block > n / 4 ? (n >= 4 ? n / 4 : 1) : block;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

double sm_bootstrap_percentile(double *values, size_t n, double share)
{
	if (!n) {
		return NAN;
	}
	qsort(values, n, sizeof(*values), ascending);
	double rank = share * (double)(n - 1), whole = floor(rank);
	size_t at = (size_t)whole;
	return at + 1 < n ? values[at] + (rank - whole) * (values[at + 1] - values[at])
			  : values[n - 1];
}

/* Sums of the first i steps, so that a block's sum is one subtraction; blocks run on over the end to the beginning, so
 * every step is as likely as any other. */
double *sm_bootstrap_sums(const double *values, size_t n)
{
	double *sums = sm_mem_alloc((2 * n + 1) * sizeof(*sums));
	for (size_t i = 0; sums && i <= 2 * n; i++) {
		sums[i] = i ? sums[i - 1] + values[(i - 1) % n] : 0;
	}
	return sums;
}

double sm_bootstrap_resample(
	struct sm_bootstrap *bootstrap, const double *sums, size_t n, size_t block)
{
	double sum = 0;
	for (size_t taken = 0; taken < n; taken += block) {
		size_t at = sm_bootstrap_below(bootstrap, n),
		       length = n - taken < block ? n - taken : block;
		sum += sums[at + length] - sums[at];
	}
	return sum;
}

static double one_ratio(struct sm_bootstrap *bootstrap, const double *tops, const double *bottoms,
	size_t n, size_t block, double top, double bottom)
{
	for (size_t taken = 0; taken < n; taken += block) {
		size_t at = sm_bootstrap_below(bootstrap, n),
		       length = n - taken < block ? n - taken : block;
		top += tops[at + length] - tops[at];
		bottom += bottoms[at + length] - bottoms[at];
	}
	return bottom > 0 ? top / bottom : 0;
}

int sm_bootstrap_ratio(const double *top, const double *bottom, size_t n, size_t block,
	double fixed_top, double fixed_bottom, double *ret_low, double *ret_high)
{
	if (!n) {
		*ret_low = *ret_high = NAN;
		return 0;
	}
	struct sm_bootstrap bootstrap = {SM_BOOTSTRAP_SEED};
	double *tops = sm_bootstrap_sums(top, n), *bottoms = sm_bootstrap_sums(bottom, n),
	       ratios[RESAMPLES];
	int error = tops && bottoms ? 0 : -ENOMEM;
	for (size_t i = 0; i < RESAMPLES && !error; i++) {
		ratios[i] = one_ratio(&bootstrap, tops, bottoms, n, block, fixed_top, fixed_bottom);
	}
	if (!error) {
		*ret_low = sm_bootstrap_percentile(ratios, RESAMPLES, 0.025);
		*ret_high = sm_bootstrap_percentile(ratios, RESAMPLES, 0.975);
	}
	sm_mem_free(tops);
	sm_mem_free(bottoms);
	return error;
}
