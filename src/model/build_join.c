/* Joins the two sides when all is read, and lays out the loaders' tables in the model. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Iterations, workers and sequences beyond these widths are not joined. */
static uint64_t batch_key(uint32_t loader, int32_t iteration, int32_t worker, int32_t sequence)
{
	return (uint64_t)loader << 56 ^ (uint64_t)(uint32_t)iteration << 36 ^
	       (uint64_t)(uint32_t)worker << 24 ^ (uint64_t)(uint32_t)sequence;
}

/* Whose batch this was, as far as it can be told: by the fact of the worker's start, by the ordinal that the worker
 * itself gave, or because there is only one loader. */
static struct sm_build_loader *owner_of(const struct sm_build *build, struct sm_build_fetch *fetch)
{
	const struct sm_build_worker *worker;
	struct sm_build_loader *loader =
		sm_build_loader_of_worker(build, fetch->process, fetch->tid, &worker);
	if (loader) {
		fetch->iteration = worker->iteration + (int32_t)fetch->fetcher;
		fetch->worker = fetch->worker < 0 ? worker->index : fetch->worker;
		return loader;
	}
	loader = sm_build_loader_of_parent(build, fetch->process, fetch->loader);
	return loader ? loader : build->loader_count == 1 ? build->loaders[0] : NULL;
}

static int index_fetches(struct sm_build *build, struct sm_map *by_key, struct sm_map *by_nth)
{
	int error = 0;
	for (size_t i = 0; i < build->fetch_count && !error; i++) {
		struct sm_build_fetch *fetch = &build->fetches[i];
		const struct sm_build_loader *loader = owner_of(build, fetch);
		if (loader) {
			error = sm_map_set(by_key,
				batch_key(loader->index, fetch->iteration, fetch->worker,
					fetch->sequence),
				i);
			error = error ? error
				      : sm_map_set(by_nth,
						(uint64_t)fetch->process << 32 | fetch->nth, i);
		}
	}
	return error;
}

static void join_feeds(struct sm_build *build, const struct sm_map *by_nth)
{
	for (size_t i = 0; i < build->feed_count; i++) {
		const struct sm_build_feed *feed = &build->feeds[i];
		uint64_t at;
		if (sm_map_find(by_nth, (uint64_t)feed->process << 32 | feed->nth, &at)) {
			build->fetches[at].part.serialize_ns = feed->wall_ns;
			build->fetches[at].part.sent_ns = feed->end_ns;
			build->fetches[at].part.bytes = feed->bytes;
			build->fetches[at].part.tensor_bytes = feed->tensor_bytes;
		}
	}
}

void sm_build_join_fetch(struct sm_batch *batch, const struct sm_batch *part)
{
	batch->start_ns = part->start_ns;
	batch->done_ns = part->done_ns;
	batch->fetch_ns = part->fetch_ns;
	batch->transform_ns = part->transform_ns;
	batch->collate_ns = part->collate_ns;
	batch->fetch_cpu_ns = part->fetch_cpu_ns;
	batch->fetch_blocked_ns = part->fetch_blocked_ns;
	batch->fetch_run_delay_ns = part->fetch_run_delay_ns;
	batch->fetch_input_ns = part->fetch_input_ns;
	batch->cpu_ns = part->cpu_ns;
	batch->run_delay_ns = part->run_delay_ns;
	batch->helper_cpu_ns = part->helper_cpu_ns;
	batch->sample_first = part->sample_first;
	batch->sample_count = part->sample_count;
}

static void take_part(struct sm_batch *batch, const struct sm_batch *part)
{
	sm_build_join_fetch(batch, part);
	batch->count = batch->count > 0 ? batch->count : part->count;
	batch->serialize_ns = part->serialize_ns;
	batch->sent_ns = part->sent_ns > 0 ? part->sent_ns : -1;
	batch->bytes = batch->bytes ? batch->bytes : part->bytes;
	batch->tensor_bytes = part->tensor_bytes;
}

/* The loop waited for a batch whose worker, or the feeder that pickles for it, was still at work when it was asked for.
 * What was pickled before lay in the queue: however long the call then took (a busy machine, a batch of many megabytes
 * that goes through the pipe only while somebody reads), the worker could have done nothing about it. */
static void judge_arrival(struct sm_batch *batch)
{
	int64_t taken_ns = batch->arrive_ns - batch->deserialize_ns;
	if (batch->worker < 0 || batch->start_ns < 0 || batch->done_ns > batch->deliver_ns) {
		return;
	}
	if (batch->arrive_ns < 0 || taken_ns < batch->done_ns) {
		taken_ns = batch->done_ns;
	}
	if (batch->done_ns > batch->request_ns || batch->sent_ns > batch->request_ns) {
		batch->ready_ns = taken_ns;
	}
}

