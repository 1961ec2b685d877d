/* The specification's list, in its order and under its words; behind it, what else the probes tell of the same things.
 *
 * Where a word leaves a choice: "allocation patterns" are pages touched for the first time, for no allocator of a foreign
 * process tells its requests; "transfer overhead" is the part of a step spent in copies to a device; "read/write
 * operations" are the calls that the processes made (syscr and syscw of /proc/<pid>/io), since the kernel counts
 * requests to a disk per disk and not per process; "I/O wait" is the kernel's pressure, for iowait is 0 as soon as
 * somebody else uses the CPU; "core utilization patterns" is the busiest core, with a row for each core. */
#include "report/metrics.h"

#include "base/metric.h"
#include "base/tracking.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { METRICS_MAX = 4 };

enum join {
	JOIN_SUM, /* over instances */
	JOIN_MEAN,
	JOIN_MAX,
	JOIN_STEPS, /* of the training's steps, not of a counter */
};

struct recipe {
	const char *name, *title, *group, *unit, *summary;
	const char *probe; /* whose note says why there is nothing */
	enum join join;
	int metric[METRICS_MAX]; /* enum sm_metric, added up; 0 ends */
	/* when given, the sum above is divided by metric + over: a share of busy and idle */
	int over[METRICS_MAX];
	const char *otherwise; /* why there is nothing, where no note says it */
};

static const char no_torch_memory[] =
	"no process of the job told it: none trained on a CUDA device through PyTorch";

static const struct recipe recipes[] = {
	{"process_memory", "Process memory (RSS)", "memory", "bytes",
		"resident memory of the job's processes, shared pages counted in each", "process",
		JOIN_SUM, {SM_METRIC_PROC_RSS}, {0}, NULL},
	{"memory_available", "Available system memory", "memory", "bytes",
		"memory that can be had without swapping", "memory", JOIN_SUM,
		{SM_METRIC_MEM_AVAILABLE}, {0}, NULL},
	{"memory_pressure", "Memory pressure", "memory", "share",
		"time in which some task waited for memory", "pressure", JOIN_SUM,
		{SM_METRIC_PRESSURE_MEM_SOME}, {0}, NULL},
	{"memory_allocation", "Memory allocation", "memory", "count/s",
		"pages touched for the first time, all processes of the job", "process", JOIN_SUM,
		{SM_METRIC_PROC_MINOR_FAULTS}, {0}, NULL},
	{"gpu_memory_allocated", "GPU memory allocated", "gpu", "bytes",
		"device memory in tensors, as PyTorch's allocator counts it, all processes", NULL,
		JOIN_SUM, {SM_METRIC_PROC_GPU_ALLOCATED}, {0}, no_torch_memory},
	{"gpu_memory_reserved", "GPU memory reserved", "gpu", "bytes",
		"device memory that PyTorch's allocator holds, all processes", NULL, JOIN_SUM,
		{SM_METRIC_PROC_GPU_RESERVED}, {0}, no_torch_memory},
	{"gpu_busy", "GPU utilization", "gpu", "share",
		"time with a kernel resident, mean of the devices", "gpu", JOIN_MEAN,
		{SM_METRIC_GPU_BUSY}, {0}, NULL},
	{"gpu_transfer_overhead", "GPU transfer overhead", "gpu", "share",
		"part of a step spent in copies to a device", NULL, JOIN_STEPS, {0}, {0},
		"no copy to a device was seen in a step"},
	{"cpu_usage", "CPU usage", "cpu", "share", "busy time of the machine's CPUs", "cpu",
		JOIN_MEAN, {SM_METRIC_CPU_USER, SM_METRIC_CPU_SYSTEM}, {SM_METRIC_CPU_IDLE}, NULL},
	{"cpu_frequency", "CPU frequency", "cpu", "Hz", "effective, from a timed multiply chain",
		"frequency", JOIN_SUM, {SM_METRIC_CPU_FREQUENCY}, {0}, NULL},
	{"core_busiest", "Core utilization", "cpu", "share", "busy time of the busiest CPU", "cpu",
		JOIN_MAX, {SM_METRIC_CPU_USER, SM_METRIC_CPU_SYSTEM}, {SM_METRIC_CPU_IDLE}, NULL},
	{"process_priority", "Process priority", "cpu", "level",
		"nice value of the job's processes, the highest: -20 first, 19 last", "process",
		JOIN_MAX, {SM_METRIC_PROC_NICE}, {0}, NULL},
	{"io_operations", "Read and write operations", "io", "count/s",
		"read and write calls of the job's processes, pipes and sockets included",
		"process_io", JOIN_SUM, {SM_METRIC_PROC_READ_CALLS, SM_METRIC_PROC_WRITE_CALLS},
		{0}, NULL},
	{"io_wait", "I/O wait", "io", "share", "time in which some task waited for a disk",
		"pressure", JOIN_SUM, {SM_METRIC_PRESSURE_IO_SOME}, {0}, NULL},
	{"disk_busy", "Disk usage", "io", "share", "time with a request in flight, busiest disk",
		"disk", JOIN_MAX, {SM_METRIC_DISK_BUSY}, {0}, NULL},
	{"network", "Network", "io", "bytes/s", "received and sent", "net", JOIN_SUM,
		{SM_METRIC_NET_RECEIVE, SM_METRIC_NET_SEND}, {0}, NULL},

	{"gpu_memory_used", "GPU memory in use", "gpu", "bytes",
		"device memory in use, whoever uses it", "gpu", JOIN_SUM, {SM_METRIC_GPU_MEM}, {0},
		NULL},
	{"gpu_memory_total", "GPU memory of the devices", "gpu", "bytes", "device memory", "gpu",
		JOIN_SUM, {SM_METRIC_GPU_MEM_TOTAL}, {0}, NULL},
	{"gpu_transfer", "GPU transfer rate", "gpu", "bytes/s", "received over PCIe", "gpu",
		JOIN_SUM, {SM_METRIC_GPU_PCIE_RX}, {0}, NULL},
	{"process_cpu", "CPU of the job", "cpu", "cores", "CPU of the job's processes", "process",
		JOIN_SUM, {SM_METRIC_PROC_CPU}, {0}, NULL},
	{"storage_read", "Read from storage", "io", "bytes/s",
		"read from storage by the job's processes", "process_io", JOIN_SUM,
		{SM_METRIC_PROC_READ}, {0}, NULL},
};
enum { RECIPE_COUNT = sizeof(recipes) / sizeof(recipes[0]) };
_Static_assert(RECIPE_COUNT >= 16, "the specification names sixteen");

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
	const struct sm_series *metric[METRICS_MAX], *over[METRICS_MAX]; /* NULL: none */
};

