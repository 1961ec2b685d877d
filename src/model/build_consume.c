/* The side where batches are asked for and used: the thread that calls next().
 *
 * A batch is born when its indices are sent (or, without workers, when it is asked for), gets its arrival (build_sent.c)
 * and its delivery, and stays in the thread's hand while the step runs (build_step.c). */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

static int ensure_consumer(struct sm_build_thread *thread)
{
	if (!thread->consumer) {
		thread->consumer = sm_mem_calloc(1, sizeof(*thread->consumer));
	}
	return thread->consumer ? 0 : -ENOMEM;
}

int sm_build_consume_begin(struct sm_build_thread *thread, enum sm_role role, int64_t at_ns)
{
	int error = ensure_consumer(thread);
	if (error) {
		return error;
	}
	if (role == SM_ROLE_NEXT || role == SM_ROLE_ITERATE) {
		sm_build_sent_forget_arrival(thread->consumer);
		thread->consumer->refill_ns = 0;
		thread->consumer->drawn_for = -1;
		if (thread->fetcher) {
			thread->fetcher->has_done = false;
		}
	}
	return 0;
}

/* At num_workers=0 the worker's part happened inside this very call. */
static void take_inline(struct sm_build_thread *thread, struct sm_batch *batch)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	if (!fetcher || !fetcher->has_done) {
		return;
	}
	batch->count = fetcher->done.part.count;
	sm_build_join_fetch(batch, &fetcher->done.part);
	fetcher->has_done = false;
}

static void note_epoch(struct sm_build_loader *loader, const struct sm_batch *batch)
{
	struct sm_epoch *epoch = sm_build_loader_epoch(loader, batch->iteration);
	if (epoch && !epoch->batches++) {
		epoch->first_request_ns = batch->request_ns;
		epoch->first_deliver_ns = batch->deliver_ns;
	}
	if (epoch) {
		epoch->last_deliver_ns = batch->deliver_ns;
	}
}

static void deliver(struct sm_build *build, struct sm_build_thread *thread,
	struct sm_build_loader *loader, int64_t begin_ns, int64_t end_ns)
{
	struct sm_build_consumer *consumer = thread->consumer;
	const struct sm_build_detail *detail = &thread->details[thread->depth - 1];
	int64_t iteration = sm_build_spans_arg(&detail->args, SM_KEY_ITERATION, 0);
	struct sm_build_batch batch = sm_build_sent_take(
		loader, iteration, sm_build_spans_arg(&detail->args, SM_KEY_TASK, -1));
	batch.batch.request_ns = begin_ns;
	batch.batch.deliver_ns = end_ns;
	batch.batch.refill_ns = consumer->refill_ns;
	take_inline(thread, &batch.batch);
	if (batch.batch.worker < 0) {
		batch.batch.sampler_ns = consumer->sampler_ns;
		batch.batch.pin_ns = consumer->pin_ns;
		consumer->sampler_ns = 0;
	}
	batch.batch.count =
		(int32_t)sm_build_spans_arg(&detail->args, SM_KEY_COUNT, batch.batch.count);
	if (thread->frames[thread->depth - 1].has_cause) {
		batch.batch.next_cpu_ns = (int64_t)detail->cause.cpu_ns;
	}
	loader->facts.consumer_tid = thread->tid;
	loader->facts.batch_total++;
	note_epoch(loader, &batch.batch);
	sm_build_step_open(consumer, &batch);
}

static int end_next(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_loader *loader;
	sm_build_step_read_loop(build, thread, begin_ns, end_ns);
	int error = sm_build_step_close(build, thread->consumer, begin_ns);
	error = error ? error
		      : sm_build_loader_find(build, thread->process,
				sm_build_spans_arg(args, SM_KEY_LOADER, -1), &loader);
	if (error || !loader) {
		return error;
	}
	if (args->keys & 1u << SM_KEY_TASK) {
		deliver(build, thread, loader, begin_ns, end_ns);
		return 0;
	}
	struct sm_epoch *epoch = sm_build_loader_epoch(
		loader, (int32_t)sm_build_spans_arg(args, SM_KEY_ITERATION, 0));
	if (epoch) {
		epoch->end_ns = end_ns;
	}
	sm_build_recent_border(build, loader, begin_ns, end_ns);
	return 0;
}

static int end_iterate(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_loader *loader;
	int error = sm_build_step_close(build, thread->consumer, begin_ns);
	error = error ? error
		      : sm_build_loader_find(build, thread->process,
				sm_build_spans_arg(args, SM_KEY_LOADER, -1), &loader);
	if (error || !loader) {
		return error;
	}
	struct sm_epoch *epoch = sm_build_loader_epoch(
		loader, (int32_t)sm_build_spans_arg(args, SM_KEY_ITERATION, 0));
	if (epoch) {
		epoch->iterate_begin_ns = begin_ns;
		epoch->iterate_end_ns = end_ns;
	}
	sm_build_recent_border(build, loader, begin_ns, end_ns);
	return 0;
}

