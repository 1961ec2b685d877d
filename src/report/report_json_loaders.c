#include "report/figures.h"
#include "report/outline.h"
#include "report/report_json.h"

#include <math.h>

static void write_stage(struct sm_json *json, const struct sm_stage_row *row)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "stage", sm_vocabulary_stage_name(row->stage));
	sm_figures_share(json, "share", row->share);
	sm_figures_number(json, "wall_s", row->wall_s);
	sm_figures_number(json, "cpu_s", row->cpu_s);
	sm_figures_number(json, "run_delay_s", row->run_delay_s);
	sm_figures_number(json, "blocked_s", row->blocked_s);
	sm_figures_number(json, "p50_s", row->p50_s);
	sm_figures_number(json, "p99_s", row->p99_s);
	sm_json_int(json, "count", (int64_t)row->count);
	sm_json_end(json);
}

static void write_transform(struct sm_json *json, const struct sm_transform_row *row)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "name", row->transform->name);
	sm_json_string(json, "where", row->transform->where ? row->transform->where : "");
	sm_json_int(json, "calls", (int64_t)row->calls);
	sm_figures_number(json, "wall_s", row->wall_s);
	sm_figures_number(json, "cpu_s", row->cpu_s);
	sm_figures_number(json, "run_delay_s", row->run_delay_s);
	sm_figures_number(json, "blocked_s", row->blocked_s);
	sm_figures_share(json, "share", row->share);
	sm_json_end(json);
}

static void write_worker(struct sm_json *json, const struct sm_worker *worker)
{
	sm_json_begin_object(json, NULL);
	sm_json_int(json, "index", worker->index);
	sm_json_int(json, "pid", worker->pid);
	sm_figures_share(json, "busy_share", sm_outline_loaders_busy_share(worker));
	sm_figures_ns(json, "cpu_s", worker->cpu_ns);
	sm_figures_count(json, "rss_bytes", worker->rss_bytes);
	sm_figures_count(json, "read_bytes", worker->read_bytes);
	sm_json_int(json, "batches", (int64_t)worker->batches);
	sm_json_end(json);
}

static void write_settings(struct sm_json *json, const struct sm_loader *loader)
{
	sm_json_string(json, "name", loader->name);
	sm_figures_count(json, "num_workers", loader->num_workers);
	sm_figures_count(json, "batch_size", loader->batch_size);
	sm_figures_count(json, "prefetch_factor", loader->prefetch_factor);
	sm_figures_flag(json, "pin_memory", loader->pin_memory);
	sm_figures_flag(json, "persistent_workers", loader->persistent_workers);
	sm_figures_flag(json, "in_order", loader->in_order);
	bool known = loader->start_method && *loader->start_method;
	sm_json_string(json, "start_method", known ? loader->start_method : NULL);
}

static void write_sums(struct sm_json *json, const struct sm_loader_analysis *loader)
{
	sm_figures_number(json, "time_s", loader->time_s);
	sm_json_int(json, "batches", (int64_t)loader->steps);
	sm_figures_number(json, "wait_s", loader->wait_s);
	sm_figures_number(json, "exposed_s", loader->exposed_s);
	sm_figures_number(json, "hidden_s", loader->hidden_s);
	sm_figures_share(json, "exposed_stall_share", loader->exposed_share);
	sm_figures_shares(
		json, "exposed_stall_ci", (double[]){loader->exposed_low, loader->exposed_high}, 2);
	sm_figures_number(json, "ceiling_speedup", loader->ceiling_speedup);
}

static void write_slowest(struct sm_json *json, const struct sm_loader *loader)
{
	sm_json_begin_array(json, "slowest_samples");
	for (size_t i = 0; i < loader->slowest_count; i++) {
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "index", loader->slowest[i].index);
		sm_figures_ns(json, "wall_s", loader->slowest[i].wall_ns);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_loader(struct sm_json *json, const struct sm_loader_analysis *row)
{
	sm_json_begin_object(json, NULL);
	write_settings(json, row->loader);
	write_sums(json, row);
	sm_json_begin_array(json, "stages");
	for (size_t i = 0; i < row->stage_count; i++) {
		write_stage(json, &row->stages[i]);
	}
	sm_json_end(json);
	sm_json_begin_array(json, "transforms");
	for (size_t i = 0; i < row->transform_count; i++) {
		write_transform(json, &row->transforms[i]);
	}
	sm_json_end(json);
	sm_json_begin_array(json, "workers");
	for (size_t i = 0; i < row->loader->worker_count; i++) {
		write_worker(json, &row->loader->workers[i]);
	}
	sm_json_end(json);
	write_slowest(json, row->loader);
	sm_json_end(json);
}

void sm_report_json_loaders_write(struct sm_json *json, const struct sm_report *report)
{
	sm_json_begin_array(json, "loaders");
	for (size_t i = 0; i < report->analysis->loader_count; i++) {
		write_loader(json, &report->analysis->loaders[i]);
	}
	sm_json_end(json);
}
