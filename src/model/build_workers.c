/* The workers of a loader, one row for each index: processes that took over an index in a later iteration add to it. */
#include "base/metric.h"
#include "model/build.h"

#include <errno.h>
#include <stdlib.h>

static struct sm_worker *row_of(struct sm_loader *loader, int index)
{
	for (size_t i = 0; i < loader->worker_count; i++) {
		if (loader->workers[i].index == index) {
			return &loader->workers[i];
		}
	}
	struct sm_worker *row = &loader->workers[loader->worker_count++];
	*row = (struct sm_worker){.index = index,
		.started_ns = -1,
		.first_batch_ns = -1,
		.ended_ns = -1,
		.cpu_ns = -1,
		.rss_bytes = -1,
		.read_bytes = -1};
	return row;
}

static void add_to(int64_t *sum, int64_t value)
{
	*sum = (*sum < 0 ? 0 : *sum) + value;
}

/* Of a process, from its counters; a thread worker has none of its own. */
static void add_counters(const struct sm_model *model, struct sm_worker *row, int32_t pid)
{
	const struct sm_series *cpu = sm_model_series(model, SM_METRIC_PROC_CPU, pid);
	const struct sm_series *read = sm_model_series(model, SM_METRIC_PROC_READ, pid);
	const struct sm_series *rss = sm_model_series(model, SM_METRIC_PROC_RSS, pid);
	if (cpu) {
		add_to(&row->cpu_ns, (int64_t)((cpu->last - cpu->first) * 1e9));
	}
	if (read) {
		add_to(&row->read_bytes, (int64_t)(read->last - read->first));
	}
	if (rss && rss->maximum > (double)row->rss_bytes) {
		row->rss_bytes = (int64_t)rss->maximum;
	}
}

static void add_thread(const struct sm_build *build, struct sm_worker *row,
	const struct sm_build_worker *worker, const struct sm_build_thread *thread)
{
	const struct sm_build_fetcher *fetcher = thread->fetcher;
	const struct sm_process *process = &build->processes[thread->process].info;
	int64_t started_ns =
		worker->tid || process->started_ns < 0 ? fetcher->mark_ns : process->started_ns;
	int64_t ended_ns =
		worker->tid || process->ended_ns < 0 ? fetcher->last_ns : process->ended_ns;
	started_ns = started_ns < 0 ? fetcher->first_ns : started_ns;
	row->started_ns =
		row->started_ns < 0 || started_ns < row->started_ns ? started_ns : row->started_ns;
	if (fetcher->first_ns >= 0 &&
		(row->first_batch_ns < 0 || fetcher->first_ns < row->first_batch_ns)) {
		row->first_batch_ns = fetcher->first_ns;
	}
	if (ended_ns >= row->ended_ns) {
		row->ended_ns = ended_ns;
		row->pid = process->pid;
		row->tid = worker->tid;
	}
	row->alive_ns += ended_ns > started_ns ? ended_ns - started_ns : 0;
	row->busy_ns += fetcher->busy_ns;
	row->batches += fetcher->batches;
	row->processes++;
	if (!worker->tid) {
		add_counters(build->model, row, process->pid);
	}
}

static int by_index(const void *left, const void *right)
{
	return ((const struct sm_worker *)left)->index - ((const struct sm_worker *)right)->index;
}

/* A worker's feeder thread, which only serialises, is no second worker. */
bool sm_build_workers_runs_data_set(const struct sm_build_thread *thread)
{
	return thread->fetcher && (thread->fetcher->mark_ns >= 0 || thread->fetcher->first_ns >= 0);
}

int sm_build_workers(struct sm_build *build, struct sm_build_loader *loader)
{
	struct sm_loader *facts = &loader->facts;
	facts->workers = sm_arena_alloc(
		&build->model->arena, (loader->worker_count + 1) * sizeof(*facts->workers));
	if (!facts->workers) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < build->thread_count; i++) {
		const struct sm_build_thread *thread = build->threads[i];
		const struct sm_build_worker *worker;
		if (sm_build_workers_runs_data_set(thread) &&
			sm_build_loader_of_worker(build, thread->process, thread->tid, &worker) ==
				loader) {
			add_thread(build, row_of(facts, worker->index), worker, thread);
		}
	}
	qsort(facts->workers, facts->worker_count, sizeof(*facts->workers), by_index);
	return 0;
}
