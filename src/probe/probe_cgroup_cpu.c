/* CPU of the job's control group, and how often its quota stopped it.
 *
 * Being stopped looks, in a process, exactly like a busy machine: runnable, not running. Only the group's own counter
 * splits the two. It is kept by the group that sets the quota, which may be an ancestor (a Kubernetes pod's, a batch
 * job's), so periods and throttling are read where the tightest quota is. */
#include "probe/cgroup_tree.h"

#include <errno.h>
#include <stdio.h>

#define MICROSECOND 1e-6
#define NANOSECOND  1e-9

struct cgroup_cpu {
	struct sm_source quota_stat; /* cpu.stat of the group with the tightest quota */
	struct sm_source usage; /* version 2: cpu.stat of the own group; version 1: cpuacct.usage */
	bool v2;
	double limit_cores; /* 0: none */
};

static const struct sm_scan_field quota_v1[] = {
	{"nr_periods", SM_METRIC_GROUP_PERIODS, 1},
	{"nr_throttled", SM_METRIC_GROUP_THROTTLED, 1},
	{"throttled_time", SM_METRIC_GROUP_THROTTLED_TIME, NANOSECOND},
	{0},
};
static const struct sm_scan_field quota_v2[] = {
	{"nr_periods", SM_METRIC_GROUP_PERIODS, 1},
	{"nr_throttled", SM_METRIC_GROUP_THROTTLED, 1},
	{"throttled_usec", SM_METRIC_GROUP_THROTTLED_TIME, MICROSECOND},
	{0},
};
static const struct sm_scan_field usage_v2[] = {
	{"usage_usec", SM_METRIC_GROUP_CPU, MICROSECOND},
	{0},
};

static void close_cgroup_cpu(void *state)
{
	struct cgroup_cpu *group = state;
	sm_source_close(&group->quota_stat);
	sm_source_close(&group->usage);
}

static void open_usage(
	struct cgroup_cpu *group, const char *root, const struct sm_cgroup_place *cpu)
{
	char why[SM_SOURCE_WHY];
	struct sm_cgroup_place accounting;
	if (group->v2) {
		(void)sm_source_open(&group->usage, why, root, "%s/cpu.stat", cpu->directory);
	} else if (!sm_cgroup_tree_find(&accounting, root, "cpuacct", why) && !accounting.v2) {
		(void)sm_source_open(
			&group->usage, why, root, "%s/cpuacct.usage", accounting.directory);
	}
}

static int open_cgroup_cpu(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct cgroup_cpu *group = state;
	struct sm_cgroup_place cpu;
	char where[SM_SOURCE_PATH_MAX];
	int r = sm_cgroup_tree_find(&cpu, root, "cpu", why);
	if (r) {
		return r;
	}
	group->v2 = cpu.v2;
	if (!sm_cgroup_tree_cpu_limit(&cpu, root, &group->limit_cores, where)) {
		snprintf(where, sizeof(where), "%s", cpu.directory);
	}
	r = sm_source_open(&group->quota_stat, why, root, "%s/cpu.stat", where);
	open_usage(group, root, &cpu);
	return sm_source_is_open(&group->usage) ? 0 : r;
}

static int sample_usage(const struct cgroup_cpu *group, const struct sm_probe_sink *sink)
{
	struct sm_scan text, line;
	uint64_t used_ns;
	int r = sm_source_read(&group->usage, &text);
	if (r < 0) {
		return r;
	}
	if (group->v2) {
		sm_scan_fields(text, usage_v2, 0, sink);
	} else if (sm_scan_line(&text, &line) && sm_scan_u64(&line, &used_ns)) {
		sm_probe_emit(sink, SM_METRIC_GROUP_CPU, 0, (double)used_ns * NANOSECOND);
	}
	return 0;
}

static int sample_cgroup_cpu(void *state, const struct sm_probe_sink *sink)
{
	const struct cgroup_cpu *group = state;
	struct sm_scan text;
	int r = 0;
	if (sm_source_is_open(&group->quota_stat) &&
		!(r = sm_source_read(&group->quota_stat, &text))) {
		sm_scan_fields(text, group->v2 ? quota_v2 : quota_v1, 0, sink);
	}
	if (sm_source_is_open(&group->usage)) {
		int usage = sample_usage(group, sink);
		r = r ? r : usage;
	}
	if (group->limit_cores > 0) {
		sm_probe_emit(sink, SM_METRIC_GROUP_CPU_LIMIT, 0, group->limit_cores);
	}
	return r;
}

const struct sm_probe sm_probe_cgroup_cpu = {
	.name = "cgroup_cpu",
	.summary = "CPU of the job's control group, its quota and how often that stopped it",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_CPU,
	.state_bytes = sizeof(struct cgroup_cpu),
	.open = open_cgroup_cpu,
	.sample = sample_cgroup_cpu,
	.close = close_cgroup_cpu,
};
