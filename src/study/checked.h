/* Numbers from outside, looked at before they are believed. 0, or -EINVAL and one line that names the argument. */
#ifndef SM_STUDY_CHECKED_H
#define SM_STUDY_CHECKED_H

#include <stallmeter/study.h>

int sm_checked_finite(const char *name, const double *values, size_t count, char why[SM_STUDY_WHY]);
int sm_checked_positive(
	const char *name, const double *values, size_t count, char why[SM_STUDY_WHY]);

#endif
