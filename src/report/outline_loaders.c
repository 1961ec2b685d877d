/* Loaders in words: their settings, where their time goes stage by stage, transform by transform, worker by worker. */
#include "report/outline.h"

#include <math.h>
#include <string.h>

static const char *const stage_does[SM_STAGE_COUNT] = {
	[SM_STAGE_SAMPLER] = "draws the indices of a batch",
	[SM_STAGE_FETCH] = "reads a sample",
	[SM_STAGE_TRANSFORM] = "runs the transforms of a sample",
	[SM_STAGE_COLLATE] = "makes samples into a batch",
	[SM_STAGE_TRANSPORT] = "carries a batch to the main process",
	[SM_STAGE_REORDER] = "finished, waiting for its turn",
	[SM_STAGE_PIN] = "copies into pinned memory",
	[SM_STAGE_H2D] = "copies to the device",
	[SM_STAGE_LAUNCH] = "hands work to the device",
	[SM_STAGE_COMPUTE] = "forward, backward, optimizer",
	[SM_STAGE_SYNC] = "waits for the device",
	[SM_STAGE_OTHER] = "the rest of the training loop",
};

static bool is_per_sample(enum sm_stage stage)
{
	return stage == SM_STAGE_FETCH || stage == SM_STAGE_TRANSFORM;
}

/* Parts under a twentieth are noise beside the others. */
static const char *add_spent(
	struct sm_phrases *words, const char *text, double part, double whole, const char *name)
{
	double share = part / whole;
	if (isnan(share) || share < 0.05) {
		return text;
	}
	return sm_phrases_printf(
		words, "%s%s%s %s", text, *text ? ", " : "", sm_phrases_share(words, share), name);
}

/* A share above one is real: helper threads compute while the span's own thread waits for them. */
static const char *say_spent(
	struct sm_phrases *words, double wall_s, double cpu_s, double run_delay_s, double blocked_s)
{
	const char *text = "";
	if (!(wall_s > 0)) {
		return text;
	}
	text = add_spent(words, text, cpu_s, wall_s, "CPU");
	text = add_spent(words, text, run_delay_s, wall_s, "runnable");
	return add_spent(words, text, blocked_s, wall_s, "blocked");
}

static void fill_stage(struct sm_phrases *words, const struct sm_stage_row *row, double step_s,
	struct sm_outline_stage *stage)
{
	*stage = (struct sm_outline_stage){
		.stage = row->stage,
		.name = sm_vocabulary_stage_name(row->stage),
		.does = stage_does[row->stage],
		.share = row->share,
		.share_text = sm_phrases_share(words, row->share),
		.per_step = sm_phrases_seconds(words, row->share * step_s),
		.typical = isnan(row->p50_s) ? "" : sm_phrases_seconds(words, row->p50_s),
		.slow = isnan(row->p99_s) ? "" : sm_phrases_seconds(words, row->p99_s),
		.of = is_per_sample(row->stage) ? "sample" : "batch",
		.spent =
			say_spent(words, row->wall_s, row->cpu_s, row->run_delay_s, row->blocked_s),
	};
}

static bool is_input(enum sm_stage stage)
{
	return stage < SM_STAGE_LAUNCH;
}

/* The narrow place is the widest stage; where the verdict is that the input binds, of the input's: without workers it
 * takes turns with the training, whose part may be the larger all the same. */
static void build_stages(struct sm_outline *outline, const struct sm_loader_analysis *loader,
	bool input_binds, struct sm_outline_loader *row)
{
	double step_s = loader->steps ? loader->time_s / (double)loader->steps : NAN;
	struct sm_outline_stage *widest = NULL;
	for (size_t i = 0; i < loader->stage_count; i++) {
		struct sm_outline_stage *stage = &row->stages[row->stage_count++];
		fill_stage(&outline->words, &loader->stages[i], step_s, stage);
		bool may_bind = stage->share > 0 && (!input_binds || is_input(stage->stage));
		if (may_bind && (!widest || stage->share > widest->share)) {
			widest = stage;
		}
	}
	if (widest) {
		widest->binds = true;
	}
}

static void build_transforms(struct sm_outline *outline, const struct sm_loader_analysis *loader,
	struct sm_outline_loader *row)
{
	struct sm_phrases *words = &outline->words;
	row->transforms =
		sm_outline_alloc(outline, loader->transform_count, sizeof(*row->transforms));
	for (size_t i = 0; row->transforms && i < loader->transform_count; i++) {
		const struct sm_transform_row *from = &loader->transforms[i];
		row->transforms[row->transform_count++] = (struct sm_outline_transform){
			.name = sm_phrases_clean(words, from->transform->name),
			.where = sm_phrases_clean(words, from->transform->where),
			.calls = sm_phrases_count(words, (double)from->calls),
			.each = from->calls ? sm_phrases_seconds(
						      words, from->wall_s / (double)from->calls)
					    : "",
			.spent = say_spent(words, from->wall_s, from->cpu_s, from->run_delay_s,
				from->blocked_s),
			.share = from->share,
			.share_text = sm_phrases_share(words, from->share),
		};
	}
}

double sm_outline_loaders_busy_share(const struct sm_worker *worker)
{
	return worker->alive_ns > 0 ? (double)worker->busy_ns / (double)worker->alive_ns : NAN;
}

