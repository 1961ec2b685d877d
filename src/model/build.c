#include "model/build.h"

#include "base/mem.h"
#include "model/build_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sm_build_create(struct sm_build **ret_build, struct sm_model *model)
{
	struct sm_build *build = sm_mem_calloc(1, sizeof(*build));
	if (!build) {
		return -ENOMEM;
	}
	build->model = model;
	build->first_ns = INT64_MAX;
	build->last_ns = INT64_MIN;
	*ret_build = build;
	return 0;
}

static void finish_thread(struct sm_build_thread *thread)
{
	if (thread->fetcher) {
		if (thread->fetcher->owns_sums) {
			sm_build_sums_finish(thread->fetcher->sums);
			sm_mem_free(thread->fetcher->sums);
		}
		sm_mem_free(thread->fetcher->samples);
	}
	sm_mem_free(thread->fetcher);
	if (thread->consumer) {
		sm_mem_free(thread->consumer->steps);
	}
	sm_mem_free(thread->consumer);
	sm_mem_free(thread->sessions);
	sm_mem_free(thread->frames);
	sm_mem_free(thread->details);
	sm_mem_free(thread);
}

static void finish_loader(struct sm_build_loader *loader)
{
	sm_build_sums_finish(&loader->sums);
	sm_mem_free(loader->workers);
	sm_mem_free(loader->epochs);
	sm_mem_free(loader->open);
	sm_mem_free(loader->sent);
	sm_mem_free(loader);
}

void sm_build_destroy(struct sm_build *build)
{
	if (!build) {
		return;
	}
	for (size_t i = 0; i < build->thread_count; i++) {
		finish_thread(build->threads[i]);
	}
	for (size_t i = 0; i < build->loader_count; i++) {
		finish_loader(build->loaders[i]);
	}
	for (size_t i = 0; i < build->process_capacity; i++) {
		sm_mem_free(build->processes[i].names);
	}
	sm_build_series_finish(build);
	sm_build_stacks_finish(build);
	sm_build_recent_finish(&build->recent);
	struct sm_map *maps[] = {&build->thread_by_id, &build->operation_by_text,
		&build->transform_by_text, &build->process_by_pid, &build->worker_by_pid,
		&build->series_by_id, &build->row_by_key, &build->share_by_key};
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		sm_map_finish(maps[i]);
	}
	void *tables[] = {build->threads, build->loaders, build->processes, build->transforms,
		build->fetches, build->batches, build->samples, build->feeds, build->sessions,
		build->losses, build->rows, build->shares};
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		sm_mem_free(tables[i]);
	}
	sm_arena_finish(&build->scratch);
	sm_mem_free(build);
}

int sm_build_grow(struct sm_build *build, void *items_pointer, size_t *capacity, size_t want,
	size_t element_bytes)
{
	if (want <= *capacity) {
		return 0;
	}
	size_t next = *capacity ? *capacity * 2 : 16;
	next = next < want ? want : next;
	void *items = sm_arena_alloc(&build->model->arena, next * element_bytes);
	if (!items) {
		return -ENOMEM;
	}
	void *old;
	memcpy(&old, items_pointer, sizeof(old));
	if (old) {
		memcpy(items, old, *capacity * element_bytes);
	}
	memcpy(items_pointer, &items, sizeof(items));
	*capacity = next;
	return 0;
}

bool sm_build_keeps(const struct sm_build *build, int32_t iteration, int32_t sequence)
{
	if (!build->level || iteration < 0 || sequence < 0) {
		return true;
	}
	uint32_t block = (uint32_t)iteration + (uint32_t)sequence / SM_MODEL_BLOCK;
	return (block & ((1u << build->level) - 1)) == 0;
}

/* Samples of the batches that stay move together; batches without workers own theirs, the others' are with the fetch. */
static void keep_samples_of(
	struct sm_build *build, struct sm_batch *batch, struct sm_sample_time *into, size_t *count)
{
	memcpy(into + *count, build->samples + batch->sample_first,
		batch->sample_count * sizeof(*into));
	batch->sample_first = (uint32_t)*count;
	*count += batch->sample_count;
}

static void thin_tables(struct sm_build *build, struct sm_sample_time *samples)
{
	size_t fetches = 0, batches = 0, sample_count = 0;
	for (size_t i = 0; i < build->fetch_count; i++) {
		if (sm_build_keeps(
			    build, build->fetches[i].iteration, build->fetches[i].sequence)) {
			build->fetches[fetches] = build->fetches[i];
			keep_samples_of(
				build, &build->fetches[fetches++].part, samples, &sample_count);
		}
	}
	for (size_t i = 0; i < build->batch_count; i++) {
		const struct sm_build_batch *batch = &build->batches[i];
		int32_t sequence = batch->sequence >= 0 ? batch->sequence : batch->batch.task;
		if (sm_build_keeps(build, batch->batch.iteration, sequence)) {
			build->batches[batches] = *batch;
			keep_samples_of(
				build, &build->batches[batches++].batch, samples, &sample_count);
		}
	}
	for (size_t i = 0; i < build->thread_count; i++) {
		struct sm_build_thread *thread = build->threads[i];
		if (thread->fetcher && thread->fetcher->has_done) {
			keep_samples_of(build, &thread->fetcher->done.part, samples, &sample_count);
		}
		if (thread->consumer && thread->consumer->has_current) {
			keep_samples_of(
				build, &thread->consumer->current.batch, samples, &sample_count);
		}
	}
	build->fetch_count = fetches;
	build->batch_count = batches;
	build->sample_count = sample_count;
}

