/* The step under way: from the delivery of a batch until the thread asks for the next one, of whichever loader.
 *
 * What happens in between is cut, in order of time, into what is known (copies, forward, backward, optimizer, waiting for
 * a device) and gaps: a gap before a backward is forward (the model and the loss run in it), one before an optimizer or at
 * the end is other. */
#include "base/mem.h"
#include "model/build.h"

bool sm_build_step_is_work(enum sm_role role)
{
	return role >= SM_ROLE_H2D && role <= SM_ROLE_SYNC;
}

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

int sm_build_step_close(struct sm_build *build, struct sm_build_consumer *consumer, int64_t end_ns)
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
	sm_build_recent_batch(build, &consumer->current);
	return keep_batch(build, &consumer->current);
}

void sm_build_step_open(struct sm_build_consumer *consumer, const struct sm_build_batch *batch)
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
int sm_build_step_work(struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	struct sm_build_consumer *consumer = thread->consumer;
	enum sm_role role = thread->frames[thread->depth - 1].role;
	bool is_training = role != SM_ROLE_H2D && role != SM_ROLE_SYNC;
	bool is_inner = false;
	for (size_t i = thread->depth - 1; i-- > 0;) {
		is_inner = is_inner || sm_build_step_is_work(thread->frames[i].role);
	}
	consumer->trained += is_training;
	if (!consumer->has_current) {
		consumer->trained_without_batch += is_training;
		return role == SM_ROLE_OPTIMIZER ? sm_build_trainer_step(thread, end_ns) : 0;
	}
	if (is_inner && is_training) {
		return 0;
	}
	if (is_inner) {
		struct sm_batch *batch = &consumer->current.batch;
		*(role == SM_ROLE_H2D ? &batch->h2d_ns : &batch->sync_ns) += end_ns - begin_ns;
		consumer->nested_ns += end_ns - begin_ns;
		return 0;
	}
	consumer->pending_ns += begin_ns > consumer->cursor_ns ? begin_ns - consumer->cursor_ns : 0;
	add_work(consumer, role, end_ns - begin_ns - consumer->nested_ns);
	consumer->nested_ns = 0;
	consumer->cursor_ns = end_ns;
	return 0;
}

/* A pinned source can be copied beside the host only when the call says so. Adapters tell by FLAGS; without them it is not
 * known what kind of copy it was. */
void sm_build_step_read_copy(
	struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns)
{
	enum { PAGEABLE = 1, NON_BLOCKING = 2 };
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_consumer *consumer = thread->consumer;
	if (!consumer->has_current) {
		return;
	}
	struct sm_copies *copies = &build->loaders[consumer->current.loader]->facts.copies;
	int64_t flags = sm_build_spans_arg(args, SM_KEY_FLAGS, NON_BLOCKING);
	copies->count++;
	copies->bytes += (uint64_t)sm_build_spans_arg(args, SM_KEY_BYTES, 0);
	copies->wall_ns += wall_ns;
	copies->pageable_ns += flags & PAGEABLE ? wall_ns : 0;
	copies->blocking_ns += flags & (PAGEABLE | NON_BLOCKING) ? 0 : wall_ns;
}

/* What helper threads computed while the loop computed: intra-op threads at work. */
void sm_build_step_read_helpers(
	struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns)
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

/* The thread's own clocks at the ends of two calls of next(), less what the second call took, are the step between. */
void sm_build_step_read_loop(
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
