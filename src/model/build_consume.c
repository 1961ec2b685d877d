/* The side where batches are asked for and used: the thread that calls next().
 *
 * A batch is born when its indices are sent (or, without workers, when it is asked for), gets its arrival and its
 * delivery, and stays in the thread's hand while the step runs, until the thread asks for the next one, of whichever
 * loader. What happens in between is cut, in order of time, into what is known (copies, forward, backward,
 * optimizer, waiting for a device) and gaps: a gap before a backward is forward (the model and the loss run in it), one
 * before an optimizer or at the end is other. */
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
};

static bool is_work(enum sm_role role)
{
	return role >= SM_ROLE_H2D && role <= SM_ROLE_SYNC;
}

static int ensure_consumer(struct sm_build_thread *thread)
{
	if (!thread->consumer) {
		thread->consumer = sm_mem_calloc(1, sizeof(*thread->consumer));
	}
	return thread->consumer ? 0 : -ENOMEM;
}

static void forget_arrival(struct sm_build_consumer *consumer)
{
	consumer->deserialize_ns = consumer->pin_ns = 0;
	consumer->bytes = 0;
}

int sm_build_consume_begin(struct sm_build_thread *thread, enum sm_role role, int64_t at_ns)
{
	int error = ensure_consumer(thread);
	if (error) {
		return error;
	}
	if (role == SM_ROLE_NEXT || role == SM_ROLE_ITERATE) {
		forget_arrival(thread->consumer);
		thread->consumer->refill_ns = 0;
		thread->consumer->drawn_for = -1;
		if (thread->fetcher) {
			thread->fetcher->has_done = false;
		}
	}
	return 0;
}

/* --- the step under way --- */

static int keep_batch(struct sm_build *build, const struct sm_build_batch *batch)
{
	int error = sm_build_thin(build);
	int32_t sequence = batch->sequence >= 0 ? batch->sequence : batch->batch.task;
	if (error || !sm_build_keeps(build, batch->batch.iteration, sequence)) {
		return error;
	}
	error = sm_mem_grow(
		&build->batches, &build->batch_capacity, build->batch_count + 1, sizeof(*batch));
	if (!error) {
		build->batches[build->batch_count++] = *batch;
	}
	return error;
}

static void cut_step(struct sm_build_consumer *consumer, int64_t end_ns)
{
	struct sm_batch *batch = &consumer->current.batch;
	batch->end_ns = end_ns;
	if (consumer->has_training) {
		batch->other_ns += consumer->pending_ns + end_ns - consumer->cursor_ns;
	}
}

static int close_step(struct sm_build *build, struct sm_build_consumer *consumer, int64_t end_ns)
{
	if (!consumer->has_current) {
		return 0;
	}
	consumer->has_current = false;
	cut_step(consumer, end_ns);
	struct sm_build_loader *loader = build->loaders[consumer->current.loader];
	loader->trained += consumer->has_training;
	struct sm_epoch *epoch = sm_build_loader_epoch(loader, consumer->current.batch.iteration);
	if (epoch) {
		epoch->last_end_ns = epoch->end_ns = end_ns;
	}
	return keep_batch(build, &consumer->current);
}

static void open_step(struct sm_build_consumer *consumer, const struct sm_build_batch *batch)
{
	consumer->current = *batch;
	consumer->has_current = true;
	consumer->cursor_ns = batch->batch.deliver_ns;
	consumer->pending_ns = 0;
	consumer->has_forward = consumer->has_training = false;
}

static void add_forward(struct sm_batch *batch, int64_t wall_ns)
{
	batch->forward_ns = (batch->forward_ns < 0 ? 0 : batch->forward_ns) + wall_ns;
}

static void add_work(struct sm_build_consumer *consumer, enum sm_role role, int64_t wall_ns)
{
	struct sm_batch *batch = &consumer->current.batch;
	int64_t gap_ns = consumer->pending_ns;
	consumer->pending_ns = 0;
	switch (role) {
	case SM_ROLE_FORWARD:
		batch->other_ns += gap_ns;
		add_forward(batch, wall_ns);
		consumer->has_forward = true;
		break;
	case SM_ROLE_BACKWARD:
		add_forward(batch, gap_ns);
		batch->backward_ns += wall_ns;
		break;
	case SM_ROLE_OPTIMIZER:
		if (consumer->has_training) {
			batch->other_ns += gap_ns;
		} else {
			add_forward(batch, gap_ns);
		}
		batch->optimizer_ns += wall_ns;
		break;
	default:
		consumer->pending_ns =
			gap_ns; /* a copy or a wait says nothing of the gap before it */
		*(role == SM_ROLE_H2D ? &batch->h2d_ns : &batch->sync_ns) += wall_ns;
		return;
	}
	consumer->has_training = true;
}

