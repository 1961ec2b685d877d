/* Levels are judged at every sample, so an alert on memory comes with the first sample above its threshold. A share of time
 * is judged over windows of a second: over less it is 0 or 1 of nothing. An alert on it begins when three windows in a
 * row were above, and any alert ends when the value has been lower for as long as six windows; so nothing can begin
 * twice within six seconds.
 *
 * Memory: what the job may use is what its control group may, or without a limit the machine. Of the group's, page cache
 * does not count: it is given back when somebody needs the room (the machine's MemAvailable reckons in the same way).
 *
 * CPU: not the machine's, but the CPUs that the job's first process may run on; where a quota is tighter, the used part
 * of the quota. Stolen time is time that the job could not have. At 95 % less than a twentieth of it is left.
 *
 * I/O: the kernel's own measure of tasks that stand still for a disk (pressure, `some`). Three tenths is a choice: the
 * share of blocked time from which slow storage is worth looking for. Where it cannot be read, nothing is judged: iowait
 * is no stand-in, it is 0 as soon as somebody else uses the CPU. */
#include "collect/watch.h"

#include <math.h>
#include <sched.h>
#include <string.h>

#define SECOND_NS     1000000000LL
#define WINDOW_NS     SECOND_NS
#define ENTER_NS      (3 * WINDOW_NS)
#define LEAVE_NS      (6 * WINDOW_NS)
#define CPU_THRESHOLD 0.95
#define IO_THRESHOLD  0.3

static const char *const names[] = {"memory", "gpu_memory", "cpu", "io"};

const char *sm_watch_name(enum sm_watch_kind kind)
{
	return names[kind];
}

/* True where they are others than before. */
static bool learn_cpus(struct sm_watch *watch)
{
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	bool known = !sched_getaffinity(watch->root, sizeof(cpus), &cpus);
	bool changed = known != watch->cpus_known || !CPU_EQUAL(&cpus, &watch->cpus);
	watch->cpus_known = known;
	watch->cpus = cpus;
	return changed;
}

/* It may be pinned while it runs; sums over other CPUs cannot be compared with those before. */
static void look_at_cpus(struct sm_watch *watch)
{
	if (learn_cpus(watch)) {
		watch->busy.open = watch->idle.open = false;
	}
}

void sm_watch_init(
	struct sm_watch *watch, double memory_threshold, double gpu_threshold, pid_t root)
{
	*watch = (struct sm_watch){
		.root = root,
		.one = {[SM_WATCH_MEMORY].rule = {memory_threshold, 0, LEAVE_NS},
			[SM_WATCH_GPU_MEMORY].rule = {gpu_threshold, 0, LEAVE_NS},
			[SM_WATCH_CPU].rule = {CPU_THRESHOLD, ENTER_NS, LEAVE_NS},
			[SM_WATCH_IO].rule = {IO_THRESHOLD, ENTER_NS, LEAVE_NS}},
		.total_bytes = NAN,
		.available_bytes = NAN,
		.group_bytes = NAN,
		.limit_bytes = NAN,
		.quota_cores = NAN,
	};
	(void)learn_cpus(watch);
}

/* --- what comes in --- */

/* Where nobody says, all of them. */
static bool may_use_cpu(const struct sm_watch *watch, int64_t cpu)
{
	return !watch->cpus_known || cpu < 0 || cpu >= CPU_SETSIZE ||
	       CPU_ISSET((size_t)cpu, &watch->cpus);
}

static void add_cpu(struct sm_watch *watch, enum sm_metric metric, int64_t cpu, double value_s)
{
	if (may_use_cpu(watch, cpu)) {
		*(metric == SM_METRIC_CPU_IDLE ? &watch->idle_s : &watch->busy_s) += value_s;
	}
}

static void take_gpu(double *slots, int64_t device, double value, bool *fresh)
{
	if (device >= 0 && device < SM_WATCH_GPUS_MAX) {
		slots[device] = value;
		*fresh = true;
	}
}

static void take_window(struct sm_watch_window *window, double value)
{
	window->now = value;
	window->fresh = true;
}

void sm_watch_sample(struct sm_watch *watch, enum sm_metric metric, int64_t instance, double value)
{
	switch ((int)metric) {
	case SM_METRIC_MEM_TOTAL:
		watch->total_bytes = value;
		break;
	case SM_METRIC_MEM_AVAILABLE:
		watch->available_bytes = value;
		watch->memory_fresh = true;
		break;
	case SM_METRIC_GROUP_MEM:
		watch->group_bytes = value;
		watch->memory_fresh = true;
		break;
	case SM_METRIC_GROUP_CACHE:
		watch->group_cache_bytes = value;
		break;
	case SM_METRIC_GROUP_MEM_LIMIT:
		watch->limit_bytes = value;
		break;
	case SM_METRIC_GPU_MEM:
		take_gpu(watch->gpu_bytes, instance, value, &watch->gpu_fresh);
		break;
	case SM_METRIC_GPU_MEM_TOTAL:
		take_gpu(watch->gpu_total_bytes, instance, value, &watch->gpu_fresh);
		break;
	case SM_METRIC_CPU_USER:
	case SM_METRIC_CPU_SYSTEM:
	case SM_METRIC_CPU_STEAL:
	case SM_METRIC_CPU_IDLE:
		add_cpu(watch, metric, instance, value);
		break;
	case SM_METRIC_GROUP_CPU:
		take_window(&watch->group_cpu, value);
		break;
	case SM_METRIC_GROUP_CPU_LIMIT:
		watch->quota_cores = value;
		break;
	case SM_METRIC_PRESSURE_IO_SOME:
		take_window(&watch->io, value);
		break;
	default:
		break;
	}
}

