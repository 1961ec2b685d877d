/* Counters over the run, at most SM_MODEL_SERIES_POINTS points each, however long it gets.
 *
 * All series share one width of a point, a power of two times the first; when the run outgrows the number of points,
 * the width doubles and neighbours are joined. A worker that lived for a second in a run of an hour so costs one point,
 * and ten thousand of them cost ten thousand. Cumulative counters become rates between neighbouring samples. */
#include "base/mem.h"
#include "base/metric.h"
#include "model/build.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
	FIRST_WIDTH_NS = 1 << 23, /* 8.4 ms: 600 points are 5 s */
	SERIES_MAX = 1 << 16,
};

struct point {
	uint32_t at; /* in widths since the first sample of all */
	float weight;
	double value, time_ns; /* weighted sums; time since the first sample of all */
};

struct sm_build_series {
	uint16_t metric;
	bool cumulative;
	int64_t instance;
	int64_t last_ns;
	double first, last, minimum, maximum, weighted, weight;
	uint64_t seen;
	struct point *points; /* owned */
	size_t count, capacity;
};

static void join_neighbours(struct sm_build_series *series)
{
	size_t kept = 0;
	for (size_t i = 0; i < series->count; i++) {
		struct point point = series->points[i];
		point.at /= 2;
		if (kept && series->points[kept - 1].at == point.at) {
			series->points[kept - 1].weight += point.weight;
			series->points[kept - 1].value += point.value;
			series->points[kept - 1].time_ns += point.time_ns;
		} else {
			series->points[kept++] = point;
		}
	}
	series->count = kept;
}

static void widen(struct sm_build *build, int64_t since_ns)
{
	while (since_ns / build->series_width_ns >= SM_MODEL_SERIES_POINTS) {
		build->series_width_ns *= 2;
		for (size_t i = 0; i < build->series_count; i++) {
			join_neighbours(&build->series[i]);
		}
	}
}

static int new_series(struct sm_build *build, uint64_t id, uint16_t metric, int64_t instance)
{
	const struct sm_metric_info *info = sm_metric_find(metric);
	int error = sm_mem_grow(&build->series, &build->series_capacity, build->series_count + 1,
		sizeof(*build->series));
	error = error ? error : sm_map_set(&build->series_by_id, id, build->series_count);
	if (!error) {
		build->series[build->series_count++] = (struct sm_build_series){.metric = metric,
			.instance = instance,
			.cumulative = info && info->kind == SM_CUMULATIVE,
			.minimum = INFINITY,
			.maximum = -INFINITY};
	}
	return error;
}

static int find_series(struct sm_build *build, uint16_t metric, int64_t instance,
	struct sm_build_series **ret_series)
{
	uint64_t id = (uint64_t)metric << 48 ^ (uint64_t)instance, at;
	*ret_series = NULL;
	if (!sm_map_find(&build->series_by_id, id, &at)) {
		if (build->series_count >= SERIES_MAX) {
			return 0;
		}
		at = build->series_count;
		int error = new_series(build, id, metric, instance);
		if (error) {
			return error;
		}
	}
	*ret_series = &build->series[at];
	return 0;
}

static int add_point(struct sm_build *build, struct sm_build_series *series, int64_t since_ns,
	double value, double weight)
{
	uint32_t at = (uint32_t)(since_ns / build->series_width_ns);
	struct point *last = series->count ? &series->points[series->count - 1] : NULL;
	if (!last || last->at < at) {
		int error = sm_mem_grow(
			&series->points, &series->capacity, series->count + 1, sizeof(*last));
		if (error) {
			return error;
		}
		last = &series->points[series->count++];
		*last = (struct point){.at = at};
	}
	last->weight += (float)weight;
	last->value += value * weight;
	last->time_ns += (double)since_ns * weight;
	series->weighted += value * weight;
	series->weight += weight;
	series->minimum = fmin(series->minimum, value);
	series->maximum = fmax(series->maximum, value);
	return 0;
}

/* A cumulative counter gives a rate from its second sample on, weighted by the time it stands for; one that runs
 * backwards (its source began anew) starts over. */
static int add_sample(
	struct sm_build *build, struct sm_build_series *series, int64_t time_ns, double value)
{
	int64_t since_ns = time_ns > build->series_first_ns ? time_ns - build->series_first_ns : 0;
	double seconds = (double)(time_ns - series->last_ns) * 1e-9, before = series->last;
	bool first = !series->seen++;
	widen(build, since_ns);
	if (!series->cumulative) {
		series->first = first ? value : series->first;
		series->last = value;
		return add_point(build, series, since_ns, value, 1);
	}
	if (!first && seconds <= 0) {
		return 0;
	}
	if (first || value < before) {
		series->first = first ? value : series->first - before + value;
	}
	series->last = value;
	series->last_ns = time_ns;
	return first || value < before
		       ? 0
		       : add_point(build, series, since_ns, (value - before) / seconds, seconds);
}

/* What processes count themselves may be read before what was sampled sooner, so all is since the run began. */
int sm_build_series_one(
	struct sm_build *build, int64_t time_ns, uint16_t metric, int64_t instance, double value)
{
	struct sm_build_series *series;
	if (!build->series_width_ns) {
		bool told = build->started_ns > 0 && build->started_ns < time_ns;
		build->series_width_ns = FIRST_WIDTH_NS;
		build->series_first_ns = told ? build->started_ns : time_ns;
	}
	int error = find_series(build, metric, instance, &series);
	return error || !series || !isfinite(value) ? error
						    : add_sample(build, series, time_ns, value);
}

int sm_build_series_add(struct sm_build *build, const struct sm_trace_samples *samples)
{
	int error = 0;
	for (size_t i = 0; i < samples->count && !error; i++) {
		error = sm_build_series_one(build, samples->time_ns[i], samples->metric[i],
			samples->instance[i], samples->value[i]);
	}
	return error;
}

static int copy_series(
	struct sm_build *build, const struct sm_build_series *from, struct sm_series *into)
{
	struct sm_arena *arena = &build->model->arena;
	double begin_ns = (double)(build->series_first_ns - build->model->begin_ns);
	*into = (struct sm_series){.metric = from->metric,
		.instance = from->instance,
		.count = from->count,
		.time_s = sm_arena_alloc(arena, (from->count + 1) * sizeof(double)),
		.value = sm_arena_alloc(arena, (from->count + 1) * sizeof(double)),
		.first = from->first,
		.last = from->last,
		.minimum = NAN,
		.maximum = NAN,
		.mean = NAN};
	if (!into->time_s || !into->value) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < from->count; i++) {
		into->time_s[i] =
			(from->points[i].time_ns / from->points[i].weight + begin_ns) * 1e-9;
		into->value[i] = from->points[i].value / from->points[i].weight;
	}
	if (from->weight > 0) {
		into->minimum = from->minimum;
		into->maximum = from->maximum;
		into->mean = from->weighted / from->weight;
	}
	return 0;
}

int sm_build_series_complete(struct sm_build *build)
{
	struct sm_model *model = build->model;
	model->series =
		sm_arena_alloc(&model->arena, (build->series_count + 1) * sizeof(*model->series));
	int error = model->series ? 0 : -ENOMEM;
	for (size_t i = 0; i < build->series_count && !error; i++) {
		error = copy_series(build, &build->series[i], &model->series[model->series_count]);
		model->series_count += !error;
	}
	return error;
}

void sm_build_series_finish(struct sm_build *build)
{
	for (size_t i = 0; i < build->series_count; i++) {
		sm_mem_free(build->series[i].points);
	}
	sm_mem_free(build->series);
}
