#include "make/training_make.h"

#include "make/sm_make.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAIN_PID = 100, WORKER_PID = 200 };

static void numbers(
	struct sm_make_thread *thread, const struct training_batch *batch, bool with_worker)
{
	sm_make_arg(thread, SM_KEY_LOADER, 0);
	sm_make_arg(thread, SM_KEY_ITERATION, batch->epoch);
	sm_make_arg(thread, SM_KEY_TASK, batch->task);
	if (with_worker) {
		sm_make_arg(thread, SM_KEY_WORKER, batch->worker);
	}
}

/* --- a worker --- */

static void make_sample(struct sm_make_thread *thread, const struct training *training,
	const struct training_batch *batch, int64_t begin, int nth)
{
	int64_t fetch = batch->fetch / training->samples,
		transform = batch->transform / training->samples;
	struct sm_ring_cause cause = {
		.cpu_ns = (uint64_t)(batch->fetch_cpu / training->samples + transform),
		.block_inputs = (uint32_t)(batch->fetch_input_blocks / training->samples)};
	sm_make_begin(thread, begin, SM_ROLE_SAMPLE, "Data");
	sm_make_arg(thread, SM_KEY_INDEX, (int64_t)batch->task * training->samples + nth);
	if (transform) {
		sm_make_begin(thread, begin + fetch, SM_ROLE_TRANSFORM, "Blur");
		sm_make_end(thread, begin + fetch + transform);
	}
	sm_make_end_cause(thread, begin + fetch + transform, &cause);
}

static void make_fetch(struct sm_make_thread *thread, const struct training *training,
	const struct training_batch *batch, int sequence)
{
	int64_t each = batch->fetch / training->samples + batch->transform / training->samples;
	sm_make_begin(thread, batch->start, SM_ROLE_BATCH, "batch");
	if (batch->worker >= 0) {
		sm_make_arg(thread, SM_KEY_WORKER, batch->worker);
	}
	sm_make_arg(thread, SM_KEY_SEQUENCE, sequence);
	sm_make_arg(thread, SM_KEY_COUNT, training->samples);
	for (int i = 0; i < training->samples; i++) {
		make_sample(thread, training, batch, batch->start + i * each, i);
	}
	sm_make_begin(thread, batch->done - batch->collate, SM_ROLE_COLLATE, "default_collate");
	sm_make_end_cause(
		thread, batch->done, &(struct sm_ring_cause){.cpu_ns = (uint64_t)batch->collate});
	sm_make_end(thread, batch->done);
}

static int epoch_count_of(const struct training *training)
{
	return (int)training->epoch_count;
}

static void make_workers(struct sm_make_run *run, const struct training *training)
{
	for (int epoch = 0; epoch < epoch_count_of(training); epoch++) {
		for (int index = 0; index < training->workers; index++) {
			int32_t pid = WORKER_PID + epoch * training->workers + index;
			struct sm_make_process *process = sm_make_process_add(run,
				&(struct sm_make_options){.pid = pid,
					.ppid = MAIN_PID,
					.opened_ns = training->epochs[epoch].iterate_begin + 1});
			struct sm_make_thread *thread = sm_make_thread_add(process, (uint32_t)pid);
			int sequence = 0;
			sm_make_mark(thread, training->epochs[epoch].iterate_begin + 2,
				SM_ROLE_FETCHER, "fetcher");
			sm_make_arg(thread, SM_KEY_WORKER, index);
			for (size_t i = 0; i < training->count; i++) {
				const struct training_batch *batch = &training->batches[i];
				if (batch->worker == index && batch->epoch == epoch) {
					make_fetch(thread, training, batch, sequence++);
				}
			}
		}
	}
}

/* --- the main process --- */

static void make_put(struct sm_make_thread *thread, const struct training_batch *batch)
{
	sm_make_mark(thread, batch->put, SM_ROLE_PUT, "put");
	numbers(thread, batch, true);
}

/* Lists that leave in this interval, in order of time. */
static void make_puts(struct sm_make_thread *thread, const struct training *training, int epoch,
	int64_t from, int64_t until)
{
	for (int task = 0; task < (int)training->count; task++) {
		for (size_t i = 0; i < training->count; i++) {
			const struct training_batch *batch = &training->batches[i];
			if (batch->task == task && batch->epoch == epoch && batch->put >= from &&
				batch->put <= until) {
				make_put(thread, batch);
			}
		}
	}
}