static struct parts parts_of(
	const struct sm_model *model, const struct recipe *recipe, int64_t instance)
{
	struct parts parts = {0};
	for (int i = 0; i < METRICS_MAX; i++) {
		const int metric = recipe->metric[i], over = recipe->over[i];
		parts.metric[i] = metric ? sm_model_series(model, metric, instance) : NULL;
		parts.over[i] = over ? sm_model_series(model, over, instance) : NULL;
	}
	return parts;
}

static double sum_at(const struct sm_series *const series[METRICS_MAX], double time_s)
{
	double sum = NAN;
	for (int i = 0; i < METRICS_MAX; i++) {
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

static struct sm_metrics_summary summarise(const double *values, size_t count)
{
	struct sm_metrics_summary summary = {NAN, NAN, NAN, NAN};
	double sum = 0;
	size_t known = 0;
	for (size_t i = 0; i < count; i++) {
		if (isnan(values[i])) {
			continue;
		}
		sum += values[i];
		known++;
		summary.minimum = fmin(summary.minimum, values[i]);
		summary.maximum = fmax(summary.maximum, values[i]);
		summary.last = values[i];
	}
	summary.mean = known ? sum / (double)known : NAN;
	return summary;
}

/* --- why there is nothing --- */

static bool is_sampled(const struct sm_model *model, int metric)
{
	for (size_t i = 0; i < model->series_count; i++) {
		if (model->series[i].metric == metric && model->series[i].count) {
			return true;
		}
	}
	return false;
}

static const char *noted(const struct sm_model *model, const char *what)
{
	for (size_t i = 0; what && i < model->note_count; i++) {
		if (strcmp(model->notes[i].key, what) == 0) {
			return model->notes[i].value;
		}
	}
	return NULL;
}

static bool is_off(const struct sm_model *model, const struct recipe *recipe)
{
	for (size_t i = 0; i < model->note_count; i++) {
		if (strcmp(model->notes[i].key, recipe->group) == 0 &&
			strcmp(model->notes[i].value, SM_TRACKING_OFF) == 0) {
			return true;
		}
	}
	return false;
}

static const char *find_reason(const struct sm_model *model, const struct recipe *recipe)
{
	const char *of_probe = noted(model, recipe->probe);
	return is_off(model, recipe) ? SM_TRACKING_OFF
	       : of_probe	     ? of_probe
	       : recipe->otherwise   ? recipe->otherwise
				     : "nothing was sampled: the source is not on this machine or "
				       "could not be read";
}

/* --- rows --- */

/* Rows of single CPUs, disks, interfaces and devices. A job's processes come and go, and are in its loaders' tables. */
static bool has_parts(const struct recipe *recipe)
{
	const struct sm_metric_info *info = sm_metric_find(recipe->metric[0]);
	return info && (info->scope == SM_SCOPE_CPU || info->scope == SM_SCOPE_DISK ||
			       info->scope == SM_SCOPE_NET || info->scope == SM_SCOPE_GPU);
}

static const char *name_part(struct sm_arena *arena, int metric, int64_t instance)
{
	const struct sm_metric_info *info = sm_metric_find(metric);
	switch (info->scope) {
	case SM_SCOPE_CPU:
		return sm_arena_printf(arena, "CPU %lld", (long long)instance);
	case SM_SCOPE_DISK:
		return sm_arena_printf(arena, "disk %lld:%lld", (long long)instance >> 20,
			(long long)instance & 0xfffff);
	case SM_SCOPE_NET:
		return sm_arena_printf(arena, "interface %lld", (long long)instance);
	default:
		return sm_arena_printf(arena, "device %lld", (long long)instance);
	}
}

static int add_part(struct sm_metrics *metrics, struct sm_metrics_row *row, struct sm_arena *arena,
	const struct recipe *recipe, const struct parts *parts, int64_t instance)
{
	double values[SM_METRICS_POINTS];
	if (row->part_count >= SM_METRICS_PARTS) {
		return 0;
	}
	for (size_t i = 0; i < metrics->count; i++) {
		values[i] = part_at(parts, recipe->over[0] != 0, metrics->time_s[i]);
	}
	struct sm_metrics_part *part = &row->parts[row->part_count++];
	part->name = name_part(arena, recipe->metric[0], instance);
	part->summary = summarise(values, metrics->count);
	return part->name ? 0 : -ENOMEM;
}

static int join_instances(struct sm_metrics *metrics, struct sm_metrics_row *row,
	struct sm_arena *arena, const struct sm_model *model, const struct recipe *recipe)
{
	struct joined *joined = sm_arena_alloc(arena, (metrics->count + 1) * sizeof(*joined));
	row->parts = sm_arena_alloc(arena, SM_METRICS_PARTS * sizeof(*row->parts));
	int error = joined && row->parts ? 0 : -ENOMEM;
	for (size_t i = 0; !error && i < model->series_count; i++) {
		if (model->series[i].metric == recipe->metric[0]) {
			const int64_t instance = model->series[i].instance;
			struct parts parts = parts_of(model, recipe, instance);
			add_instance(joined, metrics, &parts, recipe->over[0] != 0);
			error = has_parts(recipe)
					? add_part(metrics, row, arena, recipe, &parts, instance)
					: 0;
		}
	}
	for (size_t i = 0; !error && i < metrics->count; i++) {
		row->value[i] = result_of(&joined[i], recipe->join);
	}
	return error;
}

/* Copies that take no time are none: where no device is used, nothing was measured. */
static bool has_copies(const struct sm_steps *steps)
{
	double sum = 0;
	for (size_t i = 0; i < steps->point_count; i++) {
		sum += steps->transfer_s[i] > 0 ? steps->transfer_s[i] : 0;
	}
	return sum > 0;
}

static int take_steps(struct sm_metrics *metrics, struct sm_metrics_row *row,
	struct sm_arena *arena, const struct sm_steps *steps)
{
	struct sm_series series = {.count = steps->point_count, .time_s = steps->at_s};
	series.value = sm_arena_alloc(arena, (steps->point_count + 1) * sizeof(double));
	if (!series.value) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < steps->point_count; i++) {
		series.value[i] = steps->transfer_s[i] / steps->wall_s[i];
	}
	for (size_t i = 0; i < metrics->count; i++) {
		row->value[i] = value_at(&series, metrics->time_s[i]);
	}
	return 0;
}

static const char *policy_name(double number)
{
	static const char *const names[] = {
		"other", "fifo", "round robin", "batch", NULL, "idle", "deadline"};
	const size_t count = sizeof(names) / sizeof(names[0]);
	const char *name = number >= 0 && number < (double)count ? names[(size_t)number] : NULL;
	return name ? name : "unknown";
}

/* The scheduling policies that any process of the job had, each once. */
static const char *say_policies(struct sm_arena *arena, const struct sm_model *model)
{
	const char *text = NULL;
	for (size_t i = 0; i < model->series_count; i++) {
		const struct sm_series *series = &model->series[i];
		const char *name = policy_name(series->last);
		if (series->metric == SM_METRIC_PROC_POLICY && series->count &&
			!(text && strstr(text, name))) {
			text = sm_arena_printf(arena, "%s%s", text ? text : "scheduling policy: ",
				text ? sm_arena_printf(arena, ", %s", name) : name);
		}
	}
	return text;
}

static int build_row(struct sm_metrics *metrics, struct sm_metrics_row *row, struct sm_arena *arena,
	const struct sm_report *report, const struct recipe *recipe)
{
	const struct sm_model *model = report->model;
	const struct sm_steps *steps = &report->analysis->steps;
	bool of_steps = recipe->join == JOIN_STEPS;
	*row = (struct sm_metrics_row){.name = recipe->name,
		.title = recipe->title,
		.group = recipe->group,
		.unit = recipe->unit,
		.description = recipe->summary,
		.summary = {NAN, NAN, NAN, NAN}};
	bool is_there = of_steps ? has_copies(steps) : is_sampled(model, recipe->metric[0]);
	if (!is_there || is_off(model, recipe)) { /* copies are seen whatever is sampled */
		row->missing = find_reason(model, recipe);
		return 0;
	}
	row->value = sm_arena_alloc(arena, (metrics->count + 1) * sizeof(*row->value));
	if (!row->value) {
		return -ENOMEM;
	}
	int error = of_steps ? take_steps(metrics, row, arena, steps)
			     : join_instances(metrics, row, arena, model, recipe);
	row->summary = summarise(row->value, metrics->count);
	if (isnan(row->summary.mean)) {
		row->missing = "the run was too short for two samples";
	}
	if (recipe->metric[0] == SM_METRIC_PROC_NICE) {
		row->detail = say_policies(arena, model);
	}
	return error;
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
	struct sm_metrics *ret_metrics, struct sm_arena *arena, const struct sm_report *report)
{
	struct sm_metrics metrics = {.row_count = RECIPE_COUNT};
	metrics.rows = sm_arena_alloc(arena, RECIPE_COUNT * sizeof(*metrics.rows));
	if (!metrics.rows || build_times(&metrics, arena, report->model)) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < RECIPE_COUNT; i++) {
		if (build_row(&metrics, &metrics.rows[i], arena, report, &recipes[i])) {
			return -ENOMEM;
		}
	}
	*ret_metrics = metrics;
	return 0;
}

