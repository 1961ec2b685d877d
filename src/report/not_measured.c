#include "report/not_measured.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct teller {
	const struct sm_report *report;
	sm_not_measured_say *say;
	void *context;
};

static bool is_noted(const struct sm_model *model, const char *what)
{
	for (size_t i = 0; i < model->note_count; i++) {
		if (strcmp(model->notes[i].key, what) == 0) {
			return true;
		}
	}
	return false;
}

/* Our own words, for what the trace did not already explain. */
static void add(const struct teller *teller, bool missing, const char *what, const char *why)
{
	if (missing && !is_noted(teller->report->model, what)) {
		teller->say(teller->context, what, why);
	}
}

static void add_of(const struct teller *teller, bool missing, const char *part,
	const struct sm_loader *loader, const char *why)
{
	char what[160];
	snprintf(what, sizeof(what), "%s of loader %s", part, loader->name);
	add(teller, missing, what, why);
}

static bool has_fact(const struct teller *teller, const char *key)
{
	const char *value = sm_model_fact(teller->report->model, key);
	return value && *value;
}

static void tell_host(const struct teller *teller)
{
	const char *why = "the trace holds no host facts: it was recorded without the collector";
	add(teller, !has_fact(teller, "host.cpus"), "host.cpus", why);
	add(teller, !has_fact(teller, "host.cpus_usable"), "host.cpus_usable", why);
	add(teller, !has_fact(teller, "host.memory_bytes"), "host.memory", why);
	add(teller, !has_fact(teller, "host.shm_bytes"), "host.shm", why);
	add(teller, isnan(teller->report->analysis->own_cpu_s), "overhead",
		"the collector did not say what it used: it was cut short or not there");
	const char *no_share_why = teller->report->analysis->no_own_share_why;
	add(teller, no_share_why != NULL, "overhead share", no_share_why);
}

static void tell_steps(const struct teller *teller)
{
	const struct sm_analysis *analysis = teller->report->analysis;
	const struct sm_verdict *verdict = &analysis->verdict;
	add(teller, isnan(verdict->exposed_stall_share), "stall",
		"no step of a loader was seen whole");
	add(teller, !isnan(verdict->exposed_stall_share) && isnan(verdict->exposed_low),
		"stall interval", "too few steps for an interval");
	add(teller, isnan(verdict->hidden_wait_share), "hidden wait",
		"nothing told what the device did while the loop waited");
	add(teller, isnan(verdict->ceiling_speedup), "ceiling", "too few steps to simulate");
	add(teller, isnan(analysis->steps.p50_s), "step percentiles",
		"no step is left once the warm-up steps are taken away");
	add(teller, isnan(analysis->steps.samples_per_s), "samples per second",
		"the loader's batches do not say how many samples they hold");
}

static bool lacks_causes(const struct sm_loader_analysis *loader)
{
	for (size_t i = 0; i < loader->stage_count; i++) {
		const struct sm_stage_row *row = &loader->stages[i];
		bool in_worker = row->stage == SM_STAGE_FETCH || row->stage == SM_STAGE_TRANSFORM ||
				 row->stage == SM_STAGE_COLLATE;
		if (in_worker && isnan(row->cpu_s)) {
			return true;
		}
	}
	return false;
}

static bool lacks_worker_counters(const struct sm_loader *loader)
{
	for (size_t i = 0; i < loader->worker_count; i++) {
		const struct sm_worker *worker = &loader->workers[i];
		if (worker->cpu_ns < 0 || worker->rss_bytes < 0 || worker->read_bytes < 0) {
			return true;
		}
	}
	return false;
}

static void tell_loader(const struct teller *teller, const struct sm_loader_analysis *row)
{
	const struct sm_loader *loader = row->loader;
	if (loader->no_samples_why) {
		add_of(teller, true, "time per sample", loader, loader->no_samples_why);
	}
	add_of(teller, lacks_causes(row), "CPU and blocked time", loader,
		"its spans were too short, or recorded too coarsely, to carry their cause");
	add_of(teller, lacks_worker_counters(loader), "worker counters", loader,
		loader->start_method && strcmp(loader->start_method, "thread") == 0
			? "its workers are threads of one process, which share its counters"
			: "a worker came and went between two samples, or its counters could not "
			  "be read");
	add_of(teller, !row->model, "prediction", loader,
		"too few of its batches were seen whole to simulate it");
}

void sm_not_measured_each(const struct sm_report *report, sm_not_measured_say *say, void *context)
{
	const struct sm_model *model = report->model;
	const struct sm_findings *findings = report->findings;
	struct teller teller = {report, say, context};
	for (size_t i = 0; i < model->note_count; i++) {
		say(context, model->notes[i].key, model->notes[i].value);
	}
	tell_host(&teller);
	tell_steps(&teller);
	for (size_t i = 0; i < report->analysis->loader_count; i++) {
		tell_loader(&teller, &report->analysis->loaders[i]);
	}
	for (size_t i = 0; i < findings->not_judged_count; i++) {
		say(context, findings->not_judged[i].key, findings->not_judged[i].value);
	}
}