static void join_batches(struct sm_build *build, const struct sm_map *by_key)
{
	for (size_t i = 0; i < build->batch_count; i++) {
		struct sm_build_batch *batch = &build->batches[i];
		uint64_t at;
		if (batch->batch.start_ns < 0 &&
			sm_map_find(by_key,
				batch_key(batch->loader, batch->batch.iteration,
					batch->batch.worker, batch->sequence),
				&at)) {
			take_part(&batch->batch, &build->fetches[at].part);
		}
		judge_arrival(&batch->batch);
	}
}

/* Sums of threads whose loader was not known while they ran. */
static int settle_sums(struct sm_build *build)
{
	int error = 0;
	for (size_t i = 0; i < build->thread_count && !error; i++) {
		struct sm_build_thread *thread = build->threads[i];
		if (thread->fetcher && thread->fetcher->owns_sums) {
			struct sm_build_fetch probe = {.process = thread->process,
				.tid = thread->tid,
				.loader = thread->fetcher->loader};
			struct sm_build_loader *loader = owner_of(build, &probe);
			error = loader ? sm_build_sums_merge(
						 build, &loader->sums, thread->fetcher->sums)
				       : 0;
		}
	}
	return error;
}

static int by_delivery(const void *left, const void *right)
{
	const struct sm_build_batch *a = left, *b = right;
	if (a->loader != b->loader) {
		return a->loader < b->loader ? -1 : 1;
	}
	int64_t difference = a->batch.deliver_ns - b->batch.deliver_ns;
	return difference < 0 ? -1 : difference > 0;
}

static int lay_out_batches(struct sm_build *build)
{
	struct sm_model *model = build->model;
	struct sm_batch *batches =
		sm_arena_alloc(&model->arena, (build->batch_count + 1) * sizeof(*batches));
	struct sm_sample_time *samples =
		sm_arena_alloc(&model->arena, (build->sample_count + 1) * sizeof(*samples));
	if (!batches || !samples) {
		return -ENOMEM;
	}
	if (build->sample_count) {
		memcpy(samples, build->samples, build->sample_count * sizeof(*samples));
	}
	if (build->batch_count) {
		qsort(build->batches, build->batch_count, sizeof(*build->batches), by_delivery);
	}
	for (size_t i = 0; i < build->batch_count; i++) {
		struct sm_loader *loader = &build->loaders[build->batches[i].loader]->facts;
		batches[i] = build->batches[i].batch;
		loader->batches = loader->batches ? loader->batches : &batches[i];
		loader->batch_count++;
	}
	for (size_t i = 0; i < build->loader_count; i++) {
		build->loaders[i]->facts.samples = samples;
		build->loaders[i]->facts.sample_count = build->sample_count;
	}
	return 0;
}

static int by_iteration(const void *left, const void *right)
{
	const struct sm_epoch *a = left, *b = right;
	return a->iteration < b->iteration ? -1 : a->iteration > b->iteration;
}

static int lay_out_epochs(struct sm_build *build, struct sm_build_loader *loader)
{
	struct sm_loader *facts = &loader->facts;
	facts->epochs = sm_arena_alloc(
		&build->model->arena, (loader->epoch_count + 1) * sizeof(*facts->epochs));
	if (!facts->epochs) {
		return -ENOMEM;
	}
	if (loader->epoch_count) {
		memcpy(facts->epochs, loader->epochs, loader->epoch_count * sizeof(*facts->epochs));
		qsort(facts->epochs, loader->epoch_count, sizeof(*facts->epochs), by_iteration);
	}
	facts->epoch_count = loader->epoch_count;
	for (size_t i = 0; i < facts->epoch_count; i++) {
		for (size_t j = 0; j < loader->worker_count && !facts->epochs[i].respawned; j++) {
			facts->epochs[i].respawned =
				loader->workers[j].iteration == facts->epochs[i].iteration;
		}
	}
	return 0;
}

static int by_wall(const void *left, const void *right)
{
	const struct sm_transform *a = left, *b = right;
	return a->sum.wall_ns > b->sum.wall_ns ? -1 : a->sum.wall_ns < b->sum.wall_ns;
}

