/* Batches on their way: sent to a worker, arrived, not yet delivered. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

static const struct sm_batch nothing_seen = {
	.iteration = -1,
	.task = -1,
	.worker = -1,
	.put_ns = -1,
	.start_ns = -1,
	.done_ns = -1,
	.arrive_ns = -1,
	.ready_ns = -1,
	.sent_ns = -1,
	.trainer_blocked_ns = -1,
	.request_ns = -1,
	.deliver_ns = -1,
	.end_ns = -1,
	.forward_ns = -1,
	.device_state = -1,
	.next_cpu_ns = -1,
	.fetch_cpu_ns = -1,
	.fetch_blocked_ns = -1,
	.fetch_run_delay_ns = -1,
	.fetch_input_ns = -1,
	.cpu_ns = -1,
	.run_delay_ns = -1,
	.helper_cpu_ns = -1,
	.device_elapsed_ns = -1,
	.device_copy_ns = -1,
};

void sm_build_sent_forget_arrival(struct sm_build_consumer *consumer)
{
	consumer->deserialize_ns = consumer->pin_ns = 0;
	consumer->bytes = 0;
}

static struct sm_build_batch *find_open(
	struct sm_build_loader *loader, int64_t iteration, int64_t task)
{
	for (size_t i = 0; i < loader->open_count; i++) {
		struct sm_batch *batch = &loader->open[i].batch;
		if (batch->task == task && batch->iteration == iteration) {
			return &loader->open[i];
		}
	}
	return NULL;
}

/* Batches of an earlier iteration were sent and given up. */
static void drop_stale(struct sm_build_loader *loader, int32_t iteration)
{
	size_t kept = 0;
	for (size_t i = 0; i < loader->open_count; i++) {
		if (loader->open[i].batch.iteration == iteration) {
			loader->open[kept++] = loader->open[i];
		}
	}
	loader->open_count = kept;
	loader->sent_iteration = iteration;
	if (loader->sent) {
		memset(loader->sent, 0, loader->sent_capacity * sizeof(*loader->sent));
	}
}

static int next_sequence(struct sm_build_loader *loader, int64_t worker, int32_t *ret_sequence)
{
	enum { WORKERS_MAX = 1 << 16 };
	*ret_sequence = -1;
	if (worker < 0 || worker >= WORKERS_MAX) {
		return 0;
	}
	size_t before = loader->sent_capacity;
	int error = sm_mem_grow(
		&loader->sent, &loader->sent_capacity, (size_t)worker + 1, sizeof(*loader->sent));
	if (!error) {
		memset(loader->sent + before, 0,
			(loader->sent_capacity - before) * sizeof(*loader->sent));
		*ret_sequence = loader->sent[worker]++;
	}
	return error;
}

int sm_build_sent_put(struct sm_build_thread *thread, struct sm_build_loader *loader, int64_t at_ns,
	const struct sm_build_args *args)
{
	enum { OPEN_MAX = 1 << 16 };
	struct sm_build_batch batch = {.loader = loader->index, .batch = nothing_seen};
	batch.batch.iteration = (int32_t)sm_build_spans_arg(args, SM_KEY_ITERATION, 0);
	batch.batch.task = (int32_t)sm_build_spans_arg(args, SM_KEY_TASK, -1);
	batch.batch.worker = (int32_t)sm_build_spans_arg(args, SM_KEY_WORKER, -1);
	batch.batch.put_ns = at_ns;
	batch.batch.sampler_ns = thread->consumer->sampler_ns;
	thread->consumer->sampler_ns = 0;
	if (batch.batch.iteration != loader->sent_iteration) {
		drop_stale(loader, batch.batch.iteration);
	}
	int error = next_sequence(loader, batch.batch.worker, &batch.sequence);
	if (error || loader->open_count >= OPEN_MAX) {
		return error;
	}
	error = sm_mem_grow(
		&loader->open, &loader->open_capacity, loader->open_count + 1, sizeof(batch));
	if (!error) {
		loader->open[loader->open_count++] = batch;
	}
	return error;
}

void sm_build_sent_arrive(struct sm_build_consumer *consumer, struct sm_build_loader *loader,
	int64_t at_ns, const struct sm_build_args *args)
{
	struct sm_build_batch *open =
		find_open(loader, sm_build_spans_arg(args, SM_KEY_ITERATION, 0),
			sm_build_spans_arg(args, SM_KEY_TASK, -1));
	if (open) {
		open->batch.arrive_ns = at_ns;
		open->batch.deserialize_ns = consumer->deserialize_ns;
		open->batch.pin_ns = consumer->pin_ns;
		open->batch.bytes = consumer->bytes;
	}
	sm_build_sent_forget_arrival(consumer);
}

struct sm_build_batch sm_build_sent_take(
	struct sm_build_loader *loader, int64_t iteration, int64_t task)
{
	struct sm_build_batch *open = find_open(loader, iteration, task);
	struct sm_build_batch taken = {
		.loader = loader->index, .sequence = -1, .batch = nothing_seen};
	if (open) {
		taken = *open;
		size_t at = (size_t)(open - loader->open);
		memmove(open, open + 1, (--loader->open_count - at) * sizeof(*open));
	}
	taken.batch.iteration = (int32_t)iteration;
	taken.batch.task = (int32_t)task;
	return taken;
}
