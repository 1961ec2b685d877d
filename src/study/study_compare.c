/* Before and after: how much faster, and how sure.
 *
 * Both series are resampled in blocks of neighbours (analyze/bootstrap.h says why) and the ratio of their means taken each
 * time; the same seed every time, so the same values give the same interval. Plain percentiles of few values are too narrow:
 * the resampled spread lacks a factor sqrt(n / (n - 1)), and a t distribution has longer tails than a normal. So they are
 * taken further out, at Phi(-sqrt(n / (n - 1)) t) in place of 5 % (Hesterberg, "What Teachers Should Know About the
 * Bootstrap", The American Statistician 69, 2015, section 3.2), where n counts what is drawn independently: blocks. */
#include "study/checked.h"
#include "study/student.h"

#include "analyze/bootstrap.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>

enum { RESAMPLES = 2000 };

struct series {
	double *sums; /* owned: sm_bootstrap_sums */
	size_t count, block;
};

static int series_init(struct series *series, const double *values, size_t count)
{
	*series = (struct series){
		sm_bootstrap_sums(values, count), count, sm_bootstrap_block(count, 1)};
	return series->sums ? 0 : -ENOMEM;
}

static double mean_of(const struct series *series)
{
	return series->sums[series->count] / (double)series->count;
}

static double resampled_mean(struct sm_bootstrap *bootstrap, const struct series *series)
{
	return sm_bootstrap_resample(bootstrap, series->sums, series->count, series->block) /
	       (double)series->count;
}

static double outer_share(const struct series *series)
{
	size_t blocks = series->count / series->block;
	double n = (double)blocks;
	return erfc(sqrt(n / (n - 1)) * sm_student_95(blocks - 1) / sqrt(2)) / 2;
}

static int resample(
	const struct series *before, const struct series *after, struct sm_study_interval *interval)
{
	struct sm_bootstrap bootstrap = {SM_BOOTSTRAP_SEED};
	double *ratios = sm_mem_alloc(RESAMPLES * sizeof(*ratios));
	if (!ratios) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < RESAMPLES; i++) {
		double top = resampled_mean(&bootstrap, before);
		ratios[i] = top / resampled_mean(&bootstrap, after);
	}
	double outer = fmin(outer_share(before), outer_share(after));
	interval->low = sm_bootstrap_percentile(ratios, RESAMPLES, outer);
	interval->high = sm_bootstrap_percentile(ratios, RESAMPLES, 1 - outer);
	sm_mem_free(ratios);
	return 0;
}

int sm_study_compare(const double *before, size_t before_count, const double *after,
	size_t after_count, struct sm_study_interval *ret_speedup, char why[SM_STUDY_WHY])
{
	struct sm_study_interval speedup = {NAN, NAN, NAN};
	struct series one = {0}, other = {0};
	int rc = sm_checked_positive("before", before, before_count, why);
	rc = rc ? rc : sm_checked_positive("after", after, after_count, why);
	if (rc || !before_count || !after_count) {
		goto out;
	}
	rc = series_init(&one, before, before_count);
	rc = rc ? rc : series_init(&other, after, after_count);
	if (rc) {
		goto out;
	}
	speedup.middle = mean_of(&one) / mean_of(&other);
	if (before_count >= SM_STUDY_VALUES_MIN && after_count >= SM_STUDY_VALUES_MIN) {
		rc = resample(&one, &other, &speedup);
	}
out:
	sm_mem_free(one.sums);
	sm_mem_free(other.sums);
	if (!rc) {
		*ret_speedup = speedup;
	}
	return rc;
}
