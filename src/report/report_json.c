/* report.json, schema stallmeter/report/1: every key always there, what could not be measured null and named in
 * `not_measured`. docs/report-1.schema.json says the same to machines, docs/reading-a-report.md to people. */
#include "report/report_json.h"

#include "report/figures.h"
#include "report/metrics.h"
#include "report/not_measured.h"
#include "report/outline.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

enum { LIST_SEPARATOR = '\x1f' };

static const char *fact(const struct sm_model *model, const char *key)
{
	const char *value = sm_model_fact(model, key);
	return value ? value : "";
}

static void write_time(struct sm_json *json, const char *key, int64_t real_ns)
{
	char text[40];
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm utc;
	bool known = real_ns > 0 && gmtime_r(&seconds, &utc) &&
		     strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	sm_json_string(json, key, known ? text : NULL);
}

/* Calls `write` for each element of a list with separators between; an empty text is an empty list. */
static int each_element(struct sm_json *json, struct sm_arena *arena, const char *list,
	void (*write)(struct sm_json *json, const char *element))
{
	while (*list) {
		const char *end = strchrnul(list, LIST_SEPARATOR);
		char *element = sm_arena_strndup(arena, list, (size_t)(end - list));
		if (!element) {
			return -ENOMEM;
		}
		write(json, element);
		list = *end ? end + 1 : end;
	}
	return 0;
}

static void write_word(struct sm_json *json, const char *element)
{
	sm_json_string(json, NULL, element);
}

static void write_gpu(struct sm_json *json, const char *element)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "name", element);
	sm_json_end(json);
}

static int write_run(struct sm_json *json, struct sm_arena *arena, const struct sm_report *report)
{
	const struct sm_model *model = report->model;
	sm_json_begin_object(json, "run");
	sm_json_string(json, "id", fact(model, "id"));
	sm_json_string(json, "name", fact(model, "name"));
	sm_json_begin_array(json, "command");
	int rc = each_element(json, arena, fact(model, "command"), write_word);
	sm_json_end(json);
	write_time(json, "started_at", model->started_real_ns);
	sm_figures_number(json, "wall_s", report->analysis->wall_s);
	sm_json_string(json, "level", fact(model, "level"));
	sm_json_int(json, "ranks", model->ranks);
	sm_json_bool(json, "complete", model->complete);
	sm_json_int(json, "events", (int64_t)model->events);
	sm_json_int(json, "events_lost", (int64_t)model->events_lost);
	sm_json_begin_object(json, "overhead");
	sm_figures_number(json, "cpu_s", report->analysis->own_cpu_s);
	sm_figures_share(json, "cpu_share", report->analysis->own_cpu_share);
	sm_json_end(json);
	sm_json_end(json);
	return rc;
}

static int write_host(struct sm_json *json, struct sm_arena *arena, const struct sm_model *model)
{
	sm_json_begin_object(json, "host");
	sm_figures_parsed(json, "cpus", fact(model, "host.cpus"));
	sm_figures_parsed(json, "cpus_usable", fact(model, "host.cpus_usable"));
	sm_figures_parsed(json, "memory_bytes", fact(model, "host.memory_bytes"));
	sm_figures_parsed(json, "memory_limit_bytes", fact(model, "host.memory_limit_bytes"));
	sm_figures_parsed(json, "shm_bytes", fact(model, "host.shm_bytes"));
	sm_json_begin_array(json, "gpus");
	int rc = each_element(json, arena, fact(model, "host.gpus"), write_gpu);
	sm_json_end(json);
	sm_json_end(json);
	return rc;
}

static void write_verdict(struct sm_json *json, const struct sm_verdict *verdict)
{
	sm_json_begin_object(json, "verdict");
	sm_json_string(json, "class", sm_analysis_class_name(verdict->class_));
	sm_json_string(json, "sentence", verdict->sentence ? verdict->sentence : "");
	sm_json_string(json, "missing", verdict->missing);
	sm_figures_share(json, "exposed_stall_share", verdict->exposed_stall_share);
	sm_figures_shares(json, "exposed_stall_ci",
		(double[]){verdict->exposed_low, verdict->exposed_high}, 2);
	sm_figures_share(json, "hidden_wait_share", verdict->hidden_wait_share);
	sm_figures_share(json, "transfer_share", verdict->transfer_share);
	sm_figures_share(json, "host_share", verdict->host_share);
	sm_figures_number(json, "ceiling_speedup", verdict->ceiling_speedup);
	sm_json_end(json);
}

static void write_steps(struct sm_json *json, const struct sm_steps *steps)
{
	sm_json_begin_object(json, "steps");
	sm_json_int(json, "count", (int64_t)steps->count);
	sm_json_int(json, "warmup", (int64_t)steps->warmup);
	sm_figures_number(json, "mean_s", steps->mean_s);
	sm_figures_number(json, "p50_s", steps->p50_s);
	sm_figures_number(json, "p95_s", steps->p95_s);
	sm_figures_number(json, "p99_s", steps->p99_s);
	sm_figures_number(json, "samples_per_s", steps->samples_per_s);
	sm_json_end(json);
}

static void write_passed(struct sm_json *json, const struct sm_findings *findings)
{
	sm_json_begin_array(json, "passed");
	for (size_t i = 0; i < findings->passed_count; i++) {
		sm_json_string(json, NULL, findings->passed[i]->id);
	}
	sm_json_end(json);
}

static void write_reason(void *context, const char *what, const char *why)
{
	struct sm_json *json = context;
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "what", what);
	sm_json_string(json, "why", why);
	sm_json_end(json);
}

