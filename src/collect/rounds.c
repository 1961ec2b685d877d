#include "collect/rounds.h"

#include "base/clock.h"
#include "collect/unmeasured.h"

#include <stdio.h>
#include <time.h>

#define SECOND_NS 1000000000LL

/* --- what could not be measured --- */

void sm_rounds_note(struct sm_rounds *rounds, const char *what, const char *why)
{
	(void)sm_trace_writer_note(sm_run_files_first(rounds->files), what, why);
}

static int probe_place(const struct sm_probe *probe)
{
	int place = 0;
	while (place < sm_probe_table_count - 1 && sm_probe_table[place] != probe) {
		place++;
	}
	return place < SM_ROUNDS_PROBES_MAX ? place : SM_ROUNDS_PROBES_MAX - 1;
}

static void note_missing(void *context, const struct sm_probe *probe, const char *why)
{
	struct sm_rounds *rounds = context;
	bool *told = &rounds->told_missing[probe_place(probe)];
	if (!*told) {
		*told = true;
		sm_rounds_note(rounds, probe->name, why);
	}
}

static void note_crowd(struct sm_rounds *rounds)
{
	char why[128];
	if (rounds->children->missed && !rounds->told_crowded) {
		rounds->told_crowded = true;
		snprintf(why, sizeof(why),
			"no room or open files for the counters of %llu processes",
			(unsigned long long)rounds->children->missed);
		sm_rounds_note(rounds, "process", why);
	}
}

/* --- sampling --- */

/* A probe of two groups samples both; what was switched off is not kept. */
static void keep_sample(void *context, enum sm_metric metric, int64_t instance, double value)
{
	struct sm_rounds *rounds = context;
	if (sm_tracking_of(metric) & rounds->without) {
		return;
	}
	if (rounds->sampled) {
		value = sm_inherited_own(&rounds->sampled->inherited, metric, value);
	}
	sm_watch_sample(&rounds->alerts.watch, metric, instance, value);
	(void)sm_trace_writer_sample(sm_run_files_first(rounds->files), sm_clock_mono_ns(),
		(uint16_t)metric, instance, value);
}

int64_t sm_rounds_own_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * SECOND_NS + used.tv_nsec;
}

static void sample_self(struct sm_rounds *rounds)
{
	int64_t interval_ns = rounds->rates->interval_ns[SM_TIER_FAST] * rounds->governor.slowdown;
	keep_sample(
		rounds, SM_METRIC_SELF_CPU, 0, (double)sm_rounds_own_cpu_ns() / (double)SECOND_NS);
	keep_sample(rounds, SM_METRIC_SELF_RATE, 0, (double)SECOND_NS / (double)interval_ns);
}

static void sample_tier(struct sm_rounds *rounds, enum sm_probe_tier tier)
{
	const struct sm_probe_sink sink = {.context = rounds, .sample = keep_sample};
	sm_sampler_sample(&rounds->machine, tier, &sink, &rounds->listener);
	for (size_t i = 0; i < rounds->children->count; i++) {
		struct sm_child *child = &rounds->children->item[i];
		if (!child->ended) {
			rounds->sampled = child;
			(void)sm_sampler_sample(&child->probes, tier, &sink, &rounds->listener);
		}
	}
	rounds->sampled = NULL;
}

static void look_at_silent(struct sm_rounds *rounds, int64_t now_ns)
{
	char why[SM_UNMEASURED_WHY];
	for (size_t i = 0; i < rounds->children->count; i++) {
		struct sm_child *child = &rounds->children->item[i];
		const struct sm_child *parent = sm_children_find(rounds->children, child->ppid);
		if (sm_unmeasured_look(
			    child, rounds->root_path, parent && parent->has_ring, now_ns, why)) {
			sm_rounds_note(rounds, "process", why);
			rounds->told_silent = true;
		}
	}
}

static void run_tier(struct sm_rounds *rounds, enum sm_probe_tier tier, int64_t now_ns)
{
	if (tier == SM_TIER_FAST || tier == SM_TIER_SECOND) {
		sm_children_update(rounds->children, tier == SM_TIER_SECOND);
	}
	sample_tier(rounds, tier);
	if (tier == SM_TIER_SECOND) {
		sample_self(rounds);
		look_at_silent(rounds, now_ns);
		note_crowd(rounds);
		sm_run_files_share_limit(rounds->files);
		(void)sm_run_files_flush(rounds->files);
	}
}

void sm_rounds_run(struct sm_rounds *rounds, int64_t now_ns)
{
	int64_t before_ns = sm_rounds_own_cpu_ns();
	bool ran = false;
	for (int tier = SM_TIER_COUNT - 1; tier >= 0; tier--) {
		if (now_ns >= rounds->due_ns[tier]) {
			run_tier(rounds, (enum sm_probe_tier)tier, now_ns);
			rounds->due_ns[tier] = now_ns + rounds->rates->interval_ns[tier] *
								rounds->governor.slowdown;
			ran = true;
		}
	}
	if (ran) {
		sm_alerts_judge(&rounds->alerts, now_ns);
		sm_governor_note(&rounds->governor, now_ns, sm_rounds_own_cpu_ns() - before_ns);
	}
}

int64_t sm_rounds_due_ns(const struct sm_rounds *rounds)
{
	int64_t due_ns = rounds->due_ns[0];
	for (int tier = 1; tier < SM_TIER_COUNT; tier++) {
		due_ns = rounds->due_ns[tier] < due_ns ? rounds->due_ns[tier] : due_ns;
	}
	return due_ns;
}

/* --- beginning and end --- */

void sm_rounds_init(struct sm_rounds *rounds, const struct sm_level_rates *rates,
	struct sm_run_files *files, struct sm_children *children,
	const struct sm_collector_options *options)
{
	*rounds = (struct sm_rounds){
		.rates = rates,
		.files = files,
		.children = children,
		.root_path = options->root_path,
		.without = options->without,
		.alerts = {.told.fd = options->told_fd, .files = files},
		.listener = {.context = rounds, .missing = note_missing},
	};
	sm_watch_init(&rounds->alerts.watch, options->memory_threshold, options->gpu_threshold,
		options->root);
	sm_governor_init(&rounds->governor, SM_GOVERNOR_COUNTERS_SHARE);
}

static void note_switched_off(struct sm_rounds *rounds)
{
	for (int i = 0; i < SM_TRACKING_COUNT; i++) {
		if (rounds->without & 1U << i) {
			sm_rounds_note(rounds, sm_tracking_name(i), SM_TRACKING_OFF);
		}
	}
}

int sm_rounds_open(struct sm_rounds *rounds)
{
	note_switched_off(rounds);
	return sm_sampler_open(
		&rounds->machine, rounds->root_path, 0, rounds->without, &rounds->listener);
}

void sm_rounds_last(struct sm_rounds *rounds)
{
	for (int tier = 0; tier < SM_TIER_COUNT; tier++) {
		sample_tier(rounds, (enum sm_probe_tier)tier);
	}
	sample_self(rounds);
}

void sm_rounds_close(struct sm_rounds *rounds)
{
	sm_sampler_close(&rounds->machine);
}