int sm_build_consume_end(struct sm_build *build, struct sm_build_thread *thread, int64_t end_ns)
{
	const struct sm_build_frame *frame = &thread->frames[thread->depth - 1];
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	int64_t wall_ns = end_ns - frame->begin_ns;
	switch (frame->role) {
	case SM_ROLE_NEXT:
		return end_next(build, thread, frame->begin_ns, end_ns);
	case SM_ROLE_ITERATE:
		return end_iterate(build, thread, frame->begin_ns, end_ns);
	case SM_ROLE_SAMPLER:
		thread->consumer->sampler_ns += wall_ns;
		thread->consumer->refill_ns += wall_ns;
		thread->consumer->drawn_for = sm_build_spans_arg(args, SM_KEY_LOADER, -1);
		return 0;
	case SM_ROLE_DESERIALIZE:
		thread->consumer->deserialize_ns += wall_ns;
		thread->consumer->bytes += (uint64_t)sm_build_spans_arg(args, SM_KEY_BYTES, 0);
		return 0;
	case SM_ROLE_PIN:
		thread->consumer->pin_ns += wall_ns;
		return 0;
	default:
		if (frame->role == SM_ROLE_BACKWARD || frame->role == SM_ROLE_OPTIMIZER) {
			sm_build_step_read_helpers(build, thread, wall_ns);
		}
		if (frame->role == SM_ROLE_H2D) {
			sm_build_step_read_copy(build, thread, wall_ns);
		}
		if (sm_build_step_is_work(frame->role)) {
			return sm_build_step_work(thread, frame->begin_ns, end_ns);
		}
		return 0;
	}
}

static void answer(struct sm_batch *batch, const struct sm_build_args *args)
{
	if (batch) {
		batch->device_state = (int16_t)sm_build_spans_arg(args, SM_KEY_DEVICE_STATE, -1);
		batch->device_elapsed_ns = sm_build_spans_arg(args, SM_KEY_ELAPSED_NS, -1);
		batch->device_copy_ns = sm_build_spans_arg(args, SM_KEY_COPY_NS, -1);
	}
}

/* The device's answer comes some steps later. */
static void note_device(struct sm_build *build, struct sm_build_consumer *consumer,
	const struct sm_build_loader *loader, const struct sm_build_args *args)
{
	enum { LOOK_BACK = 256 };
	int64_t iteration = sm_build_spans_arg(args, SM_KEY_ITERATION, 0);
	int64_t task = sm_build_spans_arg(args, SM_KEY_TASK, -1);
	struct sm_batch *found = NULL;
	if (consumer->has_current && consumer->current.loader == loader->index &&
		consumer->current.batch.task == task &&
		consumer->current.batch.iteration == iteration) {
		found = &consumer->current.batch;
	}
	size_t first = build->batch_count > LOOK_BACK ? build->batch_count - LOOK_BACK : 0;
	for (size_t i = build->batch_count; !found && i-- > first;) {
		struct sm_build_batch *batch = &build->batches[i];
		if (batch->loader == loader->index && batch->batch.task == task &&
			batch->batch.iteration == iteration) {
			found = &batch->batch;
		}
	}
	answer(found, args);
	answer(sm_build_recent_find(build, loader->index, iteration, task), args);
}

int sm_build_consume_mark(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role,
	int64_t at_ns, const struct sm_build_args *args)
{
	if (role != SM_ROLE_PUT && role != SM_ROLE_ARRIVE && role != SM_ROLE_DEVICE) {
		return 0;
	}
	struct sm_build_loader *loader;
	int error = ensure_consumer(thread);
	error = error ? error
		      : sm_build_loader_find(build, thread->process,
				sm_build_spans_arg(args, SM_KEY_LOADER, -1), &loader);
	if (error || !loader) {
		return error;
	}
	if (role == SM_ROLE_PUT) {
		return sm_build_sent_put(thread, loader, at_ns, args);
	}
	if (role == SM_ROLE_ARRIVE) {
		sm_build_sent_arrive(thread->consumer, loader, at_ns, args);
	} else {
		note_device(build, thread->consumer, loader, args);
	}
	return 0;
}

/* A step that nobody ended ends with its last known work, or with the run. */
int sm_build_consume_finish(struct sm_build *build)
{
	int error = 0;
	for (size_t i = 0; i < build->thread_count && !error; i++) {
		struct sm_build_consumer *consumer = build->threads[i]->consumer;
		if (consumer) {
			error = sm_build_step_close(build, consumer,
				consumer->has_training ? consumer->cursor_ns : build->last_ns);
		}
	}
	return error;
}
