#include "report/metrics.h"

#include "base/metric.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum join {
	JOIN_SUM, /* over instances */
	JOIN_MEAN,
	JOIN_MAX,
};

struct recipe {
	const char *name, *group, *unit, *summary;
	enum join join;
	int metric[4]; /* enum sm_metric, added up; 0 ends */
	int over[4]; /* when given, the sum above is divided by metric + over: a share of busy and idle */
};

static const struct recipe recipes[] = {
	{"process_memory", "memory", "bytes",
		"resident memory of the job's processes, shared pages counted in each", JOIN_SUM,
		{SM_METRIC_PROC_RSS}, {0}},
	{"memory_available", "memory", "bytes", "memory that can be had without swapping", JOIN_SUM,
		{SM_METRIC_MEM_AVAILABLE}, {0}},
	{"memory_pressure", "memory", "share", "time in which some task waited for memory",
		JOIN_SUM, {SM_METRIC_PRESSURE_MEM_SOME}, {0}},
	{"memory_allocation", "memory", "count/s",
		"pages touched for the first time, all processes of the job", JOIN_SUM,
		{SM_METRIC_PROC_MINOR_FAULTS}, {0}},
	{"gpu_memory_used", "gpu", "bytes", "device memory in use", JOIN_SUM, {SM_METRIC_GPU_MEM},
		{0}},
	{"gpu_memory_total", "gpu", "bytes", "device memory", JOIN_SUM, {SM_METRIC_GPU_MEM_TOTAL},
		{0}},
	{"gpu_busy", "gpu", "share", "time with a kernel resident, mean of the devices", JOIN_MEAN,
		{SM_METRIC_GPU_BUSY}, {0}},
	{"gpu_transfer", "gpu", "bytes/s", "received over PCIe", JOIN_SUM, {SM_METRIC_GPU_PCIE_RX},
		{0}},
	{"cpu_usage", "cpu", "share", "busy time of the machine's CPUs", JOIN_MEAN,
		{SM_METRIC_CPU_USER, SM_METRIC_CPU_SYSTEM}, {SM_METRIC_CPU_IDLE}},
	{"cpu_frequency", "cpu", "Hz", "effective, from a timed multiply chain", JOIN_SUM,
		{SM_METRIC_CPU_FREQUENCY}, {0}},
	{"core_busiest", "cpu", "share", "busy time of the busiest CPU", JOIN_MAX,
		{SM_METRIC_CPU_USER, SM_METRIC_CPU_SYSTEM}, {SM_METRIC_CPU_IDLE}},
	{"process_cpu", "cpu", "cores", "CPU of the job's processes", JOIN_SUM,
		{SM_METRIC_PROC_CPU}, {0}},
	{"storage_read", "io", "bytes/s", "read from storage by the job's processes", JOIN_SUM,
		{SM_METRIC_PROC_READ}, {0}},
	{"io_wait", "io", "share", "time in which some task waited for a disk", JOIN_SUM,
		{SM_METRIC_PRESSURE_IO_SOME}, {0}},
	{"disk_busy", "io", "share", "time with a request in flight, busiest disk", JOIN_MAX,
		{SM_METRIC_DISK_BUSY}, {0}},
	{"network", "io", "bytes/s", "received and sent", JOIN_SUM,
		{SM_METRIC_NET_RECEIVE, SM_METRIC_NET_SEND}, {0}},
};
enum { RECIPE_COUNT = sizeof(recipes) / sizeof(recipes[0]) };
_Static_assert(RECIPE_COUNT == 16, "the specification names sixteen");

/* The value of a series at a time: between two samples a straight line, outside its life nothing. */
static double value_at(const struct sm_series *series, double time_s)
{
	size_t low = 0, high = series->count;
	if (!series->count || time_s < series->time_s[0] ||
		time_s > series->time_s[series->count - 1]) {
		return NAN;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		*(series->time_s[middle] <= time_s ? &low : &high) = middle;
	}
	if (high >= series->count) {
		return series->value[low];
	}
	double span = series->time_s[high] - series->time_s[low];
	double part = span > 0 ? (time_s - series->time_s[low]) / span : 0;
	return series->value[low] + part * (series->value[high] - series->value[low]);
}

struct joined {
	double sum, most;
	size_t count;
};

/* One instance's series of a recipe. */
struct parts {
	const struct sm_series *metric[4], *over[4]; /* NULL: none */
};

static struct parts parts_of(
	const struct sm_model *model, const struct recipe *recipe, int64_t instance)
{
	struct parts parts = {0};
	for (int i = 0; i < 4; i++) {
		const int metric = recipe->metric[i], over = recipe->over[i];
		parts.metric[i] = metric ? sm_model_series(model, metric, instance) : NULL;
		parts.over[i] = over ? sm_model_series(model, over, instance) : NULL;
	}
	return parts;
}

static double sum_at(const struct sm_series *const series[4], double time_s)
{
	double sum = NAN;
	for (int i = 0; i < 4; i++) {
		double value = series[i] ? value_at(series[i], time_s) : NAN;
		sum = isnan(sum) ? value : isnan(value) ? sum : sum + value;
	}
	return sum;
}

