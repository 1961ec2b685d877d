/* How time grows with size: the exponent of a power law, by least squares on logarithms, with Student's interval of a slope.
 * Logarithms because a timing's error is about in proportion to it; and a power law because a fixed cost or a log factor
 * only bends it a little within the few doublings that a study covers. The exponent is that of the sizes measured, and no
 * promise beyond. */
#include "study/checked.h"
#include "study/student.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

struct line {
	double slope, error; /* its standard error; NaN where nothing is left to judge it by */
};

/* Up to three: more make no difference here. */
static int count_distinct(const double *sizes, size_t count)
{
	double seen[3];
	int distinct = 0;
	for (size_t i = 0; i < count && distinct < 3; i++) {
		bool is_new = true;
		for (int k = 0; k < distinct; k++) {
			is_new &= seen[k] != sizes[i];
		}
		if (is_new) {
			seen[distinct++] = sizes[i];
		}
	}
	return distinct;
}

static double mean_log(const double *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += log(values[i]);
	}
	return sum / (double)count;
}

static struct line fit(const double *sizes, const double *seconds, size_t count)
{
	double x_mean = mean_log(sizes, count), y_mean = mean_log(seconds, count), xx = 0, xy = 0,
	       rest = 0;
	for (size_t i = 0; i < count; i++) {
		double x = log(sizes[i]) - x_mean;
		xx += x * x;
		xy += x * (log(seconds[i]) - y_mean);
	}
	double slope = xy / xx;
	for (size_t i = 0; i < count; i++) {
		double miss = log(seconds[i]) - y_mean - slope * (log(sizes[i]) - x_mean);
		rest += miss * miss;
	}
	return (struct line){slope, count > 2 ? sqrt(rest / (double)(count - 2) / xx) : NAN};
}

int sm_study_growth(const double *sizes, const double *seconds, size_t count,
	struct sm_study_interval *ret_exponent, char why[SM_STUDY_WHY])
{
	if (sm_checked_positive("sizes", sizes, count, why) ||
		sm_checked_positive("seconds", seconds, count, why)) {
		return -EINVAL;
	}
	int distinct = count_distinct(sizes, count);
	struct line line = distinct < 2 ? (struct line){NAN, NAN} : fit(sizes, seconds, count);
	double half = distinct < 3 ? NAN : line.error * sm_student_95(count - 2);
	*ret_exponent =
		(struct sm_study_interval){line.slope, line.slope - half, line.slope + half};
	return 0;
}
