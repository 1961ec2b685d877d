/* Blame that adds up: a walk backwards over the recorded run, along what each moment was waiting for.
 *
 * Asking what the late batch was doing while the loop waited always blames the end of the pipeline (collate, transport),
 * because that is where a batch comes last. Instead, from the end of the last step back to the first request:
 *
 *     step b          was the loop's own work, back to the delivery of b
 *     delivery of b   waited for the worker, if b could not be taken yet when it was asked for; else for nothing but
 *                     the call itself
 *                     whichever was later; indices come out of the delivery of an earlier batch
 *
 * Every second on this path is charged to the stage that spent it, so the charges are the time walked. Where two
 * predecessors are equally late the path divides in two equal halves. A wait that the device's queued work covered in
 * part divides too: the exposed part goes on to the worker, the hidden part to the loop.
 *
 * All predecessors of batch b have smaller numbers in order of delivery, so one sweep from the last batch to the first,
 * carrying weights instead of one position, walks all branches at once. */
#include "analyze/attribution.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

/* What enters a batch's step or delivery from later: weight, and weight times the moment of entry. */
struct entry {
	double weight, moment;
};

struct node {
	struct entry step, delivery;
	double fetch;	  /* weight of those who wait for its fetch to be done */
	int64_t previous; /* the same worker's batch before, in order of delivery; -1 none */
	int64_t next;	  /* and the one behind; 0 none */
};

struct walk {
	const struct sm_loader *loader;
	struct node *nodes; /* owned; by batch */
	double *charge_s;
};

static double seconds(const struct walk *walk, int64_t at_ns)
{
	return (double)(at_ns - walk->loader->batches[0].request_ns) * 1e-9;
}

static void charge(struct walk *walk, enum sm_stage stage, double weighted_s)
{
	walk->charge_s[stage] += weighted_s > 0 ? weighted_s : 0;
}

static void enter(struct walk *walk, struct entry *entry, double weight, int64_t at_ns)
{
	entry->weight += weight;
	entry->moment += weight * seconds(walk, at_ns);
}

static const struct sm_epoch *epoch_of(const struct sm_loader *loader, const struct sm_batch *batch)
{
	size_t low = 0, high = loader->epoch_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (loader->epochs[middle].iteration < batch->iteration) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < loader->epoch_count && loader->epochs[low].iteration == batch->iteration
		       ? &loader->epochs[low]
		       : NULL;
}

/* The last batch asked for at or before a moment; -1 when the walk would leave what was recorded. */
static int64_t batch_at(const struct sm_loader *loader, int64_t at_ns)
{
	size_t low = 0, high = loader->batch_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (loader->batches[middle].request_ns <= at_ns) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return (int64_t)low - 1;
}

/* Is `after` the very next batch of the loader, so that nothing was left out between them? */
static bool follows(const struct sm_loader *loader, size_t before, size_t after)
{
	const struct sm_batch *a = &loader->batches[before], *b = &loader->batches[after];
	if (loader->batch_total == loader->batch_count) {
		return true;
	}
	return a->iteration == b->iteration && a->end_ns == b->request_ns;
}

/* From the begin of an epoch's first request back to the last step of the epoch before. What lay between the epochs is
 * none of this loader's time. */
static void cross_border(struct walk *walk, size_t first, double weight)
{
	const struct sm_loader *loader = walk->loader;
	if (!first || !follows(loader, first - 1, first)) {
		return;
	}
	const struct sm_batch *before = &loader->batches[first - 1];
	const struct sm_epoch *ended = epoch_of(loader, before);
	if (ended && ended->end_ns > before->end_ns) {
		charge(walk, SM_STAGE_OTHER,
			weight * (double)(ended->end_ns - before->end_ns) * 1e-9);
	}
	enter(walk, &walk->nodes[first - 1].step, weight, before->end_ns);
}

static int64_t begin_of_epoch(const struct sm_loader *loader, const struct sm_batch *batch)
{
	const struct sm_epoch *epoch = epoch_of(loader, batch);
	return epoch && epoch->iterate_begin_ns >= 0 ? epoch->iterate_begin_ns : batch->request_ns;
}

static bool is_first(const struct sm_loader *loader, size_t i)
{
	return !i || loader->batches[i - 1].iteration != loader->batches[i].iteration;
}

