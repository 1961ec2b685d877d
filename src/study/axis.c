#include "study/axis.h"

#include "study/cell.h"

#include <math.h>
#include <stdio.h>

/* The smallest of 1, 2, 5, 10, 20, ... that cuts `range` into `most` steps or fewer. */
static double round_step(double range, int most)
{
	double rough = range / most, power = pow(10, floor(log10(rough))), times = rough / power;
	const double slack = 1 + 1e-9; /* 0.2 / 0.1 is a little above 2 */
	return power * (times <= slack ? 1 : times <= 2 * slack ? 2 : times <= 5 * slack ? 5 : 10);
}

static void choose_unit(struct sm_axis *axis)
{
	double size = fmax(fabs(axis->low), fabs(axis->high));
	axis->unit = size >= 1e12 ? 1e12 : size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : 1;
	axis->suffix = size >= 1e12 ? " T" : size >= 1e9 ? " G" : size >= 1e6 ? " M" : "";
	double power = floor(log10(axis->step / axis->unit) + 1e-9);
	axis->decimals = power < 0 ? (int)-power : 0;
}

void sm_axis_round(struct sm_axis *axis, double low, double high, int most, bool is_whole)
{
	*axis = (struct sm_axis){0};
	if (!(high > low)) { /* one value: a step around it */
		double room = low == 0 ? 1 : fabs(low) / 2;
		low -= room;
		high += room;
	}
	axis->step = round_step(high - low, most);
	axis->step = is_whole && axis->step < 1 ? 1 : axis->step;
	axis->low = axis->first = floor(low / axis->step + 1e-9) * axis->step;
	axis->high = ceil(high / axis->step - 1e-9) * axis->step;
	choose_unit(axis);
}

void sm_axis_double(struct sm_axis *axis, double low, double high)
{
	*axis = (struct sm_axis){.low = low, .high = high, .first = low, .doubles = true};
	double steps = log2(high / low);
	axis->step = exp2(fmax(1, ceil(steps / 12))); /* as many labels as there is room for */
	axis->unit = 1;
	axis->suffix = "";
}

double sm_axis_place(const struct sm_axis *axis, double value)
{
	return axis->doubles ? log2(value / axis->low) / log2(axis->high / axis->low)
			     : (value - axis->low) / (axis->high - axis->low);
}

bool sm_axis_tick(const struct sm_axis *axis, int index, double *ret_value)
{
	double value = axis->doubles ? axis->first * pow(axis->step, index)
				     : axis->first + index * axis->step;
	bool is_zero = fabs(value) < axis->step * 1e-9; /* and not -1e-17 */
	*ret_value = is_zero && !axis->doubles ? 0 : value;
	return index < 100 && value <= axis->high + (axis->doubles ? 0 : axis->step * 1e-9);
}

void sm_axis_say(const struct sm_axis *axis, double value, char text[SM_AXIS_TICK])
{
	char number[SM_CELL_BYTES];
	if (axis->doubles) {
		if (value >= 1) {
			sm_cell_fixed(number, value, 0);
		} else {
			snprintf(number, sizeof(number), "1/%.0f", 1 / value);
		}
	} else if (axis->decimals > 4) {
		snprintf(number, sizeof(number), "%.3g", value);
	} else {
		sm_cell_fixed(number, value / axis->unit, axis->decimals);
	}
	snprintf(text, SM_AXIS_TICK, "%s%s", number, axis->suffix);
}
