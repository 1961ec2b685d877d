/* A prefetcher in the background: one thread asks for batches, another trains and waits for that one, where no span of
 * ours sees it. What can be seen is how long the training thread was blocked from the end of one optimizer to the end of the
 * next: wall time less its CPU less its run delay, from the totals its spans carry. A stall is part of it; a rest the step
 * takes of its own accord is another. What tells them apart is the batch: nobody waits for one that lay ready, and whoever
 * waits does so from the end of his step, at the earliest, until the batch is there.
 *
 * Which step took which batch is not seen either; both come in order, so the n-th step is the n-th batch. Where there are
 * nearly twice as many of one as of the other (gradients of several batches, two optimizers), nothing is told. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>

/* At the end of an optimizer, in a thread that has no batch in hand. */
int sm_build_trainer_step(struct sm_build_thread *thread, int64_t end_ns)
{
	struct sm_build_consumer *consumer = thread->consumer;
	const struct sm_trace_cause *cause = &thread->details[thread->depth - 1].cause;
	bool told = thread->frames[thread->depth - 1].has_cause;
	struct sm_build_trained step = {end_ns, -1};
	if (told && consumer->has_optimizer) {
		int64_t busy_ns = (int64_t)cause->thread_cpu_ns - consumer->optimizer_cpu_ns +
				  (int64_t)cause->thread_run_delay_ns -
				  consumer->optimizer_delay_ns;
		int64_t wall_ns = end_ns - consumer->optimizer_ns;
		step.blocked_ns = wall_ns > busy_ns ? wall_ns - busy_ns : 0;
	}
	consumer->has_optimizer = told;
	consumer->optimizer_ns = end_ns;
	consumer->optimizer_cpu_ns = told ? (int64_t)cause->thread_cpu_ns : 0;
	consumer->optimizer_delay_ns = told ? (int64_t)cause->thread_run_delay_ns : 0;
	if (consumer->step_count >= SM_MODEL_BATCHES_MAX) {
		return 0;
	}
	int error = sm_mem_grow(
		&consumer->steps, &consumer->step_capacity, consumer->step_count + 1, sizeof(step));
	if (!error) {
		consumer->steps[consumer->step_count++] = step;
	}
	return error;
}

static const struct sm_build_consumer *find_trainer(
	const struct sm_build *build, const struct sm_build_loader *loader)
{
	enum { STEPS_MIN = 10 };
	for (size_t i = 0; i < build->thread_count; i++) {
		const struct sm_build_thread *thread = build->threads[i];
		bool trains =
			thread->consumer && thread->consumer->trained_without_batch >= STEPS_MIN;
		if (trains && thread->process == loader->process &&
			thread->tid != loader->facts.consumer_tid) {
			return thread->consumer;
		}
	}
	return NULL;
}

static bool is_one_to_one(size_t steps, size_t batches)
{
	return steps * 3 >= batches * 2 && batches * 3 >= steps * 2;
}

/* Of the nth step. The first has none before it that was seen. */
static int64_t blocked_for(
	const struct sm_build_consumer *trainer, const struct sm_batch *batch, size_t nth)
{
	if (nth >= trainer->step_count || trainer->steps[nth].blocked_ns < 0 || nth == 0) {
		return -1;
	}
	int64_t blocked_ns = trainer->steps[nth].blocked_ns,
		late_ns = batch->deliver_ns - trainer->steps[nth - 1].end_ns;
	late_ns = late_ns > 0 ? late_ns : 0;
	return blocked_ns < late_ns ? blocked_ns : late_ns;
}

/* Marks a loader whose batches another thread trains on, and tells each batch how long that one was blocked for it. */
int sm_build_trainer(struct sm_build *build, struct sm_build_loader *loader)
{
	const struct sm_build_consumer *trainer =
		loader->trained ? NULL : find_trainer(build, loader);
	struct sm_loader *facts = &loader->facts;
	if (!trainer) {
		return 0;
	}
	facts->background = facts->trains = true;
	if (facts->batch_count == facts->batch_total &&
		is_one_to_one(trainer->step_count, facts->batch_count)) {
		for (size_t i = 0; i < facts->batch_count; i++) {
			facts->batches[i].trainer_blocked_ns =
				blocked_for(trainer, &facts->batches[i], i);
		}
	}
	return 0;
}