/* The loop before batch i: the step of the batch before it, or across the border of an epoch. */
static void leave_to_loop(struct walk *walk, size_t i, double weight)
{
	const struct sm_loader *loader = walk->loader;
	const struct sm_batch *batch = &loader->batches[i];
	if (!is_first(loader, i)) {
		if (follows(loader, i - 1, i)) {
			enter(walk, &walk->nodes[i - 1].step, weight,
				loader->batches[i - 1].end_ns);
		}
		return;
	}
	int64_t begin_ns = begin_of_epoch(loader, batch); /* making the iterator */
	charge(walk, SM_STAGE_OTHER, weight * (double)(batch->request_ns - begin_ns) * 1e-9);
	cross_border(walk, i, weight);
}

/* To whatever the main thread was doing at a moment before the delivery of batch i. */
static void leave_to_moment(struct walk *walk, size_t i, double weight, int64_t at_ns)
{
	const struct sm_loader *loader = walk->loader;
	const struct sm_batch *batch = &loader->batches[i];
	int64_t at = batch_at(loader, at_ns);
	if (at < 0 || loader->batches[at].iteration !=
			      batch->iteration) { /* while the iterator was made */
		size_t first = (size_t)(at + 1);
		int64_t begin_ns = begin_of_epoch(loader, &loader->batches[first]);
		charge(walk, SM_STAGE_OTHER, weight * (double)(at_ns - begin_ns) * 1e-9);
		cross_border(walk, first, weight);
		return;
	}
	const struct sm_batch *then = &loader->batches[at];
	bool waiting = at_ns <= then->deliver_ns && at_ns < then->ready_ns;
	if ((size_t)at >= i || at_ns == then->request_ns || waiting) {
		/* it was only just being asked for: the moment of asking is the latest that can be told */
		size_t asked = (size_t)at >= i ? i : (size_t)at;
		charge(walk, SM_STAGE_TRANSPORT,
			weight * (double)(at_ns - loader->batches[asked].request_ns) * 1e-9);
		leave_to_loop(walk, asked, weight);
	} else if (at_ns <= then->deliver_ns) {
		enter(walk, &walk->nodes[at].delivery, weight, at_ns);
	} else {
		enter(walk, &walk->nodes[at].step, weight, at_ns);
	}
}

/* The step of batch i, from its delivery to each moment of entry. */
static void walk_step(struct walk *walk, size_t i)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	struct entry *entry = &walk->nodes[i].step;
	double whole_s = (double)(batch->end_ns - batch->deliver_ns) * 1e-9;
	double passed_s = entry->moment - entry->weight * seconds(walk, batch->deliver_ns);
	if (whole_s > 0 && entry->weight > 0) {
		double part = passed_s / whole_s * 1e-9;
		int64_t launch_ns = batch->launch_ns, rest_ns = batch->end_ns - batch->deliver_ns;
		const struct {
			enum sm_stage stage;
			int64_t wall_ns;
		} parts[] = {{SM_STAGE_H2D, batch->h2d_ns}, {SM_STAGE_SYNC, batch->sync_ns},
			{SM_STAGE_OTHER, batch->other_ns}, {SM_STAGE_LAUNCH, launch_ns}};
		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			int64_t wall_ns = parts[k].wall_ns < rest_ns ? parts[k].wall_ns : rest_ns;
			charge(walk, parts[k].stage, (double)wall_ns * part);
			rest_ns -= wall_ns > 0 ? wall_ns : 0;
		}
		charge(walk, SM_STAGE_COMPUTE, (double)rest_ns * part);
	}
	enter(walk, &walk->nodes[i].delivery, entry->weight, batch->deliver_ns);
}

static void charge_parts(struct walk *walk, const struct sm_batch *batch, double weight)
{
	charge(walk, SM_STAGE_FETCH, weight * (double)batch->fetch_ns * 1e-9);
	charge(walk, SM_STAGE_TRANSFORM, weight * (double)batch->transform_ns * 1e-9);
	charge(walk, SM_STAGE_COLLATE, weight * (double)batch->collate_ns * 1e-9);
	int64_t rest_ns = batch->done_ns - batch->start_ns - batch->fetch_ns - batch->transform_ns -
			  batch->collate_ns;
	charge(walk, SM_STAGE_FETCH, weight * (double)rest_ns * 1e-9);
}

