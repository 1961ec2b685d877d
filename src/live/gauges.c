/* Of each counter a handful of samples, half a second apart at least, and the newest: enough for a rate over the window. */
#include "live/gauges.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>

enum {
	POINTS = 32,
	GAUGES_MAX = 1 << 16,
};
#define SECOND_NS INT64_C(1000000000)
#define APART_NS  (SECOND_NS / 2)

struct point {
	int64_t at_ns;
	double value;
};

struct sm_gauge {
	uint16_t metric;
	int64_t instance;
	struct point newest;
	struct point points[POINTS]; /* a ring */
	uint32_t seen;		     /* points */
	int64_t first_ns;
	uint64_t samples;
};

void sm_gauges_init(struct sm_gauges *gauges)
{
	*gauges = (struct sm_gauges){.first_ns = INT64_MAX, .newest_ns = INT64_MIN};
}

void sm_gauges_finish(struct sm_gauges *gauges)
{
	sm_mem_free(gauges->items);
	sm_map_finish(&gauges->by_id);
	*gauges = (struct sm_gauges){0};
}

static uint64_t id_of(int metric, int64_t instance)
{
	return (uint64_t)metric << 48 ^ (uint64_t)instance;
}

static bool is_fresh(const struct sm_gauges *gauges, const struct sm_gauge *gauge)
{
	return gauges->newest_ns - gauge->newest.at_ns <= SM_GAUGES_STALE_S * SECOND_NS;
}

/* A run of many short-lived processes would grow without end. */
static int drop_stale(struct sm_gauges *gauges)
{
	size_t kept = 0;
	int error = 0;
	sm_map_finish(&gauges->by_id);
	for (size_t i = 0; i < gauges->count && !error; i++) {
		if (is_fresh(gauges, &gauges->items[i])) {
			gauges->items[kept] = gauges->items[i];
			error = sm_map_set(&gauges->by_id,
				id_of(gauges->items[kept].metric, gauges->items[kept].instance),
				kept);
			kept++;
		}
	}
	gauges->count = kept;
	return error;
}

static int find_or_add(
	struct sm_gauges *gauges, uint16_t metric, int64_t instance, struct sm_gauge **ret_gauge)
{
	uint64_t at;
	int error = 0;
	*ret_gauge = NULL;
	if (sm_map_find(&gauges->by_id, id_of(metric, instance), &at)) {
		*ret_gauge = &gauges->items[at];
		return 0;
	}
	if (gauges->count && gauges->count % 4096 == 0) {
		error = drop_stale(gauges);
	}
	if (error || gauges->count >= GAUGES_MAX) {
		return error;
	}
	error = sm_mem_grow(
		&gauges->items, &gauges->capacity, gauges->count + 1, sizeof(*gauges->items));
	error = error ? error : sm_map_set(&gauges->by_id, id_of(metric, instance), gauges->count);
	if (!error) {
		*ret_gauge = &gauges->items[gauges->count++];
		**ret_gauge = (struct sm_gauge){.metric = metric, .instance = instance};
	}
	return error;
}

static void add_point(struct sm_gauge *gauge, struct point point)
{
	const struct point *last = &gauge->points[(gauge->seen + POINTS - 1) % POINTS];
	gauge->newest = point;
	gauge->first_ns = gauge->samples++ ? gauge->first_ns : point.at_ns;
	if (!gauge->seen || point.at_ns - last->at_ns >= APART_NS) {
		gauge->points[gauge->seen++ % POINTS] = point;
	}
}

int sm_gauges_add(struct sm_gauges *gauges, const struct sm_trace_samples *samples)
{
	int error = 0;
	for (size_t i = 0; i < samples->count && !error; i++) {
		struct sm_gauge *gauge;
		int64_t at_ns = samples->time_ns[i];
		gauges->first_ns = at_ns < gauges->first_ns ? at_ns : gauges->first_ns;
		gauges->newest_ns = at_ns > gauges->newest_ns ? at_ns : gauges->newest_ns;
		error = find_or_add(gauges, samples->metric[i], samples->instance[i], &gauge);
		if (gauge) {
			add_point(gauge, (struct point){at_ns, samples->value[i]});
		}
	}
	return error;
}

