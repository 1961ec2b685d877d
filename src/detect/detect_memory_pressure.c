/* Memory that runs short, and whether the loader has a part in it.
 *
 * A full page cache is no pressure, and neither is memory in use. Pressure is tasks that wait for memory, pages that are
 * read back from swap, or memory that goes away at a rate that ends the job. What it will cost the run cannot be replayed,
 * so it is a risk: it has no severity. */
#include "detect/judge.h"
#include "detect/words.h"

#include "base/metric.h"

#include <errno.h>
#include <math.h>

enum {
	PAGE_BYTES = 4096,
	WAITING_PERCENT =
		5, /* of the time, some task waited for memory: above what a full cache shows (1 %, signals 3.3) */
	SWAP_MEGABYTES = 1, /* a second, read back: less is idle pages that woke up (signals 3.3) */
	COPIED_PERCENT = 50, /* of the memory that went away, by first writes of workers */
	LEAST_PERCENT = 1,   /* of the machine's memory must have gone away to be told from noise */
	HOURS_LEFT = 24,     /* until nothing is left, at the rate of this run */
	FREE_PERCENT = 20,   /* of the memory: less is short (the threshold of the alerts) */
};

static double grown(const struct sm_series *series)
{
	return series ? series->last - series->first : NAN;
}

struct memory { /* NaN: not sampled */
	double total, least, last,
		lost; /* bytes: all, free at the least and at the end, gone away */
	double waiting_share, scanned, limit_hits, swap_in_per_s, swapped;
	double copied, rss_grown; /* by the workers */
};

/* The machine's memory, or the group's limit where that is tighter. */
static void read_free(const struct sm_model *model, struct memory *memory)
{
	const struct sm_series *available = sm_model_series(model, SM_METRIC_MEM_AVAILABLE, 0);
	const struct sm_series *total = sm_model_series(model, SM_METRIC_MEM_TOTAL, 0);
	memory->total = total ? total->last : NAN;
	memory->least = available ? available->minimum : NAN;
	memory->last = available ? available->last : NAN;
	memory->lost = -grown(available);
	const struct sm_series *limit = sm_model_series(model, SM_METRIC_GROUP_MEM_LIMIT, 0);
	const struct sm_series *used = sm_model_series(model, SM_METRIC_GROUP_MEM, 0);
	if (limit && used && limit->minimum < memory->total) {
		memory->total = limit->minimum;
		memory->least = fmin(memory->least, limit->minimum - used->maximum);
		memory->last = fmin(memory->last, limit->minimum - used->last);
	}
}

static double swapped_of(const struct sm_model *model)
{
	double swapped = 0;
	for (size_t i = 0; i < model->series_count; i++) {
		swapped += model->series[i].metric == SM_METRIC_PROC_SWAP ? model->series[i].maximum
									  : 0;
	}
	return swapped;
}

static void read_workers(
	const struct sm_model *model, const struct sm_loader *loader, struct memory *memory)
{
	for (size_t i = 0; i < loader->worker_count; i++) {
		int64_t pid = loader->workers[i].pid;
		double faults = grown(sm_model_series(model, SM_METRIC_PROC_MINOR_FAULTS, pid));
		double rss = grown(sm_model_series(model, SM_METRIC_PROC_RSS, pid));
		memory->copied += isnan(faults) ? 0 : faults * PAGE_BYTES;
		memory->rss_grown += isnan(rss) ? 0 : rss;
	}
}

static struct memory memory_of(const struct sm_judge *judge)
{
	const struct sm_model *model = judge->analysis->model;
	double time_s = judge->analysis->wall_s;
	struct memory memory = {0};
	read_free(model, &memory);
	memory.waiting_share =
		grown(sm_model_series(model, SM_METRIC_PRESSURE_MEM_SOME, 0)) / time_s;
	memory.scanned = grown(sm_model_series(model, SM_METRIC_SCAN_DIRECT, 0));
	memory.limit_hits = grown(sm_model_series(model, SM_METRIC_GROUP_MEM_EVENTS, 0));
	memory.swap_in_per_s = grown(sm_model_series(model, SM_METRIC_SWAP_IN, 0)) / time_s;
	memory.swapped = swapped_of(model);
	read_workers(model, judge->loader->loader, &memory);
	return memory;
}

