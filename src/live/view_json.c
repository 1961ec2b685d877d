#include "live/view_json.h"

#include "base/json.h"
#include "report/figures.h"

#include <errno.h>
#include <math.h>

static void number(struct sm_json *json, const char *key, double value)
{
	sm_figures_number(json, key, value);
}

static void share(struct sm_json *json, const char *key, double value)
{
	sm_figures_share(json, key, value);
}

static void text(struct sm_json *json, const char *key, const char *value)
{
	sm_json_string(json, key, *value ? value : NULL);
}

static void write_run(struct sm_json *json, const struct sm_view *view)
{
	sm_json_begin_object(json, "run");
	text(json, "name", view->title);
	text(json, "directory", view->run);
	number(json, "wall_s", view->elapsed_s);
	sm_json_int(json, "ranks", view->ranks);
	number(json, "events", view->events);
	number(json, "events_lost", view->events_lost);
	sm_json_end(json);
}

static void write_verdict(struct sm_json *json, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	if (!view->has_judgement) {
		sm_json_null(json, "verdict");
		return;
	}
	sm_json_begin_object(json, "verdict");
	text(json, "class", judgement->class_name);
	text(json, "sentence", judgement->sentence);
	text(json, "missing", judgement->missing);
	share(json, "exposed_stall_share", judgement->stall_share);
	sm_json_begin_array(json, "exposed_stall_ci");
	share(json, NULL, judgement->stall_low);
	share(json, NULL, judgement->stall_high);
	sm_json_end(json);
	share(json, "hidden_wait_share", judgement->hidden_share);
	number(json, "ceiling_speedup", judgement->ceiling_speedup);
	number(json, "age_s", view->judged_s);
	sm_json_end(json);
}

static void write_steps(struct sm_json *json, const struct sm_view *view)
{
	const struct sm_judgement *judgement = &view->judgement;
	if (!view->has_judgement) {
		sm_json_null(json, "steps");
		return;
	}
	sm_json_begin_object(json, "steps");
	number(json, "count", judgement->steps);
	number(json, "mean_s", judgement->mean_step_s);
	number(json, "p50_s", judgement->p50_step_s);
	number(json, "p95_s", judgement->p95_step_s);
	number(json, "samples_per_s", judgement->samples_per_s);
	sm_json_begin_array(json, "parts");
	for (size_t i = 0; i < judgement->part_count; i++) {
		sm_json_begin_object(json, NULL);
		text(json, "part", judgement->parts[i].name);
		share(json, "share", judgement->parts[i].share);
		sm_json_end(json);
	}
	sm_json_end(json);
	sm_json_end(json);
}

/* Of a run that is over there are no last seconds. */
static void write_recent(struct sm_json *json, const struct sm_view *view)
{
	const struct sm_pulse_time *window = &view->window;
	if (!view->pulse.count) {
		sm_json_null(json, "recent");
		return;
	}
	sm_json_begin_object(json, "recent");
	number(json, "window_s", view->window_s);
	share(json, "exposed_stall_share", sm_view_recent_stall(view));
	share(json, "transfer_share", sm_pulse_share(window->transfer_s, window->known_s));
	share(json, "host_share", sm_pulse_share(window->host_s, window->known_s));
	number(json, "steps_per_s", sm_view_steps_per_s(view));
	number(json, "samples_per_s", sm_view_samples_per_s(view));
	sm_json_end(json);
}