static void make_iterate(struct sm_make_process *process, struct sm_make_thread *thread,
	const struct training *training, int epoch)
{
	const struct training_epoch *bounds = &training->epochs[epoch];
	char text[200];
	sm_make_begin(thread, bounds->iterate_begin, SM_ROLE_ITERATE, "iterate");
	sm_make_arg(thread, SM_KEY_LOADER, 0);
	sm_make_arg(thread, SM_KEY_ITERATION, epoch);
	for (int index = 0; index < training->workers; index++) {
		snprintf(text, sizeof(text), "worker\nloader=0\niteration=%d\nindex=%d\npid=%d\n",
			epoch, index, WORKER_PID + epoch * training->workers + index);
		sm_make_fact(process, text);
	}
	if (training->workers) {
		make_puts(thread, training, epoch, bounds->iterate_begin, bounds->iterate_end - 1);
	}
	sm_make_end(thread, bounds->iterate_end);
}

static void make_draw(struct sm_make_thread *thread, int64_t begin, int64_t wall)
{
	if (wall) {
		sm_make_begin(thread, begin, SM_ROLE_SAMPLER, "RandomSampler");
		sm_make_arg(thread, SM_KEY_LOADER, 0);
		sm_make_end(thread, begin + wall);
	}
}

static void make_call(struct sm_make_thread *thread, const struct training *training,
	const struct training_batch *batch)
{
	sm_make_begin(thread, batch->request, SM_ROLE_NEXT, "next");
	if (batch->worker < 0) {
		make_draw(thread, batch->request, batch->refill);
		make_fetch(thread, training, batch, batch->task);
	} else {
		if (batch->deserialize) {
			sm_make_begin(thread, batch->arrive - batch->deserialize,
				SM_ROLE_DESERIALIZE, "deserialize");
			sm_make_arg(thread, SM_KEY_BYTES, 1000);
			sm_make_end(thread, batch->arrive);
		}
		sm_make_mark(thread, batch->arrive, SM_ROLE_ARRIVE, "arrive");
		numbers(thread, batch, false);
		make_draw(thread, batch->deliver - batch->refill, batch->refill);
		make_puts(thread, training, batch->epoch, batch->request + 1, batch->deliver);
	}
	sm_make_begin(thread, batch->deliver, SM_ROLE_OPERATION,
		"nothing"); /* so that numbers are the span's */
	sm_make_end(thread, batch->deliver);
	numbers(thread, batch, false);
	sm_make_arg(thread, SM_KEY_COUNT, training->samples);
	sm_make_end(thread, batch->deliver);
}

static void make_step(struct sm_make_thread *thread, const struct training_batch *batch)
{
	int64_t optimizer = batch->end - batch->other - batch->optimizer,
		backward = optimizer - batch->backward;
	if (batch->backward) {
		sm_make_begin(thread, backward, SM_ROLE_BACKWARD, "backward");
		sm_make_end(thread, optimizer);
	}
	if (batch->optimizer) {
		sm_make_begin(thread, optimizer, SM_ROLE_OPTIMIZER, "SGD");
		sm_make_end(thread, optimizer + batch->optimizer);
	}
}

static void make_last_call(struct sm_make_thread *thread, int epoch, int64_t begin, int64_t end)
{
	sm_make_begin(thread, begin, SM_ROLE_NEXT, "next");
	sm_make_arg(thread, SM_KEY_LOADER, 0);
	sm_make_arg(thread, SM_KEY_ITERATION, epoch);
	sm_make_end(thread, end);
}

static void make_main(struct sm_make_run *run, const struct training *training)
{
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = MAIN_PID});
	struct sm_make_thread *thread = sm_make_thread_add(process, MAIN_PID);
	char text[400];
	snprintf(text, sizeof(text),
		"loader\nordinal=0\nname=train\nnum_workers=%d\nbatch_size=%d\nprefetch_factor=%"
		"d\nin_order=1\n%s",
		training->workers, training->samples, training->prefetch,
		training->loader_facts ? training->loader_facts : "");
	sm_make_fact(process, text);
	size_t i = 0;
	for (int epoch = 0; epoch < epoch_count_of(training); epoch++) {
		make_iterate(process, thread, training, epoch);
		int64_t end = training->epochs[epoch].iterate_end;
		for (; i < training->count && training->batches[i].epoch == epoch; i++) {
			make_call(thread, training, &training->batches[i]);
			make_step(thread, &training->batches[i]);
			end = training->batches[i].end;
		}
		make_last_call(thread, epoch, end, training->epochs[epoch].last_call_end);
	}
}

void training_make(const struct training *training, const char *directory)
{
	struct sm_make_run *run = sm_make_run_create(directory);
	sm_make_run_fact(run, "host.cpus", "64");
	sm_make_run_fact(run, "host.cpus_usable", "64");
	if (training->workers_first) {
		make_workers(run, training);
	}
	make_main(run, training);
	if (!training->workers_first) {
		make_workers(run, training);
	}
	sm_make_run_finish(run);
}
