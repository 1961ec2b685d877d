#include "model/model_growing.h"

#include "base/mem.h"
#include "model/build.h"

#include <errno.h>

struct sm_model_growing {
	struct sm_model model;
	struct sm_build *build; /* owned */
};

int sm_model_growing_create(struct sm_model_growing **ret_growing)
{
	struct sm_model_growing *growing = sm_mem_calloc(1, sizeof(*growing));
	int error = growing ? sm_build_create(&growing->build, &growing->model) : -ENOMEM;
	error = error ? error : sm_build_recent_watch(growing->build);
	if (error) {
		sm_model_growing_destroy(growing);
		return error;
	}
	*ret_growing = growing;
	return 0;
}

void sm_model_growing_destroy(struct sm_model_growing *growing)
{
	if (growing) {
		sm_build_destroy(growing->build);
		sm_model_finish(&growing->model);
		sm_mem_free(growing);
	}
}

struct sm_trace_visitor sm_model_growing_visitor(struct sm_model_growing *growing)
{
	return sm_build_visitor(growing->build);
}

int sm_model_growing_complete(struct sm_model_growing *growing,
	const struct sm_trace_summary *summary, struct sm_model *ret_model)
{
	int error = sm_build_complete(growing->build, summary);
	if (!error) {
		*ret_model = growing->model;
		growing->model = (struct sm_model){0};
	}
	return error;
}

/* --- as of now --- */

const char *sm_model_growing_fact(const struct sm_model_growing *growing, const char *key)
{
	return sm_model_fact(&growing->model, key);
}

int64_t sm_model_growing_begin_ns(const struct sm_model_growing *growing)
{
	return growing->build->first_ns == INT64_MAX ? -1 : growing->build->first_ns;
}

int64_t sm_model_growing_last_ns(const struct sm_model_growing *growing)
{
	return growing->build->last_ns == INT64_MIN ? -1 : growing->build->last_ns;
}

const struct sm_alert *sm_model_growing_alerts(
	const struct sm_model_growing *growing, size_t *ret_count)
{
	*ret_count = growing->model.alert_count;
	return growing->model.alerts;
}

static struct sm_model_now_loader loader_now(
	const struct sm_build *build, const struct sm_build_loader *loader)
{
	const struct sm_process *process = &build->processes[loader->process].info;
	return (struct sm_model_now_loader){
		.index = loader->index,
		.facts = &loader->facts,
		.main_pid = process->pid,
		.rank = process->rank,
		.waiting_since_ns = -1,
	};
}

/* The loader whose next() a thread is in. NULL: none. */
static const struct sm_build_loader *asked_by(
	const struct sm_build *build, struct sm_build_thread *thread, int64_t *ret_since_ns)
{
	const struct sm_build_frame *frame =
		thread->consumer ? sm_build_spans_around(thread, SM_ROLE_NEXT) : NULL;
	if (!frame) {
		return NULL;
	}
	const struct sm_build_args *args = &thread->details[frame - thread->frames].args;
	int64_t ordinal = sm_build_spans_arg(args, SM_KEY_LOADER, -1);
	for (size_t i = 0; i < build->loader_count; i++) {
		const struct sm_build_loader *loader = build->loaders[i];
		if (loader->process == thread->process && loader->facts.ordinal == ordinal) {
			*ret_since_ns = frame->begin_ns;
			return loader;
		}
	}
	return NULL;
}

static size_t put_waiting(const struct sm_build *build, const struct sm_build_loader *loader,
	int64_t since_ns, struct sm_model_now_loader *loaders, size_t count, size_t room)
{
	size_t at = 0;
	while (at < count && loaders[at].index != loader->index) {
		at++;
	}
	if (at == count && count < room) {
		loaders[count++] = loader_now(build, loader);
	}
	if (at < count) {
		loaders[at].waiting_since_ns = since_ns;
	}
	return count;
}

/* A worker's process mentions the loaders that it inherited, too. */
size_t sm_model_growing_loaders(const struct sm_model_growing *growing,
	struct sm_model_now_loader *ret_loaders, size_t room)
{
	const struct sm_build *build = growing->build;
	size_t count = 0;
	for (size_t i = 0; i < build->loader_count && count < room; i++) {
		if (build->loaders[i]->facts.batch_total) {
			ret_loaders[count++] = loader_now(build, build->loaders[i]);
		}
	}
	for (size_t i = 0; i < build->thread_count; i++) {
		int64_t since_ns;
		const struct sm_build_loader *loader =
			asked_by(build, build->threads[i], &since_ns);
		if (loader) {
			count = put_waiting(build, loader, since_ns, ret_loaders, count, room);
		}
	}
	return count;
}

/* --- workers --- */