static bool is_told_before(const struct sm_metrics *metrics, size_t row)
{
	for (size_t i = 0; i < row; i++) {
		if (metrics->rows[i].missing &&
			strcmp(metrics->rows[i].missing, metrics->rows[row].missing) == 0) {
			return true;
		}
	}
	return false;
}

/* The names of all that are missing for the reason of `row`. */
static const char *join_names(struct sm_arena *arena, const struct sm_metrics *metrics, size_t row)
{
	const char *text = metrics->rows[row].name;
	for (size_t i = row + 1; text && i < metrics->row_count; i++) {
		if (metrics->rows[i].missing &&
			strcmp(metrics->rows[i].missing, metrics->rows[row].missing) == 0) {
			text = sm_arena_printf(arena, "%s, %s", text, metrics->rows[i].name);
		}
	}
	return text;
}

int sm_metrics_each_missing(const struct sm_report *report,
	void (*say)(void *context, const char *what, const char *why), void *context)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_metrics metrics = {0};
	int error = sm_metrics_build(&metrics, &arena, report);
	for (size_t i = 0; !error && i < metrics.row_count; i++) {
		if (metrics.rows[i].missing && !is_told_before(&metrics, i)) {
			const char *names = join_names(&arena, &metrics, i);
			error = names ? 0 : -ENOMEM;
			if (names) {
				say(context, names, metrics.rows[i].missing);
			}
		}
	}
	sm_arena_finish(&arena);
	return error;
}