/* num_workers=0: the call itself draws indices, fetches and pins. */
static void walk_call(struct walk *walk, size_t i, double weight)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	int64_t rest_ns = batch->deliver_ns - batch->request_ns - batch->sampler_ns - batch->pin_ns;
	charge(walk, SM_STAGE_SAMPLER, weight * (double)batch->sampler_ns * 1e-9);
	charge(walk, SM_STAGE_PIN, weight * (double)batch->pin_ns * 1e-9);
	if (batch->start_ns >= 0) {
		charge_parts(walk, batch, weight);
		rest_ns -= batch->done_ns - batch->start_ns;
		charge(walk, SM_STAGE_OTHER, weight * (double)rest_ns * 1e-9);
	} else {
		charge(walk, SM_STAGE_FETCH,
			weight * (double)rest_ns * 1e-9); /* nothing seen inside */
	}
	leave_to_loop(walk, i, weight);
}

static int64_t made_between(const struct sm_batch *batch, int64_t from_ns, int64_t to_ns)
{
	int64_t begin_ns = batch->start_ns > from_ns ? batch->start_ns : from_ns;
	int64_t end_ns = batch->done_ns < to_ns ? batch->done_ns : to_ns;
	return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

/* Later batches that its worker made while the loop took batch i: how long in all; charged to their parts at `part` seconds
 * a nanosecond. */
static int64_t later_batches(
	struct walk *walk, size_t i, int64_t from_ns, int64_t to_ns, double part)
{
	const struct sm_batch *batches = walk->loader->batches;
	int64_t made_ns = 0;
	for (int64_t j = walk->nodes[i].next; j > 0 && batches[j].start_ns < to_ns;
		j = walk->nodes[j].next) {
		int64_t here_ns = made_between(&batches[j], from_ns, to_ns);
		int64_t whole_ns = batches[j].done_ns - batches[j].start_ns;
		if (here_ns > 0 && part > 0) {
			charge_parts(
				walk, &batches[j], part * 1e9 * (double)here_ns / (double)whole_ns);
		}
		made_ns += here_ns;
	}
	return made_ns;
}

/* How much of a hand-over the calling thread did nothing in; 0 where its CPU is not known. */
static int64_t idle_in_call(const struct sm_batch *batch, int64_t whole_ns)
{
	return batch->next_cpu_ns >= 0 && batch->next_cpu_ns < whole_ns
		       ? whole_ns - batch->next_cpu_ns
		       : 0;
}

/* The main thread's own part of a delivery, from the moment the batch could be taken. Tensors are handed over by a thread
 * of the worker, which must get the interpreter's lock from the one that makes the next batch: what the loop waits for
 * while it does nothing itself and the worker is at it, is that making. */
static void charge_hand_over(struct walk *walk, size_t i, double passed_s, int64_t from_ns)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	int64_t whole_ns = batch->deliver_ns - from_ns;
	double part = whole_ns > 0 ? passed_s / (double)whole_ns : 0;
	int64_t refill_ns = batch->refill_ns < whole_ns ? batch->refill_ns : whole_ns;
	int64_t made_ns = later_batches(walk, i, from_ns, batch->deliver_ns, 0);
	int64_t idle_ns = idle_in_call(batch, whole_ns - refill_ns);
	int64_t held_ns = idle_ns < made_ns ? idle_ns : made_ns;
	if (held_ns > 0) {
		later_batches(walk, i, from_ns, batch->deliver_ns,
			part * (double)held_ns / (double)made_ns);
	}
	charge(walk, SM_STAGE_SAMPLER, (double)refill_ns * part);
	charge(walk, SM_STAGE_TRANSPORT, (double)(whole_ns - refill_ns - held_ns) * part);
}

/* From its worker to the moment it could be taken. */
static void charge_way(struct walk *walk, const struct sm_batch *batch, double weight)
{
	int64_t way_ns = batch->ready_ns - batch->done_ns;
	int64_t pin_ns = batch->pin_ns < way_ns ? batch->pin_ns : way_ns;
	charge(walk, SM_STAGE_PIN, weight * (double)pin_ns * 1e-9);
	charge(walk, SM_STAGE_TRANSPORT, weight * (double)(way_ns - pin_ns) * 1e-9);
}

/* The loop waited for the batch: on to its worker, except for what the device's own work covered of the wait. */
static void walk_wait(struct walk *walk, size_t i, double weight)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	int64_t wait_ns = batch->deliver_ns - batch->request_ns;
	double exposed = wait_ns > 0 ? (double)batch->exposed_ns / (double)wait_ns : 1;
	double to_worker = weight * (exposed < 1 ? exposed : 1);
	charge_way(walk, batch, to_worker);
	walk->nodes[i].fetch += to_worker;
	charge(walk, SM_STAGE_COMPUTE,
		(weight - to_worker) * (double)(batch->ready_ns - batch->request_ns) * 1e-9);
	leave_to_loop(walk, i, weight - to_worker);
}

