#include "study/checked.h"

#include <errno.h>
#include <math.h>

static int refuse(const char *name, size_t at, double value, const char *what, char *why)
{
	snprintf(why, SM_STUDY_WHY, "%s[%zu]: %g is no %s", name, at, value, what);
	return -EINVAL;
}

int sm_checked_finite(const char *name, const double *values, size_t count, char why[SM_STUDY_WHY])
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			return refuse(name, i, values[i], "finite number", why);
		}
	}
	return 0;
}

int sm_checked_positive(
	const char *name, const double *values, size_t count, char why[SM_STUDY_WHY])
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i]) || values[i] <= 0) {
			return refuse(name, i, values[i], "positive number", why);
		}
	}
	return 0;
}
