/* What is watched while the job runs, and alerts: memory, device memory, CPU, input and output. */
#ifndef SM_COLLECT_WATCH_H
#define SM_COLLECT_WATCH_H

#include "base/metric.h"
#include "collect/hysteresis.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum sm_watch_kind {
	SM_WATCH_MEMORY,     /* share of what the job may use */
	SM_WATCH_GPU_MEMORY, /* share of the fullest device */
	SM_WATCH_CPU,	     /* share of time in which the CPUs that the job may use had work */
	SM_WATCH_IO,	     /* share of time in which some task waited for a disk */
	SM_WATCH_KIND_COUNT,
};

enum { SM_WATCH_GPUS_MAX = 32 };

struct sm_watch_one {
	struct sm_hysteresis_rule rule;
	struct sm_hysteresis state;
	bool judged; /* it had a value at least once */
};

struct sm_watch_alert {
	enum sm_watch_kind kind;
	bool begins; /* else it ends */
	double value, threshold;
};

/* A number that only grows, over a window. */
struct sm_watch_window {
	bool open;
	int64_t from_ns;
	double from, now;
	bool fresh; /* `now` is of this round */
};

struct sm_watch {
	pid_t root; /* whose CPUs count */
	struct sm_watch_one one[SM_WATCH_KIND_COUNT];
	double total_bytes, available_bytes;		    /* of the machine; NaN: unknown */
	double group_bytes, group_cache_bytes, limit_bytes; /* of the control group */
	double gpu_bytes[SM_WATCH_GPUS_MAX], gpu_total_bytes[SM_WATCH_GPUS_MAX];
	bool memory_fresh, gpu_fresh;
	double idle_s, busy_s; /* of the CPUs that count, this round */
	struct sm_watch_window idle, busy, group_cpu, io;
	double quota_cores;
	cpu_set_t cpus;
	bool cpus_known;
};

/* Thresholds are shares. */
void sm_watch_init(
	struct sm_watch *watch, double memory_threshold, double gpu_threshold, pid_t root);
void sm_watch_sample(struct sm_watch *watch, enum sm_metric metric, int64_t instance, double value);
/* After a round of samples, all told: what began or ended with it. Returns how many. */
int sm_watch_judge(struct sm_watch *watch, int64_t now_ns,
	struct sm_watch_alert ret_alerts[SM_WATCH_KIND_COUNT]);
const char *sm_watch_name(enum sm_watch_kind kind); /* "gpu_memory" */

#endif
