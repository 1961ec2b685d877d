/* Which of several settings to take: the cheapest that noise cannot tell from the best.
 *
 * A trial is significantly below the best when the 90 % interval of the difference of their means lies above 0, a one-sided
 * test at 5 %. The interval of a difference is made from the two intervals alone, without assuming that they are symmetric:
 * its lower end is d - sqrt((best - best.low)^2 + (trial.high - trial)^2) (Zou and Donner, Statistics in Medicine 27, 2008;
 * Newcombe 1998). Asking only whether the two intervals overlap would be a far laxer test (Schenker and Gentleman 2001), and
 * whether the trial's mean lies within the best's interval would forget the trial's own noise.
 *
 * The best of many owes part of its lead to luck, so a truly equal trial is sometimes passed over: the error is a setting
 * that costs more than it had to, never a slow one. A trial whose interval is not known has no noise to hide behind. */
#include <stallmeter/study.h>

#include <math.h>
#include <stdbool.h>

static double arm(double from, double to)
{
	return isnan(to - from) ? 0 : to - from;
}

static bool is_within_noise(
	const struct sm_study_interval *trial, const struct sm_study_interval *best)
{
	double noise = hypot(arm(best->low, best->middle), arm(trial->middle, trial->high));
	return best->middle - trial->middle <= noise;
}

static bool is_cheaper(const struct sm_study_trial *one, const struct sm_study_trial *other)
{
	return one->cost != other->cost ? one->cost < other->cost
					: one->rate.middle > other->rate.middle;
}

static ptrdiff_t find_best(const struct sm_study_trial *trials, size_t count)
{
	ptrdiff_t best = -1;
	for (size_t i = 0; i < count; i++) {
		if (!isnan(trials[i].rate.middle) &&
			(best < 0 || trials[i].rate.middle > trials[best].rate.middle)) {
			best = (ptrdiff_t)i;
		}
	}
	return best;
}

ptrdiff_t sm_study_choose(const struct sm_study_trial *trials, size_t count)
{
	ptrdiff_t best = find_best(trials, count), chosen = best;
	for (size_t i = 0; i < count; i++) {
		if (!isnan(trials[i].rate.middle) &&
			is_within_noise(&trials[i].rate, &trials[best].rate) &&
			is_cheaper(&trials[i], &trials[chosen])) {
			chosen = (ptrdiff_t)i;
		}
	}
	return chosen;
}