static double part_at(const struct parts *parts, bool is_share, double time_s)
{
	double value = sum_at(parts->metric, time_s);
	double whole = is_share ? value + sum_at(parts->over, time_s) : 1;
	return whole > 0 ? value / whole : NAN;
}

static void add_instance(struct joined *joined, const struct sm_metrics *metrics,
	const struct parts *parts, bool is_share)
{
	for (size_t i = 0; i < metrics->count; i++) {
		double value = part_at(parts, is_share, metrics->time_s[i]);
		if (!isnan(value)) {
			joined[i].sum += value;
			joined[i].most = joined[i].count ? fmax(joined[i].most, value) : value;
			joined[i].count++;
		}
	}
}

static double result_of(const struct joined *joined, enum join join)
{
	if (!joined->count) {
		return NAN;
	}
	return join == JOIN_SUM	  ? joined->sum
	       : join == JOIN_MAX ? joined->most
				  : joined->sum / (double)joined->count;
}

static void summarise(struct sm_metrics_row *row, size_t count)
{
	double sum = 0;
	size_t known = 0;
	row->mean = row->minimum = row->maximum = row->last = NAN;
	for (size_t i = 0; i < count; i++) {
		double value = row->value[i];
		if (isnan(value)) {
			continue;
		}
		sum += value;
		known++;
		row->minimum = fmin(row->minimum, value);
		row->maximum = fmax(row->maximum, value);
		row->last = value;
	}
	row->mean = known ? sum / (double)known : NAN;
}

static bool is_sampled(const struct sm_model *model, int metric)
{
	for (size_t i = 0; i < model->series_count; i++) {
		if (model->series[i].metric == metric && model->series[i].count) {
			return true;
		}
	}
	return false;
}

static int build_row(struct sm_metrics *metrics, struct sm_metrics_row *row, struct sm_arena *arena,
	const struct sm_model *model, const struct recipe *recipe)
{
	*row = (struct sm_metrics_row){recipe->name, recipe->group, recipe->unit, recipe->summary,
		NULL, NAN, NAN, NAN, NAN};
	if (!is_sampled(model, recipe->metric[0])) {
		return 0;
	}
	struct joined *joined = sm_arena_alloc(arena, metrics->count * sizeof(*joined));
	row->value = sm_arena_alloc(arena, metrics->count * sizeof(*row->value));
	if (!joined || !row->value) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < model->series_count; i++) {
		if (model->series[i].metric == recipe->metric[0]) {
			struct parts parts = parts_of(model, recipe, model->series[i].instance);
			add_instance(joined, metrics, &parts, recipe->over[0] != 0);
		}
	}
	for (size_t i = 0; i < metrics->count; i++) {
		row->value[i] = result_of(&joined[i], recipe->join);
	}
	summarise(row, metrics->count);
	return 0;
}

/* From the first to the last sample of anything, at most SM_METRICS_POINTS evenly spaced times. */
static int build_times(
	struct sm_metrics *metrics, struct sm_arena *arena, const struct sm_model *model)
{
	double first = INFINITY, last = -INFINITY;
	size_t most = 0;
	for (size_t i = 0; i < model->series_count; i++) {
		const struct sm_series *series = &model->series[i];
		if (series->count) {
			first = fmin(first, series->time_s[0]);
			last = fmax(last, series->time_s[series->count - 1]);
			most = series->count > most ? series->count : most;
		}
	}
	metrics->count = most < SM_METRICS_POINTS ? most : SM_METRICS_POINTS;
	metrics->time_s = sm_arena_alloc(arena, (metrics->count + 1) * sizeof(*metrics->time_s));
	if (!metrics->time_s) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < metrics->count; i++) {
		double part = metrics->count > 1 ? (double)i / (double)(metrics->count - 1) : 0;
		metrics->time_s[i] = first + part * (last - first);
	}
	return 0;
}

int sm_metrics_build(
	struct sm_metrics *ret_metrics, struct sm_arena *arena, const struct sm_model *model)
{
	struct sm_metrics metrics = {.row_count = RECIPE_COUNT};
	metrics.rows = sm_arena_alloc(arena, RECIPE_COUNT * sizeof(*metrics.rows));
	if (!metrics.rows || build_times(&metrics, arena, model)) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < RECIPE_COUNT; i++) {
		if (build_row(&metrics, &metrics.rows[i], arena, model, &recipes[i])) {
			return -ENOMEM;
		}
	}
	*ret_metrics = metrics;
	return 0;
}

const char *sm_metrics_missing(struct sm_arena *arena, const struct sm_model *model)
{
	const char *text = "";
	for (size_t i = 0; text && i < RECIPE_COUNT; i++) {
		if (!is_sampled(model, recipes[i].metric[0])) {
			text = sm_arena_printf(
				arena, "%s%s%s", text, *text ? ", " : "", recipes[i].name);
		}
	}
	return text;
}
