/* stallmeter, a study: trials of a setting or a function, what they prove, and a page that says it.
 *
 *     struct sm_study_interval mean;
 *     char why[SM_STUDY_WHY];
 *     if (!sm_study_mean(seconds, count, &mean, why)) ...
 *
 *     struct sm_page *page;
 *     if (!sm_page_create(&page, "train.py", "Data loading")) {
 *             sm_page_verdict(page, "8 WORKERS", "Twice as fast as now.", SM_PAGE_PLAIN);
 *             sm_page_write(page, SM_PAGE_HTML, stdout);
 *             sm_page_destroy(page);
 *     }
 *
 * It knows nothing of runs and files: numbers and words are handed in. What could not be measured is NaN. It is part of the
 * extension `_read`, not of the library that programs link to record. */
#ifndef STALLMETER_STUDY_H
#define STALLMETER_STUDY_H

#include <stallmeter/stallmeter.h>

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- what the numbers prove; each interval holds 90 % --- */

enum { SM_STUDY_WHY = 160, SM_STUDY_VALUES_MIN = 5 };

struct sm_study_interval {
	double middle, low, high; /* NaN where the numbers are too few to say */
};

/* Each returns 0, -ENOMEM, or -EINVAL for numbers that cannot be: then `why` names the argument, in one line for people. */

/* The mean of values in the order in which they were measured, which may depend on each other. The interval, by batch means,
 * needs SM_STUDY_VALUES_MIN values. */
SM_API int sm_study_mean(const double *values, size_t count, struct sm_study_interval *ret_mean,
	char why[SM_STUDY_WHY]);
/* The exponent of seconds = c * size^exponent. It needs two sizes that differ, its interval three. */
SM_API int sm_study_growth(const double *sizes, const double *seconds, size_t count,
	struct sm_study_interval *ret_exponent, char why[SM_STUDY_WHY]);
/* mean(before) / mean(after) of times, each in its order: above 1, after is faster. The interval needs SM_STUDY_VALUES_MIN
 * values of each. The same values give the same interval. */
SM_API int sm_study_compare(const double *before, size_t before_count, const double *after,
	size_t after_count, struct sm_study_interval *ret_speedup, char why[SM_STUDY_WHY]);

struct sm_study_trial {
	double cost; /* what a setting takes: workers, bytes */
	struct sm_study_interval
		rate; /* what it gives: the larger, the better; NaN: the trial failed */
};

/* Index of the cheapest trial that is not significantly below the best, -1 when no trial has a rate. */
SM_API ptrdiff_t sm_study_choose(const struct sm_study_trial *trials, size_t count);

#ifdef __cplusplus
}
#endif
#endif
