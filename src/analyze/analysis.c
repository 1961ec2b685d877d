#include "analyze/analysis.h"

#include "analyze/attribution.h"
#include "analyze/hot_lines.h"
#include "analyze/rows.h"
#include "analyze/stalls.h"
#include "analyze/steps.h"
#include "analyze/verdict.h"
#include "base/metric.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { SHARE_WALL_LEAST_S = 1 };

static double number_fact(const struct sm_model *model, const char *key)
{
	const char *text = sm_model_fact(model, key);
	char *stop;
	double value = text ? strtod(text, &stop) : NAN;
	return text && stop != text ? value : NAN;
}

double sm_analysis_loader_time_s(const struct sm_loader *loader)
{
	return sm_steps_span(loader).time_s;
}

/* The least of what affinity, a quota and the machine allow. */
double sm_analysis_usable_cores(const struct sm_model *model)
{
	const struct sm_series *quota = sm_model_series(model, SM_METRIC_GROUP_CPU_LIMIT, 0);
	double cores = fmin(number_fact(model, "host.cpus"),
		number_fact(model, "host.cpus_usable")); /* fmin passes NaN over */
	return quota && quota->minimum > 0 ? fmin(cores, quota->minimum) : cores;
}

/* Loaders whose batches are followed by a backward or an optimizer train; of those (or of all, where none is), the
 * one that takes most of the time. */
static int find_training_loader(const struct sm_analysis *analysis)
{
	int found = -1;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		const struct sm_loader_analysis *loader = &analysis->loaders[i];
		if (!loader->steps) {
			continue;
		}
		const struct sm_loader_analysis *best =
			found < 0 ? NULL : &analysis->loaders[found];
		bool trains = loader->loader->trains, best_trains = best && best->loader->trains;
		if (!best || trains > best_trains ||
			(trains == best_trains && loader->time_s > best->time_s)) {
			found = (int)i;
		}
	}
	return found;
}

static int analyse_loader(
	struct sm_loader_analysis *ret, struct sm_model *model, struct sm_loader *loader)
{
	double charge_s[SM_STAGE_COUNT];
	*ret = (struct sm_loader_analysis){.loader = loader,
		.steps = loader->batch_total,
		.time_s = sm_steps_span(loader).time_s,
		.exposed_low = NAN,
		.exposed_high = NAN};
	int error = sm_stalls_find(ret, loader, true);
	error = error ? error : sm_attribution_walk(loader, charge_s);
	return error ? error : sm_rows_fill(ret, &model->arena, charge_s);
}

static void set_time(struct sm_analysis *analysis)
{
	int64_t begin_ns = INT64_MAX, end_ns = INT64_MIN;
	for (size_t i = 0; i < analysis->loader_count; i++) {
		struct sm_steps_span span = sm_steps_span(analysis->loaders[i].loader);
		begin_ns = span.begin_ns < begin_ns ? span.begin_ns : begin_ns;
		end_ns = span.end_ns > end_ns ? span.end_ns : end_ns;
	}
	/* Events tell less than the run where nothing was recorded; the collector was there for all of it. */
	analysis->wall_s = fmax(
		(double)(analysis->model->end_ns - analysis->model->begin_ns) * 1e-9,
		number_fact(analysis->model, "collector.wall_s")); /* fmax passes NaN over */
	analysis->begin_ns = begin_ns == INT64_MAX ? analysis->model->begin_ns : begin_ns;
	analysis->end_ns = end_ns == INT64_MIN ? analysis->model->end_ns : end_ns;
	analysis->time_s = begin_ns < end_ns ? (double)(end_ns - begin_ns) * 1e-9 : NAN;
	if (analysis->loader_count) { /* ranks train side by side, and try side by side */
		int rank = analysis->loaders[0].loader->rank;
		analysis->time_s -= sm_steps_interlude_s(analysis->model, rank, begin_ns, end_ns);
	}
}

/* What starting and ending take is spread over nothing in a run of a few milliseconds, and more than 100 % of it: true, and
 * no measure of what watching costs. */
static void set_own_cost(struct sm_analysis *analysis)
{
	double wall_s = number_fact(analysis->model, "collector.wall_s");
	bool is_short = wall_s < SHARE_WALL_LEAST_S;
	analysis->own_cpu_s = number_fact(analysis->model, "collector.cpu_s");
	analysis->own_cpu_share = is_short ? NAN : analysis->own_cpu_s / wall_s;
	if (is_short && !isnan(analysis->own_cpu_s)) {
		analysis->no_own_share_why =
			"the run took less than a second, of which starting and ending are most";
	}
}

int sm_analysis_build(
	struct sm_analysis *ret_analysis, struct sm_model *model, struct sm_error *reterr)
{
	struct sm_analysis analysis = {.model = model,
		.arena = &model->arena,
		.loader_count = model->loader_count,
		.training_loader = -1};
	analysis.loaders = sm_arena_alloc(
		&model->arena, (model->loader_count + 1) * sizeof(*analysis.loaders));
	int error = analysis.loaders ? 0 : -ENOMEM;
	for (size_t i = 0; i < model->loader_count && !error; i++) {
		error = analyse_loader(&analysis.loaders[i], model, &model->loaders[i]);
	}
	if (!error) {
		set_time(&analysis);
		set_own_cost(&analysis);
		analysis.usable_cores = sm_analysis_usable_cores(model);
		analysis.training_loader = find_training_loader(&analysis);
		const struct sm_loader *trained =
			analysis.training_loader < 0 ? NULL
						     : &model->loaders[analysis.training_loader];
		sm_hot_lines_find(&analysis);
		error = sm_steps_find(&analysis.steps, &model->arena, model, trained);
	}
	error = error ? error : sm_verdict_judge(&analysis, &model->arena);
	if (error) {
		return sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	}
	*ret_analysis = analysis;
	return 0;
}
