#include "detect/cpu_taken.h"

#include "base/metric.h"

#include <math.h>

/* Growth of a cumulative counter, over all its instances; NaN when there is none. */
static double grown(const struct sm_model *model, enum sm_metric metric)
{
	double sum = NAN;
	for (size_t i = 0; i < model->series_count; i++) {
		const struct sm_series *series = &model->series[i];
		if (series->metric == metric) {
			sum = (isnan(sum) ? 0 : sum) + series->last - series->first;
		}
	}
	return sum;
}

static double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static const enum sm_stage worker_stages[] = {SM_STAGE_FETCH, SM_STAGE_TRANSFORM, SM_STAGE_COLLATE};

static void add_delay(struct sm_cpu_taken *taken, const struct sm_loader *loader)
{
	double wall = 0, delay = 0;
	for (size_t i = 0; i < sizeof(worker_stages) / sizeof(worker_stages[0]); i++) {
		const struct sm_cause_sum *sum = &loader->stage[worker_stages[i]];
		wall += (double)(sum->wall_ns - sum->without_cause_wall_ns) * 1e-9;
		delay += (double)sum->run_delay_ns * 1e-9;
	}
	taken->delay_s = delay;
	taken->delay_share = wall > 0 ? delay / wall : 0;
}

static void add_machine(struct sm_cpu_taken *taken, const struct sm_model *model)
{
	double idle = grown(model, SM_METRIC_CPU_IDLE);
	double busy = grown(model, SM_METRIC_CPU_USER) + grown(model, SM_METRIC_CPU_SYSTEM) +
		      or_zero(grown(model, SM_METRIC_CPU_STEAL));
	taken->idle_share = idle / (idle + busy);
	taken->own_share = fmin(1, grown(model, SM_METRIC_PROC_CPU) / busy);
}

static void add_quota(struct sm_cpu_taken *taken, const struct sm_model *model)
{
	double periods = grown(model, SM_METRIC_GROUP_PERIODS);
	taken->throttled_s = grown(model, SM_METRIC_GROUP_THROTTLED_TIME);
	taken->throttled_share =
		periods > 0 ? grown(model, SM_METRIC_GROUP_THROTTLED) / periods : periods;
	taken->quota_share =
		taken->delay_s > 0 ? fmin(1, or_zero(taken->throttled_s) / taken->delay_s) : 0;
	/* Throttled time counts a stopped CPU once, however many threads wait on it. Where threads waited while a good part
	 * of the machine was idle, nobody else can have taken their time. */
	if (taken->quota_share > 0 && taken->idle_share * 100 >= SM_CPU_TAKEN_IDLE_PERCENT) {
		taken->quota_share = 1;
	}
}

struct sm_cpu_taken sm_cpu_taken_of(
	const struct sm_analysis *analysis, const struct sm_loader *loader)
{
	struct sm_cpu_taken taken = {0};
	add_delay(&taken, loader);
	add_machine(&taken, analysis->model);
	add_quota(&taken, analysis->model);
	return taken;
}