static int lay_out_transforms(struct sm_build *build, struct sm_build_loader *loader)
{
	struct sm_loader *facts = &loader->facts;
	const struct sm_build_sums *sums = &loader->sums;
	facts->transforms = sm_arena_alloc(
		&build->model->arena, (sums->transform_capacity + 1) * sizeof(*facts->transforms));
	if (!facts->transforms) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < sums->transform_capacity; i++) {
		if (sums->transforms[i].sum.count) {
			facts->transforms[facts->transform_count++] = sums->transforms[i];
		}
	}
	qsort(facts->transforms, facts->transform_count, sizeof(*facts->transforms), by_wall);
	return 0;
}

static int lay_out_slowest(struct sm_build *build, struct sm_build_loader *loader)
{
	struct sm_loader *facts = &loader->facts;
	struct sm_arena *arena = &build->model->arena;
	for (size_t i = 0; i < loader->sums.slowest_count; i++) {
		const struct sm_build_slow *slow = &loader->sums.slowest[i];
		facts->slowest[i].index =
			slow->text ? sm_arena_strdup(arena, slow->text)
				   : sm_arena_printf(arena, "%lld", (long long)slow->index);
		facts->slowest[i].wall_ns = slow->wall_ns;
		if (!facts->slowest[i].index) {
			return -ENOMEM;
		}
		facts->slowest_count = i + 1;
	}
	return 0;
}

/* Said by any of its workers, or by the main process. */
static const char *find_no_samples_why(
	const struct sm_build *build, const struct sm_build_loader *loader)
{
	for (size_t i = 0; i < build->thread_count; i++) {
		const struct sm_build_thread *thread = build->threads[i];
		const char *why = build->processes[thread->process].no_samples_why;
		const struct sm_build_worker *worker;
		if (why && thread->fetcher &&
			(thread->process == loader->process ||
				sm_build_loader_of_worker(
					build, thread->process, thread->tid, &worker) == loader)) {
			return why;
		}
	}
	return NULL;
}

static int lay_out_loader(struct sm_build *build, struct sm_build_loader *loader)
{
	struct sm_loader *facts = &loader->facts;
	const struct sm_process *process = &build->processes[loader->process].info;
	facts->main_pid = process->pid;
	facts->rank = process->rank;
	facts->trains = loader->trained > 0;
	facts->no_samples_why = find_no_samples_why(build, loader);
	if (!facts->name) {
		facts->name = sm_arena_printf(&build->model->arena, "loader %d", facts->ordinal);
	}
	memcpy(facts->stage, loader->sums.stage, sizeof(facts->stage));
	memcpy(facts->stage_wall_s, loader->sums.wall_s, sizeof(facts->stage_wall_s));
	int error = facts->name ? 0 : -ENOMEM;
	error = error ? error : lay_out_epochs(build, loader);
	error = error ? error : lay_out_transforms(build, loader);
	error = error ? error : lay_out_slowest(build, loader);
	return error ? error : sm_build_workers(build, loader);
}

static int by_first_use(const void *left, const void *right)
{
	const struct sm_build_loader *a = *(struct sm_build_loader *const *)left,
				     *b = *(struct sm_build_loader *const *)right;
	if (a->process != b->process) {
		return a->process < b->process ? -1 : 1;
	}
	return a->facts.ordinal < b->facts.ordinal ? -1 : a->facts.ordinal > b->facts.ordinal;
}

/* Loaders that were announced and never iterated are left out. */
static int lay_out_loaders(struct sm_build *build)
{
	struct sm_model *model = build->model;
	model->loaders =
		sm_arena_alloc(&model->arena, (build->loader_count + 1) * sizeof(*model->loaders));
	int error = model->loaders ? 0 : -ENOMEM;
	if (!error && build->loader_count) {
		qsort(build->loaders, build->loader_count, sizeof(*build->loaders), by_first_use);
	}
	for (size_t i = 0; i < build->loader_count && !error; i++) {
		struct sm_build_loader *loader = build->loaders[i];
		if (loader->facts.batch_total || loader->epoch_count) {
			error = lay_out_loader(build, loader);
			error = error ? error : sm_build_trainer(build, loader);
			model->loaders[model->loader_count++] = loader->facts;
		}
	}
	return error;
}

int sm_build_join(struct sm_build *build)
{
	struct sm_map by_key = SM_MAP_EMPTY, by_nth = SM_MAP_EMPTY;
	int error = index_fetches(build, &by_key, &by_nth);
	if (!error) {
		join_feeds(build, &by_nth);
		join_batches(build, &by_key);
		error = settle_sums(build);
	}
	sm_map_finish(&by_key);
	sm_map_finish(&by_nth);
	error = error ? error : lay_out_batches(build);
	return error ? error : lay_out_loaders(build);
}
