/* An axis with round ticks. */
#ifndef SM_STUDY_AXIS_H
#define SM_STUDY_AXIS_H

#include <stdbool.h>
#include <stddef.h>

struct sm_axis {
	double low, high; /* its ends, in values */
	double first,
		step; /* ticks: first, first + step, ...; of a doubling axis first, 2 first, ... */
	bool doubles; /* each doubling is as long as the next */
	int decimals; /* that its ticks need */
	double unit;  /* ticks are written in these, */
	const char *suffix; /* followed by this: 1e6 and " M" */
};

enum { SM_AXIS_TICK = 48 };

/* Covers low .. high with about `most` steps of 1, 2 or 5 times a power of ten; whole numbers where `is_whole`. */
void sm_axis_round(struct sm_axis *axis, double low, double high, int most, bool is_whole);
/* For low and high that are powers of two. */
void sm_axis_double(struct sm_axis *axis, double low, double high);
/* Where a value lies, 0 .. 1. */
double sm_axis_place(const struct sm_axis *axis, double value);
/* The value of the index-th tick; false behind the last. */
bool sm_axis_tick(const struct sm_axis *axis, int index, double *ret_value);
void sm_axis_say(const struct sm_axis *axis, double value, char text[SM_AXIS_TICK]);

#endif
