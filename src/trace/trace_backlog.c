/* When a block finds no room (a full disk, a limit), events are counted as lost, and words (RUN, PROCESS, NAMES, NOTE) are
 * held back in memory, since later events mean nothing without them. As soon as blocks fit again, first what was held
 * back is written, then a LOSS block for each process that lost events, then the block at hand.
 *
 * Below a limit nothing fits again, and a LOSS block after each lost block would use up what was kept for the end. There
 * a process's losses are told at once, then whenever they have doubled, and at the end exactly. */
#include "trace/trace_backlog.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

void sm_trace_backlog_finish(struct sm_trace_backlog *backlog)
{
	for (size_t i = 0; i < backlog->held_count; i++) {
		sm_mem_free(backlog->held[i].body);
	}
	sm_mem_free(backlog->held);
	sm_mem_free(backlog->pending);
	*backlog = (struct sm_trace_backlog){0};
}

int sm_trace_backlog_add_process(struct sm_trace_backlog *backlog)
{
	int error = sm_mem_grow(&backlog->pending, &backlog->process_capacity,
		backlog->process_count + 1, sizeof(*backlog->pending));
	if (!error) {
		backlog->pending[backlog->process_count++] = (struct sm_trace_pending){0};
	}
	return error;
}

/* --- words --- */

int sm_trace_backlog_hold(struct sm_trace_backlog *backlog, const struct sm_trace_block *block,
	const void *body, size_t bytes)
{
	int error = sm_mem_grow(&backlog->held, &backlog->held_capacity, backlog->held_count + 1,
		sizeof(*backlog->held));
	char *copy = error ? NULL : sm_mem_alloc(bytes);
	if (!copy) {
		return -ENOMEM;
	}
	if (bytes) {
		memcpy(copy, body, bytes);
	}
	struct sm_trace_held held = {.block = *block, .body = copy};
	held.block.stored_bytes = (uint32_t)bytes;
	backlog->held[backlog->held_count++] = held;
	return 0;
}

int sm_trace_backlog_write_held(struct sm_trace_backlog *backlog, struct sm_trace_output *output)
{
	size_t done = 0;
	int error = 0;
	while (!error && done < backlog->held_count) {
		struct sm_trace_held *held = &backlog->held[done];
		struct sm_trace_part part = {held->body, held->block.stored_bytes};
		error = sm_trace_output_append(
			output, &held->block, &part, 1, SM_TRACE_CLAIM_WORDS);
		if (!error) {
			sm_mem_free(held->body);
			done++;
		}
	}
	backlog->held_count -= done;
	if (done) {
		memmove(backlog->held, backlog->held + done,
			backlog->held_count * sizeof(*backlog->held));
	}
	return error;
}

/* --- losses --- */

static void widen(
	struct sm_trace_pending *pending, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	if (!pending->events || first_ns < pending->first_ns) {
		pending->first_ns = first_ns;
	}
	if (!pending->events || last_ns > pending->last_ns) {
		pending->last_ns = last_ns;
	}
	pending->events += events;
}

static int write_loss(
	struct sm_trace_pending *pending, struct sm_trace_output *output, uint32_t process)
{
	struct sm_trace_block block = {
		.type = SM_TRACE_LOSS,
		.process = process,
		.count = pending->events,
		.first_ns = pending->first_ns,
		.last_ns = pending->last_ns,
	};
	int error = sm_trace_output_append(output, &block, NULL, 0, SM_TRACE_CLAIM_WORDS);
	if (!error) {
		pending->told += pending->events;
		pending->events = 0;
	}
	return error;
}

static int write_losses(struct sm_trace_backlog *backlog, struct sm_trace_output *output,
	enum sm_trace_losses which)
{
	bool all = true;
	for (uint32_t i = 0; i < backlog->process_count; i++) {
		struct sm_trace_pending *pending = &backlog->pending[i];
		bool due = which == SM_TRACE_LOSSES_ALL || pending->events >= pending->told;
		int error = due && pending->events ? write_loss(pending, output, i) : 0;
		if (error) {
			return error;
		}
		all &= !pending->events;
	}
	backlog->has_pending = !all;
	return 0;
}

int sm_trace_backlog_settle(struct sm_trace_backlog *backlog, struct sm_trace_output *output,
	enum sm_trace_losses which)
{
	int error = sm_trace_backlog_write_held(backlog, output);
	return error || !backlog->has_pending ? error : write_losses(backlog, output, which);
}

void sm_trace_backlog_lose(struct sm_trace_backlog *backlog, struct sm_trace_output *output,
	uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	widen(&backlog->pending[process], events, first_ns, last_ns);
	backlog->has_pending = true;
	backlog->lost += events;
	sm_trace_backlog_settle(backlog, output, SM_TRACE_LOSSES_THAT_DOUBLED); /* or later */
}
