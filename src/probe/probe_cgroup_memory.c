/* Memory of the job's control group. Its cache counts too, so a group near its limit is normal; what tells is how often
 * the limit was reached, how much of the cache had to be read again, and what is left without the cache.
 *
 * What the group uses is one number and cheap; its details are summed up over all CPUs when they are asked for, so that
 * is done once a second. */
#include "probe/cgroup_tree.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define DETAILS_NS 1000000000LL

struct cgroup_memory {
	struct sm_source usage;	 /* memory.current, memory.usage_in_bytes */
	struct sm_source stat;	 /* memory.stat */
	struct sm_source events; /* memory.events, memory.failcnt */
	bool v2;
	double limit_bytes; /* 0: none */
	double page_bytes;
	int64_t details_due_ns;
};

static void close_cgroup_memory(void *state)
{
	struct cgroup_memory *group = state;
	sm_source_close(&group->usage);
	sm_source_close(&group->stat);
	sm_source_close(&group->events);
}

static int open_cgroup_memory(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct cgroup_memory *group = state;
	struct sm_cgroup_place place;
	char where[SM_SOURCE_PATH_MAX], unneeded[SM_SOURCE_WHY];
	int r = sm_cgroup_tree_find(&place, root, "memory", why);
	if (r) {
		return r;
	}
	group->v2 = place.v2;
	group->page_bytes = (double)sysconf(_SC_PAGESIZE);
	if (!sm_cgroup_tree_memory_limit(&place, root, &group->limit_bytes, where)) {
		snprintf(where, sizeof(where), "%s", place.directory);
	}
	/* Hits are counted by the group whose limit it is. */
	(void)sm_source_open(&group->events, unneeded, root, "%s/%s", where,
		place.v2 ? "memory.events" : "memory.failcnt");
	(void)sm_source_open(&group->stat, unneeded, root, "%s/memory.stat", place.directory);
	r = sm_source_open(&group->usage, why, root, "%s/%s", place.directory,
		place.v2 ? "memory.current" : "memory.usage_in_bytes");
	if (r && !sm_source_is_open(&group->stat) && !sm_source_is_open(&group->events)) {
		return r; /* the root group of version 2 has no files, or the controller is not switched on */
	}
	return 0;
}

/* The two lists of file pages; what lies in shared memory and tmpfs is on neither, for it can only be swapped. */
static void emit_cache(
	const struct cgroup_memory *group, struct sm_scan text, const struct sm_probe_sink *sink)
{
	uint64_t active, inactive;
	if (sm_scan_find(text, group->v2 ? "active_file" : "total_active_file", &active) &&
		sm_scan_find(
			text, group->v2 ? "inactive_file" : "total_inactive_file", &inactive)) {
		sm_probe_emit(sink, SM_METRIC_GROUP_CACHE, 0, (double)active + (double)inactive);
	}
}

static int sample_stat(const struct cgroup_memory *group, const struct sm_probe_sink *sink)
{
	struct sm_scan text;
	uint64_t pages;
	int r = sm_source_read(&group->stat, &text);
	if (r < 0) {
		return r;
	}
	emit_cache(group, text, sink);
	if (sm_scan_find(text,
		    group->v2 ? "workingset_refault_file" : "total_workingset_refault_file",
		    &pages) ||
		sm_scan_find(text, group->v2 ? "workingset_refault" : "total_workingset_refault",
			&pages)) {
		sm_probe_emit(
			sink, SM_METRIC_GROUP_REFAULTS_FILE, 0, (double)pages * group->page_bytes);
	}
	return 0;
}

static int sample_events(const struct cgroup_memory *group, const struct sm_probe_sink *sink)
{
	struct sm_scan text, line;
	uint64_t hits;
	int r = sm_source_read(&group->events, &text);
	if (r < 0) {
		return r;
	}
	if (group->v2 ? sm_scan_find(text, "max", &hits)
		      : sm_scan_line(&text, &line) && sm_scan_u64(&line, &hits)) {
		sm_probe_emit(sink, SM_METRIC_GROUP_MEM_EVENTS, 0, (double)hits);
	}
	return 0;
}

static int sample_usage(const struct cgroup_memory *group, const struct sm_probe_sink *sink)
{
	struct sm_scan text, line;
	uint64_t bytes;
	int r = sm_source_read(&group->usage, &text);
	if (r < 0) {
		return r;
	}
	if (sm_scan_line(&text, &line) && sm_scan_u64(&line, &bytes)) {
		sm_probe_emit(sink, SM_METRIC_GROUP_MEM, 0, (double)bytes);
	}
	return 0;
}

static int sample_details(const struct cgroup_memory *group, const struct sm_probe_sink *sink)
{
	int stat = sm_source_is_open(&group->stat) ? sample_stat(group, sink) : 0;
	int events = sm_source_is_open(&group->events) ? sample_events(group, sink) : 0;
	if (group->limit_bytes > 0) {
		sm_probe_emit(sink, SM_METRIC_GROUP_MEM_LIMIT, 0, group->limit_bytes);
	}
	return stat ? stat : events;
}

static int sample_cgroup_memory(void *state, const struct sm_probe_sink *sink)
{
	struct cgroup_memory *group = state;
	int64_t now_ns = sm_clock_mono_ns();
	int usage = sm_source_is_open(&group->usage) ? sample_usage(group, sink) : 0, details = 0;
	if (now_ns >= group->details_due_ns) {
		group->details_due_ns = now_ns + DETAILS_NS;
		details = sample_details(group, sink);
	}
	return usage ? usage : details;
}

const struct sm_probe sm_probe_cgroup_memory = {
	.name = "cgroup_memory",
	.summary =
		"memory of the job's control group, its limit, and cache that had to be read again",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_MEMORY,
	.state_bytes = sizeof(struct cgroup_memory),
	.open = open_cgroup_memory,
	.sample = sample_cgroup_memory,
	.close = close_cgroup_memory,
};