static const char *known_bytes(struct sm_phrases *words, int64_t bytes)
{
	return bytes < 0 ? "" : sm_phrases_bytes(words, (double)bytes);
}

static void build_workers(
	struct sm_outline *outline, const struct sm_loader *loader, struct sm_outline_loader *row)
{
	struct sm_phrases *words = &outline->words;
	row->workers = sm_outline_alloc(outline, loader->worker_count, sizeof(*row->workers));
	for (size_t i = 0; row->workers && i < loader->worker_count; i++) {
		const struct sm_worker *from = &loader->workers[i];
		row->workers[row->worker_count++] = (struct sm_outline_worker){
			.name = sm_phrases_printf(words, "%d", from->index),
			.pid = sm_phrases_printf(words, "%d", from->pid),
			.busy = sm_phrases_share(words, sm_outline_loaders_busy_share(from)),
			.cpu = from->cpu_ns < 0
				       ? ""
				       : sm_phrases_seconds(words, (double)from->cpu_ns / 1e9),
			.memory = known_bytes(words, from->rss_bytes),
			.read = known_bytes(words, from->read_bytes),
		};
	}
}

static void build_slowest(
	struct sm_outline *outline, const struct sm_loader *loader, struct sm_outline_loader *row)
{
	row->slowest = sm_outline_alloc(outline, loader->slowest_count, sizeof(*row->slowest));
	for (size_t i = 0; row->slowest && i < loader->slowest_count; i++) {
		row->slowest[row->slowest_count++] = (struct sm_outline_pair){
			sm_phrases_clean(&outline->words, loader->slowest[i].index),
			sm_phrases_seconds(
				&outline->words, (double)loader->slowest[i].wall_ns / 1e9)};
	}
}

static const char *say_workers(struct sm_phrases *words, const struct sm_loader *loader)
{
	bool threads = loader->start_method && strcmp(loader->start_method, "thread") == 0;
	if (loader->num_workers < 0) {
		return "unknown number of workers";
	}
	if (loader->num_workers == 0) {
		return "no workers: batches are made in the training process";
	}
	return sm_phrases_printf(words, "%d %s%s", loader->num_workers,
		threads ? "thread worker" : "worker", loader->num_workers == 1 ? "" : "s");
}

static const char *say_settings(struct sm_phrases *words, const struct sm_loader *loader)
{
	const char *text = say_workers(words, loader);
	if (loader->batch_size > 0) {
		text = sm_phrases_printf(words, "%s, batch size %d", text, loader->batch_size);
	}
	if (loader->prefetch_factor > 0) {
		text = sm_phrases_printf(
			words, "%s, prefetch factor %d", text, loader->prefetch_factor);
	}
	if (loader->persistent_workers > 0) {
		text = sm_phrases_printf(words, "%s, persistent", text);
	}
	if (loader->pin_memory > 0) {
		text = sm_phrases_printf(words, "%s, pinned", text);
	}
	if (loader->in_order == 0) {
		text = sm_phrases_printf(words, "%s, out of order", text);
	}
	if (loader->num_workers > 0 && loader->start_method && *loader->start_method) {
		text = sm_phrases_printf(words, "%s, %s", text, loader->start_method);
	}
	return sm_phrases_clean(words, text);
}

static const char *say_stalls(struct sm_phrases *words, const struct sm_loader_analysis *loader)
{
	const char *text = sm_phrases_printf(words, "%s batches in %s, stall %s",
		sm_phrases_count(words, (double)loader->steps),
		sm_phrases_seconds(words, loader->time_s),
		sm_phrases_share_of(
			words, loader->exposed_share, loader->exposed_low, loader->exposed_high));
	return isnan(loader->ceiling_speedup)
		       ? text
		       : sm_phrases_printf(words, "%s, ceiling %s", text,
				 sm_phrases_times(words, loader->ceiling_speedup));
}

static void build_loader(struct sm_outline *outline, const struct sm_loader_analysis *loader,
	bool input_binds, struct sm_outline_loader *row)
{
	*row = (struct sm_outline_loader){
		.loader = loader,
		.name = sm_phrases_clean(&outline->words, loader->loader->name),
		.settings = say_settings(&outline->words, loader->loader),
		.stalls = say_stalls(&outline->words, loader),
	};
	build_stages(outline, loader, input_binds, row);
	build_transforms(outline, loader, row);
	build_workers(outline, loader->loader, row);
	build_slowest(outline, loader->loader, row);
}

void sm_outline_loaders_build(struct sm_outline *outline, const struct sm_report *report)
{
	const struct sm_analysis *analysis = report->analysis;
	outline->loaders =
		sm_outline_alloc(outline, analysis->loader_count, sizeof(*outline->loaders));
	for (size_t i = 0; outline->loaders && i < analysis->loader_count; i++) {
		struct sm_outline_loader *row = &outline->loaders[outline->loader_count++];
		bool feeds = analysis->training_loader == (int)i;
		bool input_binds = feeds && analysis->verdict.class_ == SM_VERDICT_INPUT_BOUND;
		build_loader(outline, &analysis->loaders[i], input_binds, row);
		row->feeds_training = feeds;
		outline->training = row->feeds_training ? row : outline->training;
	}
}
