#include "detect/split.h"

static double least(double a, double b)
{
	return a < b ? a : b;
}

static double not_negative(double value)
{
	return value > 0 ? value : 0;
}

struct sm_split sm_split_of(const struct sm_cause_sum *sum)
{
	struct sm_split split = {
		.wall = not_negative((double)(sum->wall_ns - sum->without_cause_wall_ns) * 1e-9),
		.computing = (double)sum->cpu_ns * 1e-9,
		.run_delay = (double)sum->run_delay_ns * 1e-9,
		.unknown = (double)sum->without_cause_wall_ns * 1e-9,
	};
	double blocked = not_negative(split.wall - split.computing - split.run_delay);
	split.helpers = least(blocked, (double)sum->helper_cpu_ns * 1e-9);
	split.storage = least(blocked - split.helpers, (double)sum->blocked_input_ns * 1e-9);
	split.waiting = blocked - split.helpers - split.storage;
	return split;
}

double sm_split_need(const struct sm_split *split)
{
	return split->computing + split->helpers + split->storage + split->waiting;
}

double sm_split_work(const struct sm_split *split)
{
	return split->computing + split->helpers;
}