static bool is_full(const struct sm_build *build, size_t eighths)
{
	return build->fetch_count * 8 >= eighths * SM_MODEL_BATCHES_MAX ||
	       build->batch_count * 8 >= eighths * SM_MODEL_BATCHES_MAX ||
	       build->sample_count * 8 >= eighths * SM_MODEL_SAMPLES_MAX;
}

static int thin_once(struct sm_build *build)
{
	struct sm_sample_time *samples = sm_mem_alloc((build->sample_count + 1) * sizeof(*samples));
	if (!samples) {
		return -ENOMEM;
	}
	size_t room = build->sample_count + 1;
	thin_tables(build, samples);
	sm_mem_free(build->samples);
	build->samples = samples;
	build->sample_capacity = room;
	return 0;
}

/* Until an eighth is free. */
int sm_build_thin(struct sm_build *build)
{
	enum { LEVEL_MAX = 24 };
	bool is_thinning = is_full(build, 8);
	int error = is_thinning ? thin_once(build) : 0;
	while (!error && is_full(build, 7) && is_thinning && build->level < LEVEL_MAX) {
		build->level++;
		error = thin_once(build);
	}
	return error;
}

/* --- the visitor --- */

static int see_begin(void *context, int64_t started_ns)
{
	((struct sm_build *)context)->started_ns = started_ns;
	return 0;
}

static int see_run(void *context, const char *key, const char *value)
{
	struct sm_build *build = context;
	struct sm_model *model = build->model;
	return sm_build_facts_pair(
		build, &model->facts, &model->fact_count, &build->fact_capacity, key, value);
}

static int see_process(void *context, const struct sm_trace_process *process)
{
	return sm_build_names_process(context, process);
}

static int see_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	return sm_build_names_add(context, process, name);
}

static int see_events(void *context, const struct sm_trace_events *events)
{
	struct sm_build *build = context;
	return events->process < build->model->process_count ? sm_build_spans_add(build, events)
							     : 0;
}

static int see_samples(void *context, const struct sm_trace_samples *samples)
{
	return sm_build_series_add(context, samples);
}

static int see_loss(
	void *context, uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	(void)events;
	return sm_build_sessions_lose(context, process, first_ns, last_ns);
}

static int see_note(void *context, const char *what, const char *why)
{
	return sm_build_facts_note(context, what, why);
}

static int see_alert(void *context, const struct sm_trace_alert *alert)
{
	return sm_build_alerts_add(context, alert);
}

struct sm_trace_visitor sm_build_visitor(struct sm_build *build)
{
	return (struct sm_trace_visitor){
		.context = build,
		.begin = see_begin,
		.run = see_run,
		.process = see_process,
		.name = see_name,
		.events = see_events,
		.samples = see_samples,
		.loss = see_loss,
		.note = see_note,
		.alert = see_alert,
	};
}

/* --- when all is read --- */

static int copy_processes(struct sm_build *build)
{
	struct sm_model *model = build->model;
	model->processes = sm_arena_alloc(
		&model->arena, (model->process_count + 1) * sizeof(*model->processes));
	if (!model->processes) {
		return -ENOMEM;
	}
	int highest = -1;
	for (size_t i = 0; i < model->process_count; i++) {
		model->processes[i] = build->processes[i].info;
		highest = model->processes[i].rank > highest ? model->processes[i].rank : highest;
	}
	model->ranks = highest < 0 ? 1 : highest + 1;
	return 0;
}

static void set_run(struct sm_build *build, const struct sm_trace_summary *summary)
{
	struct sm_model *model = build->model;
	const char *started = sm_model_fact(model, "started_real_ns");
	model->started_real_ns = started ? strtoll(started, NULL, 10) : 0;
	bool told = build->started_ns > 0 && build->started_ns < build->first_ns;
	bool is_empty = build->first_ns == INT64_MAX; /* nothing was recorded, only sampled */
	model->begin_ns = told ? build->started_ns : is_empty ? 0 : build->first_ns;
	model->end_ns = is_empty ? model->begin_ns : build->last_ns;
	model->events = summary->events;
	model->events_lost = summary->events_lost;
	model->complete = summary->complete;
}

int sm_build_complete(struct sm_build *build, const struct sm_trace_summary *summary)
{
	int error = sm_build_spans_finish(build);
	error = error ? error : sm_build_stacks_complete(build);
	error = error ? error : sm_build_consume_finish(build);
	error = error ? error : copy_processes(build);
	if (!error) {
		set_run(build, summary);
	}
	error = error ? error : sm_build_sessions_complete(build);
	if (!error) {
		sm_build_alerts_complete(build);
	}
	error = error ? error : sm_build_series_complete(build);
	error = error ? error : sm_build_join(build);
	return error ? error : sm_build_lanes(build);
}