static void walk_delivery(struct walk *walk, size_t i)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	const struct node *node = &walk->nodes[i];
	double weight = node->delivery.weight;
	if (weight <= 0) {
		return;
	}
	if (batch->worker < 0) {
		walk_call(walk, i, weight);
		return;
	}
	int64_t from_ns = batch->ready_ns >= 0 ? batch->ready_ns : batch->request_ns;
	double passed_s = node->delivery.moment - weight * seconds(walk, from_ns);
	if (batch->start_ns < 0) { /* nobody saw it being made */
		charge(walk, SM_STAGE_FETCH, passed_s);
		leave_to_loop(walk, i, weight);
		return;
	}
	charge_hand_over(walk, i, passed_s, from_ns);
	if (batch->ready_ns < 0) {
		leave_to_loop(walk, i, weight);
	} else if (batch->ready_ns == batch->request_ns) { /* neither is later */
		walk_wait(walk, i, weight / 2);
		leave_to_loop(walk, i, weight / 2);
	} else {
		walk_wait(walk, i, weight);
	}
}

static void walk_fetch(struct walk *walk, size_t i)
{
	const struct sm_batch *batch = &walk->loader->batches[i];
	const struct node *node = &walk->nodes[i];
	double weight = node->fetch;
	if (weight <= 0) {
		return;
	}
	charge_parts(walk, batch, weight);
	int64_t busy_ns =
		node->previous >= 0 ? walk->loader->batches[node->previous].done_ns : INT64_MIN;
	int64_t put_ns =
		batch->put_ns >= 0 && batch->put_ns <= batch->start_ns ? batch->put_ns : INT64_MIN;
	busy_ns = busy_ns <= batch->start_ns ? busy_ns : INT64_MIN;
	int64_t latest_ns = busy_ns > put_ns ? busy_ns : put_ns;
	if (latest_ns == INT64_MIN) {
		leave_to_moment(walk, i, weight, batch->start_ns);
		return;
	}
	bool starting =
		node->previous < 0; /* a worker's first batch waits for the worker to be there */
	charge(walk, starting ? SM_STAGE_OTHER : SM_STAGE_TRANSPORT,
		weight * (double)(batch->start_ns - latest_ns) * 1e-9);
	double to_worker = busy_ns == put_ns ? weight / 2 : busy_ns > put_ns ? weight : 0;
	if (to_worker > 0) {
		walk->nodes[node->previous].fetch += to_worker;
	}
	if (to_worker < weight) {
		leave_to_moment(walk, i, weight - to_worker, put_ns);
	}
}

static int find_previous(struct walk *walk)
{
	enum { WORKERS_MAX = 4096 };
	int64_t *last = sm_mem_alloc(WORKERS_MAX * sizeof(*last));
	const struct sm_loader *loader = walk->loader;
	for (size_t k = 0; last && k < WORKERS_MAX; k++) {
		last[k] = -1;
	}
	for (size_t i = 0; last && i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		struct node *node = &walk->nodes[i];
		node->previous = -1;
		if (batch->worker >= 0 && batch->worker < WORKERS_MAX && batch->start_ns >= 0) {
			int64_t before = last[batch->worker];
			bool same = before >= 0 &&
				    loader->batches[before].iteration == batch->iteration;
			node->previous = same ? before : -1;
			if (same) {
				walk->nodes[before].next = (int64_t)i;
			}
			last[batch->worker] = (int64_t)i;
		}
	}
	sm_mem_free(last);
	return last ? 0 : -ENOMEM;
}

int sm_attribution_walk(const struct sm_loader *loader, double ret_charge_s[SM_STAGE_COUNT])
{
	memset(ret_charge_s, 0, SM_STAGE_COUNT * sizeof(*ret_charge_s));
	size_t n = loader->batch_count;
	if (!n) {
		return 0;
	}
	struct walk walk = {loader, sm_mem_calloc(n, sizeof(*walk.nodes)), ret_charge_s};
	int error = walk.nodes ? find_previous(&walk) : -ENOMEM;
	for (size_t i = n; i-- > 0 && !error;) {
		if (i + 1 == n || !follows(loader, i, i + 1)) {
			enter(&walk, &walk.nodes[i].step, 1, loader->batches[i].end_ns);
		}
		walk_step(&walk, i);
		walk_delivery(&walk, i);
		walk_fetch(&walk, i);
	}
	sm_mem_free(walk.nodes);
	return error;
}