static bool swaps(const struct memory *memory)
{
	return memory->swap_in_per_s >= SWAP_MEGABYTES * 1e6 && memory->swapped > 0;
}

static bool reclaims(const struct memory *memory)
{
	return memory->waiting_share * 100 >= WAITING_PERCENT &&
	       (memory->scanned > 0 || memory->limit_hits > 0);
}

static double hours_left(const struct memory *memory, double time_s)
{
	return memory->lost > 0 ? memory->last / (memory->lost / time_s) / 3600 : INFINITY;
}

/* Pages that workers share with their parent are copied at the first write, of a reference count say: memory goes away, and
 * the size of no process grows. */
static bool copies(const struct memory *memory, double time_s)
{
	return memory->lost * 100 >= LEAST_PERCENT * memory->total &&
	       memory->copied * 100 >= COPIED_PERCENT * memory->lost &&
	       memory->rss_grown < memory->lost / 2 && hours_left(memory, time_s) < HOURS_LEFT;
}

static double batches_under_way(const struct sm_loader *loader, int prefetch)
{
	return (double)loader->num_workers * prefetch + 1;
}

/* Memory is short, and would not be if one batch a worker were under way. */
static bool prefetches(const struct memory *memory, const struct sm_loader_model *model)
{
	int prefetch = sm_loader_model_setting(model).prefetch_factor;
	double more =
		(batches_under_way(model->loader, prefetch) - batches_under_way(model->loader, 1)) *
		model->batch_bytes;
	double enough = memory->total * FREE_PERCENT / 100;
	return memory->least < enough && memory->least + more >= enough;
}

static const char *cause_of(const struct sm_judge *judge, const struct memory *memory)
{
	double time_s = judge->analysis->wall_s;
	return swaps(memory)				  ? "swap"
	       : reclaims(memory)			  ? "reclaim"
	       : copies(memory, time_s)			  ? "copy_on_write_growth"
	       : prefetches(memory, judge->loader->model) ? "prefetch_memory"
							  : NULL;
}

static const char *risk_of(const char *cause)
{
	switch (cause[0]) {
	case 's':
		return "{swap_in_bytes_per_s} come back from swap every second: what a worker "
		       "needs next "
		       "may be on disk, and each such page stops it for a read.";
	case 'r':
		return "Tasks waited for memory for {memory_wait_share} of the time; when nothing "
		       "can be "
		       "taken from the cache any more, the kernel ends a process.";
	case 'c':
		return "At the rate of this run the memory is used up in {hours_left} hours, "
		       "though no "
		       "process grows; then the kernel ends one.";
	default:
		return "Only {memory_free_least_bytes} of {memory_total_bytes} were free at the "
		       "least; a "
		       "larger batch or one more worker may end the job.";
	}
}

static int suggest_less(const struct sm_judge *judge, struct sm_finding *finding)
{
	struct sm_setting setting = sm_loader_model_setting(judge->loader->model);
	int error = 0;
	if (setting.num_workers > 0 && setting.prefetch_factor > 1) {
		setting.prefetch_factor = 1;
		error = sm_judge_offer(judge, finding,
			"Set prefetch_factor={prefetch_factor}: fewer batches are then in memory, "
			"and the "
			"training does not wait for it.",
			&setting);
	}
	setting = sm_loader_model_setting(judge->loader->model);
	if (!error && setting.num_workers > 1) {
		setting.num_workers /= 2;
		error = sm_judge_offer(judge, finding,
			"Set num_workers={num_workers}: each worker has memory of its own, and so "
			"many "
			"keep up with the training.",
			&setting);
	}
	sm_finding_suggest(
		finding, "Use smaller batches, and keep fewer samples in memory at a time.");
	return error;
}

static int suggest(const struct sm_judge *judge, struct sm_finding *finding)
{
	if (finding->cause[0] == 'c') {
		sm_finding_suggest(finding,
			"Keep what the data set holds in few large buffers (a NumPy array, a "
			"tensor, a "
			"memory-mapped file) instead of lists and dictionaries of Python objects: "
			"looking "
			"at such an object writes to its page, which every worker then copies.");
	}
	return suggest_less(judge, finding);
}