static void write_stages(struct sm_json *json, const struct sm_judged_loader *loader)
{
	sm_json_begin_array(json, "stages");
	for (size_t i = 0; loader && i < loader->stage_count; i++) {
		sm_json_begin_object(json, NULL);
		text(json, "stage", sm_vocabulary_stage_name(loader->stages[i].stage));
		share(json, "share", loader->stages[i].share);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_worker(struct sm_json *json, const struct sm_view_worker *worker)
{
	sm_json_begin_object(json, NULL);
	sm_json_int(json, "index", worker->index);
	sm_json_int(json, "pid", worker->pid);
	share(json, "busy_share", worker->busy_share);
	share(json, "cpu_share", worker->cpu_share);
	number(json, "rss_bytes", worker->rss_bytes);
	number(json, "read_bytes_per_s", worker->read_bytes_per_s);
	text(json, "state", sm_view_doing_name(worker->doing));
	number(json, "state_s", worker->doing_s);
	number(json, "batches", worker->batches);
	sm_json_end(json);
}

static void write_loader(struct sm_json *json, const struct sm_view *view, size_t index)
{
	const struct sm_view_loader *loader = &view->loaders[index];
	const struct sm_judged_loader *judged = sm_view_judged(view, loader);
	sm_json_begin_object(json, NULL);
	text(json, "name", loader->name);
	sm_figures_count(json, "rank", loader->rank);
	sm_figures_count(json, "num_workers", loader->num_workers);
	sm_figures_count(json, "batch_size", loader->batch_size);
	number(json, "batches", loader->batches);
	number(json, "waiting_s", loader->waiting_s);
	share(json, "recent_stall_share", loader->stall_share);
	share(json, "exposed_stall_share", judged ? judged->stall_share : NAN);
	write_stages(json, judged);
	sm_json_begin_array(json, "workers");
	for (size_t i = 0; i < view->worker_count; i++) {
		if (view->workers[i].loader == index) {
			write_worker(json, &view->workers[i]);
		}
	}
	sm_json_end(json);
	sm_json_end(json);
}

static void write_counters(struct sm_json *json, const struct sm_view *view)
{
	static const char *const units[] = {"cores", "bytes", "bytes/s", "share"};
	sm_json_begin_array(json, "counters");
	for (size_t i = 0; i < view->counter_count; i++) {
		const struct sm_view_counter *counter = &view->counters[i];
		sm_json_begin_object(json, NULL);
		text(json, "counter", counter->key);
		sm_figures_count(json, "instance", counter->instance);
		text(json, "unit", units[counter->unit]);
		number(json, "value", counter->value);
		number(json, "limit", counter->limit);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_alerts(struct sm_json *json, const struct sm_view *view)
{
	sm_json_begin_array(json, "alerts");
	for (size_t i = 0; i < view->alert_count; i++) {
		sm_json_begin_object(json, NULL);
		text(json, "kind", view->alerts[i].kind);
		share(json, "value", view->alerts[i].value);
		share(json, "threshold", view->alerts[i].threshold);
		number(json, "since_s", view->alerts[i].since_s);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_finding(struct sm_json *json, const struct sm_judged_finding *finding)
{
	sm_json_begin_object(json, NULL);
	text(json, "id", finding->id);
	text(json, "type", finding->type);
	text(json, "title", finding->title);
	text(json, "where", finding->where);
	share(json, "severity", finding->severity);
	sm_json_begin_array(json, "severity_ci");
	share(json, NULL, finding->severity_low);
	share(json, NULL, finding->severity_high);
	sm_json_end(json);
	text(json, "risk", finding->risk);
	sm_json_end(json);
}

int sm_view_json(const struct sm_view *view, FILE *out)
{
	struct sm_json json;
	sm_json_init(&json, out, 0);
	sm_json_begin_object(&json, NULL);
	text(&json, "schema", "stallmeter/top/1");
	text(&json, "state", sm_view_state_name(view->state));
	write_run(&json, view);
	write_verdict(&json, view);
	write_steps(&json, view);
	write_recent(&json, view);
	sm_json_begin_array(&json, "loaders");
	for (size_t i = 0; i < view->loader_count; i++) {
		write_loader(&json, view, i);
	}
	sm_json_end(&json);
	write_counters(&json, view);
	write_alerts(&json, view);
	sm_json_begin_array(&json, "findings");
	for (size_t i = 0; i < view->judgement.finding_count; i++) {
		write_finding(&json, &view->judgement.findings[i]);
	}
	sm_json_end(&json);
	sm_json_end(&json);
	fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}