static struct sm_model_now_worker as_now(const struct sm_build *build,
	struct sm_build_thread *thread, const struct sm_build_worker *worker)
{
	const struct sm_build_fetcher *fetcher = thread->fetcher;
	const struct sm_process *process = &build->processes[thread->process].info;
	const struct sm_build_frame *batch = sm_build_spans_around(thread, SM_ROLE_BATCH);
	return (struct sm_model_now_worker){
		.index = worker->index,
		.pid = process->pid,
		.tid = worker->tid,
		.started_ns = worker->tid || process->started_ns < 0 ? fetcher->mark_ns
								     : process->started_ns,
		.fetching_since_ns = batch ? batch->begin_ns : -1,
		.idle_since_ns = fetcher->batches ? fetcher->last_ns : -1,
		.ended_ns = worker->tid ? -1 : process->ended_ns,
		.batches = fetcher->batches,
	};
}

static size_t put_in_order(struct sm_model_now_worker *workers, size_t count,
	struct sm_model_now_worker now, size_t room)
{
	size_t at = 0;
	while (at < count && workers[at].index < now.index) {
		at++;
	}
	if (at < count && workers[at].index == now.index) {
		if (now.started_ns >= workers[at].started_ns) {
			workers[at] = now;
		}
		return count;
	}
	if (count == room) {
		return count;
	}
	for (size_t i = count; i > at; i--) {
		workers[i] = workers[i - 1];
	}
	workers[at] = now;
	return count + 1;
}

static bool is_of(const struct sm_model_now_worker *worker, int32_t pid, uint32_t tid)
{
	return worker->pid == pid && (!worker->tid || worker->tid == tid);
}

static void add_recent(const struct sm_build *build, int64_t since_ns,
	struct sm_model_now_worker *workers, size_t count)
{
	const struct sm_build_recent *recent = &build->recent;
	uint64_t room =
		recent->fetch_count < SM_BUILD_RECENT ? recent->fetch_count : SM_BUILD_RECENT;
	for (uint64_t i = 0; i < room; i++) {
		const struct sm_build_fetched *fetch = &recent->fetches[i];
		int32_t pid = build->processes[fetch->process].info.pid;
		int64_t from_ns = fetch->start_ns > since_ns ? fetch->start_ns : since_ns;
		for (size_t w = 0; w < count && fetch->done_ns > since_ns; w++) {
			if (is_of(&workers[w], pid, fetch->tid)) {
				workers[w].recent_ns += fetch->done_ns - from_ns;
			}
		}
	}
}

/* And of the batch that is being made. */
static void add_under_way(const struct sm_build *build, int64_t since_ns,
	struct sm_model_now_worker *workers, size_t count)
{
	for (size_t w = 0; w < count; w++) {
		int64_t from_ns = workers[w].fetching_since_ns;
		from_ns = from_ns < 0 || from_ns > since_ns ? from_ns : since_ns;
		if (from_ns >= 0 && build->last_ns > from_ns) {
			workers[w].recent_ns += build->last_ns - from_ns;
		}
	}
}

size_t sm_model_growing_workers(const struct sm_model_growing *growing, size_t loader,
	int64_t since_ns, struct sm_model_now_worker *ret_workers, size_t room)
{
	const struct sm_build *build = growing->build;
	size_t count = 0;
	for (size_t i = 0; i < build->thread_count; i++) {
		struct sm_build_thread *thread = build->threads[i];
		const struct sm_build_worker *worker;
		if (sm_build_workers_runs_data_set(thread) &&
			sm_build_loader_of_worker(build, thread->process, thread->tid, &worker) ==
				build->loaders[loader]) {
			count = put_in_order(
				ret_workers, count, as_now(build, thread, worker), room);
		}
	}
	add_recent(build, since_ns, ret_workers, count);
	add_under_way(build, since_ns, ret_workers, count);
	return count;
}

/* --- the last seconds --- */

int64_t sm_model_growing_recent(const struct sm_model_growing *growing, int64_t since_ns,
	sm_model_growing_see *see, void *context)
{
	const struct sm_build_recent *recent = &growing->build->recent;
	uint64_t room =
		recent->batch_count < SM_BUILD_RECENT ? recent->batch_count : SM_BUILD_RECENT;
	int64_t oldest_ns = INT64_MIN;
	for (uint64_t back = 1; back <= room; back++) {
		const struct sm_build_batch *batch =
			&recent->batches[(recent->batch_count - back) % SM_BUILD_RECENT];
		oldest_ns = batch->batch.end_ns;
		if (batch->batch.end_ns > since_ns) {
			see(context, batch->loader, &batch->batch);
		}
	}
	return recent->batch_count > SM_BUILD_RECENT ? oldest_ns : INT64_MIN;
}