static double value_of(const struct sm_gauges *gauges, const struct sm_gauge *gauge)
{
	return is_fresh(gauges, gauge) ? gauge->newest.value : NAN;
}

/* From the oldest point inside the window; where none is older than the newest, from the last one before. */
static double rate_of(const struct sm_gauges *gauges, const struct sm_gauge *gauge)
{
	uint32_t room = gauge->seen < POINTS ? gauge->seen : POINTS;
	const struct point *from = NULL;
	for (uint32_t back = 1; back <= room; back++) {
		const struct point *point = &gauge->points[(gauge->seen - back) % POINTS];
		bool inside = point->at_ns >= gauges->newest_ns - SM_GAUGES_WINDOW_S * SECOND_NS;
		if (point->at_ns < gauge->newest.at_ns && (inside || !from)) {
			from = point;
		}
	}
	if (!from || !is_fresh(gauges, gauge)) {
		return NAN;
	}
	return (gauge->newest.value - from->value) /
	       ((double)(gauge->newest.at_ns - from->at_ns) * 1e-9);
}

double sm_gauges_value(const struct sm_gauges *gauges, int metric, int64_t instance)
{
	uint64_t at;
	return sm_map_find(&gauges->by_id, id_of(metric, instance), &at)
		       ? value_of(gauges, &gauges->items[at])
		       : NAN;
}

double sm_gauges_rate(const struct sm_gauges *gauges, int metric, int64_t instance)
{
	uint64_t at;
	return sm_map_find(&gauges->by_id, id_of(metric, instance), &at)
		       ? rate_of(gauges, &gauges->items[at])
		       : NAN;
}

/* Three of its own intervals without a sample, and half a second: nobody samples it any more. */
static bool is_gone(const struct sm_gauges *gauges, const struct sm_gauge *gauge)
{
	int64_t lived_ns = gauge->newest.at_ns - gauge->first_ns;
	int64_t interval_ns = gauge->samples > 1 ? lived_ns / (int64_t)(gauge->samples - 1) : 0;
	return gauges->newest_ns - gauge->newest.at_ns > 3 * interval_ns + SECOND_NS / 2;
}

/* The part of the window that it was there. */
static double presence_of(const struct sm_gauges *gauges, const struct sm_gauge *gauge)
{
	int64_t window_ns = gauges->newest_ns - gauges->first_ns;
	window_ns = window_ns < SM_GAUGES_WINDOW_S * SECOND_NS ? window_ns
							       : SM_GAUGES_WINDOW_S * SECOND_NS;
	int64_t begin_ns = gauges->newest_ns - window_ns;
	int64_t until_ns = is_gone(gauges, gauge) ? gauge->newest.at_ns : gauges->newest_ns;
	int64_t from_ns = gauge->first_ns > begin_ns ? gauge->first_ns : begin_ns;
	return until_ns > from_ns ? (double)(until_ns - from_ns) / (double)window_ns : 0;
}

/* Processes come and go: one that lived for a second of the window counts with a tenth of its rate. */
double sm_gauges_sum_of_rates(const struct sm_gauges *gauges, int metric)
{
	double sum = NAN;
	for (size_t i = 0; i < gauges->count; i++) {
		const struct sm_gauge *gauge = &gauges->items[i];
		double rate = gauge->metric == metric ? rate_of(gauges, gauge) : NAN;
		if (!isnan(rate)) {
			sum = (isnan(sum) ? 0 : sum) + rate * presence_of(gauges, gauge);
		}
	}
	return sum;
}

double sm_gauges_largest_rate(const struct sm_gauges *gauges, int metric)
{
	double largest = NAN;
	for (size_t i = 0; i < gauges->count; i++) {
		const struct sm_gauge *gauge = &gauges->items[i];
		largest = gauge->metric == metric ? fmax(largest, rate_of(gauges, gauge)) : largest;
	}
	return largest;
}