/* Once a run: memory is everybody's, and the loader that trains is the one to change. */
static bool is_the_training_loader(const struct sm_judge *judge)
{
	int at = judge->analysis->training_loader;
	return judge->loader == &judge->analysis->loaders[at < 0 ? 0 : at];
}

static void say(
	const struct sm_judge *judge, struct sm_finding *finding, const struct memory *memory)
{
	const struct sm_loader *loader = judge->loader->loader;
	double hours = hours_left(memory, judge->analysis->wall_s);
	sm_finding_evidence(finding, "memory_free_least_bytes", memory->least, "bytes");
	sm_finding_evidence(finding, "memory_total_bytes", memory->total, "bytes");
	sm_finding_evidence(finding, "memory_wait_share", memory->waiting_share, "share");
	sm_finding_evidence(finding, "swap_in_bytes_per_s", memory->swap_in_per_s, "bytes");
	sm_finding_evidence(finding, "memory_lost_bytes", memory->lost, "bytes");
	sm_finding_evidence(finding, "first_writes_of_workers_bytes", memory->copied, "bytes");
	if (hours < INFINITY) {
		sm_finding_evidence(finding, "hours_left", hours, "hours");
	}
	sm_finding_evidence(finding, "batches_under_way",
		batches_under_way(
			loader, sm_loader_model_setting(judge->loader->model).prefetch_factor),
		"count");
	sm_finding_evidence(finding, "batch_bytes", judge->loader->model->batch_bytes, "bytes");
}

static int look(const struct sm_judge *judge)
{
	if (!is_the_training_loader(judge)) {
		return 0;
	}
	const struct memory memory = memory_of(judge);
	if (isnan(memory.least) || isnan(memory.total)) {
		return sm_findings_lack(
			judge->findings, judge->detector, "the machine's memory was not sampled");
	}
	const char *cause = cause_of(judge, &memory);
	if (!cause) {
		return 0;
	}
	struct sm_finding *finding =
		sm_findings_add(judge->findings, judge->detector, judge->loader);
	if (!finding) {
		return -ENOMEM;
	}
	finding->cause = cause;
	finding->risk = risk_of(cause);
	finding->confidence = SM_CONFIDENCE_MEDIUM;
	say(judge, finding, &memory);
	return suggest(judge, finding);
}

static const struct sm_bound bounds[] = {SM_BOUND(WAITING_PERCENT), SM_BOUND(SWAP_MEGABYTES),
	SM_BOUND(COPIED_PERCENT), SM_BOUND(LEAST_PERCENT), SM_BOUND(HOURS_LEFT),
	SM_BOUND(FREE_PERCENT), {0}};

const struct sm_detector sm_detect_memory_pressure = {
	.id = "SM103",
	.type = "MEMORY_PRESSURE",
	.title = "Memory runs short",
	.summary =
		"Tasks wait for memory, read it back from swap, or use it up at a rate that will "
		"end the job.",
	.causes = "swap: at least {SWAP_MEGABYTES} MB/s are read back from swap, and the job's "
		  "processes have pages there\n"
		  "reclaim: some task waited for memory for at least {WAITING_PERCENT} % of the "
		  "time, "
		  "while pages were taken back at once or the group's limit was met\n"
		  "copy_on_write_growth: free memory falls by at least {LEAST_PERCENT} % of the "
		  "machine's, at least {COPIED_PERCENT} % of that by first writes of workers, "
		  "without "
		  "a process that grows, and would be gone within {HOURS_LEFT} hours\n"
		  "prefetch_memory: less than {FREE_PERCENT} % of the memory is free, and would be "
		  "if "
		  "one batch a worker were under way",
	.evidence =
		"Pressure as the kernel counts it (pressure.memory_some, direct scans, limit "
		"hits), swap-in with the job's own swapped pages, the workers' minor faults "
		"beside the fall of free memory. A cache that fills the memory is none of these.",
	.fixes = "Smaller batches, a smaller prefetch_factor, fewer workers; data in arrays or "
		 "memory-mapped files instead of Python objects; mixed precision and gradient "
		 "checkpointing where it is the device's memory that is short.",
	.wrong =
		"Other programs may hold the memory. In a short run first writes are start-up, and "
		"the rate does not last. Compressed swap costs CPU, not reads.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_COUNTERS,
	.look_at_loader = look,
};