static void write_operations(struct sm_json *json, const struct sm_model *model)
{
	sm_json_begin_array(json, "operations");
	for (size_t i = 0; i < model->operation_count; i++) {
		const struct sm_operation *operation = &model->operations[i];
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "name", operation->name);
		sm_json_string(json, "type", operation->type ? operation->type : "");
		sm_json_int(json, "count", (int64_t)operation->count);
		sm_figures_ns(json, "inclusive_s", operation->inclusive_ns);
		sm_figures_ns(json, "self_s", operation->self_ns);
		sm_figures_number(json, "p50_s", sm_sketch_quantile(&operation->wall_s, 0.5));
		sm_figures_number(json, "p99_s", sm_sketch_quantile(&operation->wall_s, 0.99));
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_summary(struct sm_json *json, const struct sm_metrics_summary *summary)
{
	sm_json_begin_object(json, "summary");
	sm_figures_number(json, "mean", summary->mean);
	sm_figures_number(json, "min", summary->minimum);
	sm_figures_number(json, "max", summary->maximum);
	sm_figures_number(json, "last", summary->last);
	sm_json_end(json);
}

static void write_parts(struct sm_json *json, const struct sm_metrics_row *row)
{
	sm_json_begin_array(json, "parts");
	for (size_t i = 0; i < row->part_count; i++) {
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "name", row->parts[i].name);
		write_summary(json, &row->parts[i].summary);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_metric(
	struct sm_json *json, const struct sm_metrics *metrics, const struct sm_metrics_row *row)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "name", row->name);
	sm_json_string(json, "title", row->title);
	sm_json_string(json, "group", row->group);
	sm_json_string(json, "unit", row->unit);
	sm_json_string(json, "description", row->description);
	sm_json_string(json, "detail", row->detail);
	sm_json_string(json, "missing", row->missing);
	write_summary(json, &row->summary);
	sm_json_begin_object(json, "series");
	sm_figures_drawn(json, "time_s", metrics->time_s, row->value ? metrics->count : 0);
	sm_figures_drawn(json, "value", row->value, row->value ? metrics->count : 0);
	sm_json_end(json);
	write_parts(json, row);
	sm_json_end(json);
}

static int write_metrics(
	struct sm_json *json, struct sm_arena *arena, const struct sm_report *report)
{
	struct sm_metrics metrics = {0};
	int rc = sm_metrics_build(&metrics, arena, report);
	sm_json_begin_array(json, "metrics");
	for (size_t i = 0; i < metrics.row_count; i++) {
		write_metric(json, &metrics, &metrics.rows[i]);
	}
	sm_json_end(json);
	return rc;
}

static void write_alerts(struct sm_json *json, const struct sm_model *model)
{
	sm_json_begin_array(json, "alerts");
	for (size_t i = 0; i < model->alert_count; i++) {
		const struct sm_alert *alert = &model->alerts[i];
		sm_json_begin_object(json, NULL);
		sm_figures_number(json, "time_s", alert->time_s);
		sm_json_string(json, "kind", alert->kind);
		sm_figures_number(json, "value", alert->value);
		sm_figures_number(json, "threshold", alert->threshold);
		sm_json_string(json, "state", alert->begins ? "begin" : "end");
		sm_json_end(json);
	}
	sm_json_end(json);
}

/* "memory=0.8" */
static void write_watched_kind(struct sm_json *json, const char *element)
{
	const char *equals = strchrnul(element, '=');
	char kind[64];
	snprintf(kind, sizeof(kind), "%.*s", (int)(equals - element), element);
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "kind", kind);
	sm_figures_parsed(json, "threshold", *equals ? equals + 1 : "");
	sm_json_end(json);
}

static int write_watched(struct sm_json *json, struct sm_arena *arena, const struct sm_model *model)
{
	sm_json_begin_array(json, "watched");
	int rc = each_element(json, arena, fact(model, "watched"), write_watched_kind);
	sm_json_end(json);
	return rc;
}

int sm_report_json_write(struct sm_json *json, const char *key, const struct sm_report *report)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	sm_json_begin_object(json, key);
	sm_json_string(json, "schema", "stallmeter/report/1");
	int rc = write_run(json, &arena, report);
	rc = write_host(json, &arena, report->model) || rc ? -ENOMEM : 0;
	write_verdict(json, &report->analysis->verdict);
	write_steps(json, &report->analysis->steps);
	sm_report_json_loaders_write(json, report);
	sm_report_json_findings_write(json, report->findings);
	write_passed(json, report->findings);
	sm_json_begin_array(json, "not_measured");
	sm_not_measured_each(report, write_reason, json);
	rc = sm_metrics_each_missing(report, write_reason, json) || rc ? -ENOMEM : 0;
	sm_json_end(json);
	sm_report_json_lines_write(json, report);
	write_operations(json, report->model);
	rc = sm_report_json_sessions_write(json, &arena, report->model) || rc ? -ENOMEM : 0;
	write_alerts(json, report->model);
	rc = write_watched(json, &arena, report->model) || rc ? -ENOMEM : 0;
	rc = write_metrics(json, &arena, report) || rc ? -ENOMEM : 0;
	sm_json_end(json);
	sm_arena_finish(&arena);
	return rc;
}

int sm_report_json(const struct sm_report *report, FILE *out)
{
	struct sm_json json;
	sm_json_init(&json, out, 2);
	int rc = sm_report_json_write(&json, NULL, report);
	return rc ? rc : fflush(out) || ferror(out) ? -EIO : 0;
}
