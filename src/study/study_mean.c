/* A mean and how sure it is, of measurements that follow each other.
 *
 * Batches of one loader are not independent: a slow shard, a warm cache, a clock that rises make neighbours alike, and the
 * textbook's interval then is far too narrow. Batch means (Conway 1963; Law and Carson 1979): consecutive values are put
 * together until the means of the groups no longer show that they depend on each other, and Student's interval is that
 * of these means. They begin as at most 30 groups, since more would narrow the interval by little (Schmeiser 1982), and are
 * doubled in length while von Neumann's ratio still sees a dependence and at least 5 remain (LBATCH: Fishman and Yarberry,
 * INFORMS J. on Computing 9, 1997). */
#include "study/checked.h"
#include "study/student.h"

#include <math.h>
#include <stdbool.h>

enum { GROUPS_MAX = 30, GROUPS_MIN = SM_STUDY_VALUES_MIN };

static double mean_of(const double *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += values[i];
	}
	return count ? sum / (double)count : NAN;
}

static double squares_about(const double *values, size_t count, double centre)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += (values[i] - centre) * (values[i] - centre);
	}
	return sum;
}

/* Whole groups only: what does not fill one is left out at the beginning, where things still settle. */
static size_t group(const double *values, size_t count, size_t length, double means[GROUPS_MAX])
{
	size_t groups = count / length;
	values += count - groups * length;
	for (size_t i = 0; i < groups; i++) {
		means[i] = mean_of(values + i * length, length);
	}
	return groups;
}

/* How alike neighbours are: 1 less half of von Neumann's ratio, which is about their correlation. */
static double likeness(const double *means, size_t count)
{
	double steps = 0, squares = squares_about(means, count, mean_of(means, count));
	for (size_t i = 1; i < count; i++) {
		steps += (means[i] - means[i - 1]) * (means[i] - means[i - 1]);
	}
	return steps > 0 ? 1 - steps / (2 * squares) : 0; /* none: all are equal, but for rounding */
}

/* More than chance, one-sided at 10 %: of independent means the likeness is about normal, its variance (n - 2) / (n^2 - 1)
 * (Young 1941). */
static bool are_alike(const double *means, size_t count)
{
	const double normal_90 = 1.2816;
	double n = (double)count;
	return likeness(means, count) > normal_90 * sqrt((n - 2) / (n * n - 1));
}

/* Where there are too few values for longer groups, the mean is worth fewer of them: n (1 - r) / (1 + r), as of a series in
 * which each value takes over a share r of the one before (Bayley and Hammersley 1946). */
static double worth(const double *means, size_t count)
{
	double r = are_alike(means, count) ? likeness(means, count) : 0;
	return (double)count * (1 - r) / (1 + r);
}

static double half_width(const double *values, size_t count)
{
	double means[GROUPS_MAX];
	size_t length = (count + GROUPS_MAX - 1) / GROUPS_MAX,
	       groups = group(values, count, length, means);
	while (are_alike(means, groups) && count / (2 * length) >= GROUPS_MIN) {
		length *= 2;
		groups = group(values, count, length, means);
	}
	double squares = squares_about(means, groups, mean_of(means, groups));
	return sm_student_95(groups - 1) *
	       sqrt(squares / (double)(groups - 1) / worth(means, groups));
}

int sm_study_mean(const double *values, size_t count, struct sm_study_interval *ret_mean,
	char why[SM_STUDY_WHY])
{
	int rc = sm_checked_finite("values", values, count, why);
	if (rc) {
		return rc;
	}
	double middle = mean_of(values, count),
	       half = count < GROUPS_MIN ? NAN : half_width(values, count);
	*ret_mean = (struct sm_study_interval){middle, middle - half, middle + half};
	return 0;
}