/* --- what it is worth --- */

static double memory_share(const struct sm_watch *watch)
{
	if (watch->limit_bytes > 0 && !isnan(watch->group_bytes)) {
		return fmax(watch->group_bytes - watch->group_cache_bytes, 0) / watch->limit_bytes;
	}
	return watch->total_bytes > 0 ? 1 - watch->available_bytes / watch->total_bytes : NAN;
}

static double gpu_share(const struct sm_watch *watch)
{
	double fullest = NAN;
	for (int i = 0; i < SM_WATCH_GPUS_MAX; i++) {
		if (watch->gpu_total_bytes[i] > 0) {
			fullest = fmax(fullest, watch->gpu_bytes[i] / watch->gpu_total_bytes[i]);
		}
	}
	return fullest;
}

static bool is_due(const struct sm_watch_window *window, int64_t now_ns)
{
	return window->fresh && window->open && now_ns - window->from_ns >= WINDOW_NS;
}

static void turn_if_over(struct sm_watch_window *window, int64_t now_ns)
{
	if (is_due(window, now_ns) || (window->fresh && !window->open)) {
		window->open = true;
		window->from_ns = now_ns;
		window->from = window->now;
	}
	window->fresh = false;
}

/* NaN where the number ran backwards: its source began anew. */
static double growth(const struct sm_watch_window *window)
{
	return window->now >= window->from ? window->now - window->from : NAN;
}

static double cpu_share(const struct sm_watch *watch, int64_t now_ns)
{
	double whole_s = growth(&watch->busy) + growth(&watch->idle), seconds, used = NAN;
	if (is_due(&watch->group_cpu, now_ns) && watch->quota_cores > 0) {
		seconds = (double)(now_ns - watch->group_cpu.from_ns) / SECOND_NS;
		used = growth(&watch->group_cpu) / (seconds * watch->quota_cores);
	}
	bool known = is_due(&watch->busy, now_ns) && whole_s > 0;
	return fmax(known ? growth(&watch->busy) / whole_s : NAN, used); /* NaN gives way */
}

static double io_share(const struct sm_watch *watch, int64_t now_ns)
{
	return is_due(&watch->io, now_ns)
		       ? growth(&watch->io) * SECOND_NS / (double)(now_ns - watch->io.from_ns)
		       : NAN;
}

/* --- judging --- */

struct round {
	struct sm_watch *watch;
	int64_t now_ns;
	struct sm_watch_alert *alerts;
	int count;
};

static void judge(struct round *round, enum sm_watch_kind kind, int64_t from_ns, double value)
{
	struct sm_watch_one *one = &round->watch->one[kind];
	if (isnan(value)) {
		return;
	}
	one->judged = true;
	enum sm_hysteresis_change change =
		sm_hysteresis_judge(&one->state, &one->rule, from_ns, round->now_ns, value);
	if (change != SM_HYSTERESIS_STAYS) {
		round->alerts[round->count++] = (struct sm_watch_alert){.kind = kind,
			.begins = change == SM_HYSTERESIS_BEGINS,
			.value = value,
			.threshold = one->rule.threshold};
	}
}

/* The sums over the CPUs are whole only now. */
static void close_sums(struct sm_watch *watch)
{
	if (watch->busy_s + watch->idle_s > 0) {
		take_window(&watch->busy, watch->busy_s);
		take_window(&watch->idle, watch->idle_s);
	}
	watch->busy_s = watch->idle_s = 0;
}

static void turn_all(struct sm_watch *watch, int64_t now_ns)
{
	struct sm_watch_window *windows[] = {
		&watch->busy, &watch->idle, &watch->group_cpu, &watch->io};
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		turn_if_over(windows[i], now_ns);
	}
}

int sm_watch_judge(struct sm_watch *watch, int64_t now_ns,
	struct sm_watch_alert ret_alerts[SM_WATCH_KIND_COUNT])
{
	struct round round = {.watch = watch, .now_ns = now_ns, .alerts = ret_alerts};
	close_sums(watch);
	bool second_is_over = is_due(&watch->busy, now_ns);
	if (watch->memory_fresh) {
		judge(&round, SM_WATCH_MEMORY, now_ns, memory_share(watch));
	}
	if (watch->gpu_fresh) {
		judge(&round, SM_WATCH_GPU_MEMORY, now_ns, gpu_share(watch));
	}
	int64_t cpu_from_ns = watch->busy.open ? watch->busy.from_ns : watch->group_cpu.from_ns;
	judge(&round, SM_WATCH_CPU, cpu_from_ns, cpu_share(watch, now_ns));
	judge(&round, SM_WATCH_IO, watch->io.from_ns, io_share(watch, now_ns));
	watch->memory_fresh = watch->gpu_fresh = false;
	turn_all(watch, now_ns);
	if (second_is_over) {
		look_at_cpus(watch);
	}
	return round.count;
}