/* Only the outermost piece of work counts, except that a copy or a wait inside is taken out of it. */
static void end_work(struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	struct sm_build_consumer *consumer = thread->consumer;
	enum sm_role role = thread->frames[thread->depth - 1].role;
	bool is_training = role != SM_ROLE_H2D && role != SM_ROLE_SYNC;
	bool is_inner = false;
	for (size_t i = thread->depth - 1; i-- > 0;) {
		is_inner = is_inner || is_work(thread->frames[i].role);
	}
	consumer->trained += is_training;
	if (!consumer->has_current) {
		consumer->trained_without_batch += is_training;
		return;
	}
	if (is_inner && is_training) {
		return;
	}
	if (is_inner) {
		struct sm_batch *batch = &consumer->current.batch;
		*(role == SM_ROLE_H2D ? &batch->h2d_ns : &batch->sync_ns) += end_ns - begin_ns;
		consumer->nested_ns += end_ns - begin_ns;
		return;
	}
	consumer->pending_ns += begin_ns > consumer->cursor_ns ? begin_ns - consumer->cursor_ns : 0;
	add_work(consumer, role, end_ns - begin_ns - consumer->nested_ns);
	consumer->nested_ns = 0;
	consumer->cursor_ns = end_ns;
}

/* --- batches on their way --- */

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

static int send(struct sm_build_thread *thread, struct sm_build_loader *loader, int64_t at_ns,
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

static void arrive(struct sm_build_consumer *consumer, struct sm_build_loader *loader,
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
	forget_arrival(consumer);
}

static struct sm_build_batch take(struct sm_build_loader *loader, int64_t iteration, int64_t task)
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

/* At num_workers=0 the worker's part happened inside this very call. */
static void take_inline(struct sm_build_thread *thread, struct sm_batch *batch)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	if (!fetcher || !fetcher->has_done) {
		return;
	}
	const struct sm_batch *part = &fetcher->done.part;
	batch->start_ns = part->start_ns;
	batch->done_ns = part->done_ns;
	batch->count = part->count;
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
	struct sm_build_batch batch =
		take(loader, iteration, sm_build_spans_arg(&detail->args, SM_KEY_TASK, -1));
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
	open_step(consumer, &batch);
}

/* The thread's own clocks at the ends of two calls of next(), less what the second call took, are the step between. */
static void read_loop(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	struct sm_build_consumer *consumer = thread->consumer;
	const struct sm_trace_cause *cause = &thread->details[thread->depth - 1].cause;
	bool told = thread->frames[thread->depth - 1].has_cause;
	if (told && consumer->has_totals && consumer->has_current) {
		struct sm_cause_sum *loop = &build->loaders[consumer->current.loader]->facts.loop;
		int64_t wall_ns = begin_ns - consumer->totals_ns;
		int64_t cpu_ns =
			(int64_t)(cause->thread_cpu_ns - cause->cpu_ns) - consumer->total_cpu_ns;
		int64_t delay_ns = (int64_t)(cause->thread_run_delay_ns - cause->run_delay_ns) -
				   consumer->total_run_delay_ns;
		if (cpu_ns >= 0 && delay_ns >= 0 && wall_ns > 0) {
			loop->wall_ns += wall_ns;
			loop->cpu_ns += cpu_ns < wall_ns ? cpu_ns : wall_ns;
			loop->run_delay_ns += delay_ns;
			loop->count++;
		}
	}
	consumer->has_totals = told;
	consumer->totals_ns = end_ns;
	consumer->total_cpu_ns = told ? (int64_t)cause->thread_cpu_ns : 0;
	consumer->total_run_delay_ns = told ? (int64_t)cause->thread_run_delay_ns : 0;
}

/* What helper threads computed while the loop computed: intra-op threads at work. */
static void read_helpers(struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns)
{
	const struct sm_trace_cause *cause = &thread->details[thread->depth - 1].cause;
	struct sm_build_consumer *consumer = thread->consumer;
	if (!thread->frames[thread->depth - 1].has_cause || !consumer->has_current ||
		cause->missing & SM_TRACE_NO_PROCESS_CPU) {
		return;
	}
	struct sm_cause_sum *sum =
		&build->loaders[consumer->current.loader]->sums.stage[SM_STAGE_COMPUTE];
	sum->wall_ns += wall_ns;
	sum->cpu_ns += (int64_t)cause->cpu_ns;
	sum->run_delay_ns += (int64_t)cause->run_delay_ns;
	sum->helper_cpu_ns += cause->process_cpu_ns > cause->cpu_ns
				      ? (int64_t)(cause->process_cpu_ns - cause->cpu_ns)
				      : 0;
	sum->count++;
}

static int end_next(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_loader *loader;
	read_loop(build, thread, begin_ns, end_ns);
	int error = close_step(build, thread->consumer, begin_ns);
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
	return 0;
}

static int end_iterate(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_loader *loader;
	int error = close_step(build, thread->consumer, begin_ns);
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
			read_helpers(build, thread, wall_ns);
		}
		if (is_work(frame->role)) {
			end_work(thread, frame->begin_ns, end_ns);
		}
		return 0;
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
	if (found) {
		found->device_state = (int16_t)sm_build_spans_arg(args, SM_KEY_DEVICE_STATE, -1);
		found->device_elapsed_ns = sm_build_spans_arg(args, SM_KEY_ELAPSED_NS, -1);
	}
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
		return send(thread, loader, at_ns, args);
	}
	if (role == SM_ROLE_ARRIVE) {
		arrive(thread->consumer, loader, at_ns, args);
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
			error = close_step(build, consumer,
				consumer->has_training ? consumer->cursor_ns : build->last_ns);
		}
	}
	return error;
}
