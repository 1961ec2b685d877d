#include "live/machine.h"

#include "base/metric.h"

#include <math.h>
#include <stdlib.h>

static double number_fact(const struct sm_model_growing *growing, const char *key)
{
	const char *text = sm_model_growing_fact(growing, key);
	char *end;
	double value = text ? strtod(text, &end) : NAN;
	return text && end != text ? value : NAN;
}

/* Of the control group where it has a limit, since that is what kills a job; else of the machine. */
static void add_memory(struct sm_view *view, const struct sm_gauges *gauges)
{
	double limit = sm_gauges_value(gauges, SM_METRIC_GROUP_MEM_LIMIT, 0);
	double total = sm_gauges_value(gauges, SM_METRIC_MEM_TOTAL, 0);
	double used = total - sm_gauges_value(gauges, SM_METRIC_MEM_AVAILABLE, 0);
	if (limit > 0) {
		used = sm_gauges_value(gauges, SM_METRIC_GROUP_MEM, 0);
		total = limit;
	}
	sm_view_counter_add(
		view, (struct sm_view_counter){"memory", "memory", -1, SM_VIEW_BYTES, used, total});
}

static void add_gpus(struct sm_view *view, const struct sm_gauges *gauges)
{
	enum { GPUS_SHOWN = 8 };
	for (int i = 0; i < GPUS_SHOWN; i++) {
		sm_view_counter_add(
			view, (struct sm_view_counter){"gpu_busy", "GPU", i, SM_VIEW_SHARE,
				      sm_gauges_value(gauges, SM_METRIC_GPU_BUSY, i), NAN});
		sm_view_counter_add(
			view, (struct sm_view_counter){"gpu_memory", "GPU memory", i, SM_VIEW_BYTES,
				      sm_gauges_value(gauges, SM_METRIC_GPU_MEM, i),
				      sm_gauges_value(gauges, SM_METRIC_GPU_MEM_TOTAL, i)});
	}
}

void sm_machine_fill(struct sm_view *view, const struct sm_gauges *gauges,
	const struct sm_model_growing *growing)
{
	/* fmin passes NaN over */
	double cores =
		fmin(number_fact(growing, "host.cpus"), number_fact(growing, "host.cpus_usable"));
	double quota = sm_gauges_value(gauges, SM_METRIC_GROUP_CPU_LIMIT, 0);
	double shm_total = sm_gauges_value(gauges, SM_METRIC_SHM_TOTAL, 0);
	const struct sm_view_counter counters[] = {
		{"cpu", "job CPU", -1, SM_VIEW_CORES,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_PROC_CPU),
			quota > 0 ? fmin(cores, quota) : cores},
		{"machine_cpu", "machine CPU", -1, SM_VIEW_CORES,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_CPU_USER) +
				sm_gauges_sum_of_rates(gauges, SM_METRIC_CPU_SYSTEM),
			number_fact(growing, "host.cpus")},
		{"shm", "/dev/shm", -1, SM_VIEW_BYTES,
			shm_total - sm_gauges_value(gauges, SM_METRIC_SHM_FREE, 0), shm_total},
		{"read", "job reads", -1, SM_VIEW_BYTES_PER_S,
			sm_gauges_sum_of_rates(gauges, SM_METRIC_PROC_READ), NAN},
		{"disk_read", "busiest disk reads", -1, SM_VIEW_BYTES_PER_S,
			sm_gauges_largest_rate(gauges, SM_METRIC_DISK_READ), NAN},
	};
	sm_view_counter_add(view, counters[0]);
	sm_view_counter_add(view, counters[1]);
	add_memory(view, gauges);
	for (size_t i = 2; i < sizeof(counters) / sizeof(*counters); i++) {
		sm_view_counter_add(view, counters[i]);
	}
	add_gpus(view, gauges);
}
