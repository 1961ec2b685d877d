#include "detect/cpu_taken.h"

#include "base/metric.h"

#include <math.h>

/* Growth of a cumulative counter while the loops ran: importing libraries before is nobody's bottleneck, and on a
 * machine with other work the two times may look quite different. A point stands for the time since the one before. */
static double grown_while(const struct sm_series *series, double begin_s, double end_s)
{
	double sum = 0, step = series->count > 1 ? series->time_s[1] - series->time_s[0] : 0;
	for (size_t i = 0; i < series->count; i++) {
		step = i ? series->time_s[i] - series->time_s[i - 1] : step;
		if (series->time_s[i] >= begin_s && series->time_s[i] <= end_s) {
			sum += series->value[i] * step;
		}
	}
	return sum;
}

/* Over all instances; NaN when there is none. */
static double grown(const struct sm_analysis *analysis, enum sm_metric metric)
{
	const struct sm_model *model = analysis->model;
	double begin_s = (double)(analysis->begin_ns - model->begin_ns) * 1e-9;
	double end_s = (double)(analysis->end_ns - model->begin_ns) * 1e-9, sum = NAN;
	for (size_t i = 0; i < model->series_count; i++) {
		if (model->series[i].metric == metric) {
			sum = (isnan(sum) ? 0 : sum) +
			      grown_while(&model->series[i], begin_s, end_s);
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

static void add_machine(struct sm_cpu_taken *taken, const struct sm_analysis *analysis)
{
	double idle = grown(analysis, SM_METRIC_CPU_IDLE);
	double busy = grown(analysis, SM_METRIC_CPU_USER) + grown(analysis, SM_METRIC_CPU_SYSTEM) +
		      or_zero(grown(analysis, SM_METRIC_CPU_STEAL));
	taken->idle_share = idle / (idle + busy);
	taken->own_share = fmin(1, grown(analysis, SM_METRIC_PROC_CPU) / busy);
}

static void add_quota(struct sm_cpu_taken *taken, const struct sm_analysis *analysis)
{
	double periods = grown(analysis, SM_METRIC_GROUP_PERIODS);
	taken->throttled_s = grown(analysis, SM_METRIC_GROUP_THROTTLED_TIME);
	taken->throttled_share =
		periods > 0 ? grown(analysis, SM_METRIC_GROUP_THROTTLED) / periods : periods;
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
	add_machine(&taken, analysis);
	add_quota(&taken, analysis);
	return taken;
}

/* In shares of the machine's time: what the job would have more of, what was idle, what others had. */
double sm_cpu_taken_contested_share(const struct sm_cpu_taken *taken, double speedup)
{
	double busy = 1 - taken->idle_share, own = taken->own_share * busy;
	double more = own * (speedup - 1);
	double lacking = fmin(more - taken->idle_share, busy - own);
	return more > 0 && lacking > 0 ? lacking / more : 0;
}
