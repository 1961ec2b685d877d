/* PyTorch's loader as a recursion over batches, without CPU sharing (shared_cores.c has that).
 *
 * N workers serve a queue of index lists each, first come, first served. When an iterator is made, N * prefetch lists
 * are sent; from then on one more whenever a batch is handed to the loop. So of batch b, in order,
 *
 *     start_b   = max(done of its worker's batch before, when its indices were sent)
 *     done_b    = start_b + work_b
 *     ready_b   = done_b + way_b, then through the pin thread
 *     take_b    = max(ready_b, request_b) + hand_b
 *     deliver_b = take_b + draw (indices of the next list to send, which leave now)
 *     end_b     = deliver_b + step_b = request_{b+1}
 *
 * With in_order=False the loop takes whichever batch is ready first, and the next list goes to the next worker in turn that
 * holds fewer than `prefetch`. As a worker's queue is served in order, a batch's ready time is known when its
 * indices are sent, so one pass does for both; the rest is choosing.
 *
 * With a device beside the host the step is launch on the host and compute on the device, which works off what was launched:
 *
 *     gend_b = max(deliver_b + launch_b, gend_{b-1}) + compute_b,    end_b not before gend_{b-RUN_AHEAD} */
#include "predict/recursion.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>

enum { RUN_AHEAD = 8 };

struct flight { /* a batch sent and not yet delivered */
	size_t position;
	int worker;
	double put, start, done, ready;
	bool pinned;
};

struct run {
	const struct sm_replay *replay;
	struct flight *flights; /* owned; a ring by position when in order, else a set */
	size_t window;		/* N * prefetch */
	size_t flying;
	double *free_at;	/* owned; by worker: when it is done with all it was sent */
	int *held;		/* owned; by worker */
	int turn;		/* whose turn it is */
	size_t sent, epoch_end; /* positions */
	double now;		/* of the loop: end of the step before */
	double pin_free;
	double device_end[RUN_AHEAD];
	double exposed, loop;
};

static const struct sm_demand *demand_at(const struct sm_replay *replay, size_t position)
{
	return &replay->demands[replay->order ? replay->order[position] : position];
}

/* Epochs belong to positions, not to the batches that are replayed there. */
static int epoch_at(const struct sm_replay *replay, size_t position)
{
	size_t at = replay->count == replay->recorded
			    ? position
			    : (size_t)((double)position * (double)replay->recorded /
				       (double)replay->count);
	return replay->demands[at].epoch;
}

static size_t end_of_epoch(const struct sm_replay *replay, size_t position)
{
	int epoch = epoch_at(replay, position);
	while (position < replay->count && epoch_at(replay, position) == epoch) {
		position++;
	}
	return position;
}

static double work_of(const struct sm_demand *demand)
{
	return demand->fetch + demand->transform + demand->collate;
}

/* --- sending and taking --- */

static int choose_worker(struct run *run)
{
	const struct sm_setting *setting = &run->replay->setting;
	int worker = run->turn;
	for (int i = 0; !setting->in_order && i < setting->num_workers; i++) {
		worker = (run->turn + i) % setting->num_workers;
		if (run->held[worker] < setting->prefetch_factor) {
			break;
		}
	}
	run->turn = (worker + 1) % setting->num_workers;
	return worker;
}

static void send(struct run *run, double put)
{
	const struct sm_demand *demand = demand_at(run->replay, run->sent);
	struct flight flight = {.position = run->sent, .worker = choose_worker(run), .put = put};
	flight.start = fmax(run->free_at[flight.worker], put);
	flight.done = flight.start + work_of(demand);
	flight.ready = flight.done + demand->way;
	flight.pinned = demand->pin <= 0;
	run->free_at[flight.worker] = flight.done;
	run->held[flight.worker]++;
	size_t slot = run->replay->setting.in_order ? run->sent % run->window : run->flying;
	run->flights[slot] = flight;
	run->flying++;
	run->sent++;
}

static size_t slot_of(const struct run *run, size_t i, size_t position)
{
	return run->replay->setting.in_order ? (position + i) % run->window : i;
}

/* The pin thread serves in the order of arrival, so whatever is ready before the wanted one goes first. What is sent later
 * is ready later than anything that is waited for now. */
static void pin_until(struct run *run, size_t position, size_t wanted)
{
	while (!run->flights[wanted].pinned) {
		size_t first = wanted;
		for (size_t i = 0; i < run->flying; i++) {
			size_t slot = slot_of(run, i, position);
			if (!run->flights[slot].pinned &&
				run->flights[slot].ready < run->flights[first].ready) {
				first = slot;
			}
		}
		struct flight *flight = &run->flights[first];
		double pin = demand_at(run->replay, flight->position)->pin;
		flight->ready = pin > 0 ? fmax(flight->ready, run->pin_free) + pin : flight->ready;
		run->pin_free = pin > 0 ? flight->ready : run->pin_free;
		flight->pinned = true;
	}
}

/* In order it is the next one; else the one that is ready first. */
static size_t choose_flight(struct run *run, size_t position)
{
	size_t chosen = slot_of(run, 0, position);
	for (size_t i = 1; !run->replay->setting.in_order && i < run->flying; i++) {
		chosen = run->flights[i].ready < run->flights[chosen].ready ? i : chosen;
	}
	return chosen;
}

static struct flight take(struct run *run, size_t position)
{
	size_t slot = choose_flight(run, position);
	pin_until(run, position, slot);
	struct flight taken = run->flights[slot];
	run->flying--;
	if (!run->replay->setting.in_order) {
		run->flights[slot] = run->flights[run->flying];
	}
	run->held[taken.worker]--;
	return taken;
}

/* --- an epoch begins --- */

/* In a resampled run that is shorter than the recorded one, borders are cheaper by as much. */
static double border_scale(const struct sm_replay *replay)
{
	return (double)replay->count / (double)replay->recorded;
}

static double begin_epoch(struct run *run, size_t position)
{
	const struct sm_replay *replay = run->replay;
	const struct sm_borders *borders = &replay->borders;
	double scale = border_scale(replay), startup, iterate;
	bool first = position == 0;
	double ending = first ? 0 : borders->ending * scale;
	run->now += ending;
	startup = (first ? borders->startup_first : borders->startup_later) * scale;
	iterate = (first ? borders->iterate_first : borders->iterate_later) * scale;
	run->exposed += ending + iterate;
	run->epoch_end = end_of_epoch(replay, position);
	run->sent = position;
	run->flying = 0;
	run->turn = 0;
	run->pin_free = 0;
	for (int i = 0; i < replay->setting.num_workers; i++) {
		run->free_at[i] = run->now + startup;
		run->held[i] = 0;
	}
	while (replay->setting.num_workers && run->sent < run->epoch_end &&
		run->sent - position < run->window) {
		send(run, run->now);
	}
	return run->now + iterate;
}

/* --- a batch is asked for, delivered and used --- */

struct moments {
	double request, deliver, end;
	double exposed, launch;
	struct flight flight;
	size_t position; /* whose demand it is */
};

static void deliver_from_workers(struct run *run, size_t position, struct moments *at)
{
	at->flight = take(run, position);
	at->position = at->flight.position;
	const struct sm_demand *demand = demand_at(run->replay, at->position);
	double ready = at->flight.ready;
	at->deliver = fmax(ready, at->request) + demand->hand;
	if (run->sent < run->epoch_end) {
		at->deliver += demand_at(run->replay, run->sent)->draw;
		send(run, at->deliver);
	}
}

static void deliver_from_call(struct run *run, size_t position, struct moments *at)
{
	const struct sm_demand *demand = demand_at(run->replay, position);
	at->position = position;
	at->flight = (struct flight){
		.position = position, .worker = -1, .start = at->request + demand->draw};
	at->flight.done = at->flight.start + work_of(demand);
	at->deliver = at->flight.done + demand->pin + demand->hand;
}

static void step_on_host(struct moments *at, const struct sm_demand *demand)
{
	at->exposed = at->deliver - at->request;
	at->end = at->deliver + demand->h2d + demand->compute + demand->sync + demand->other;
}

static void step_on_device(
	struct run *run, size_t step, struct moments *at, const struct sm_demand *demand)
{
	double before = step ? run->device_end[(step - 1) % RUN_AHEAD] : 0;
	double backlog = fmax(before - at->request, 0), wait = at->deliver - at->request;
	at->launch = fmax(demand->launch - backlog, 0);
	at->exposed = fmax(wait + demand->launch - backlog, 0) - at->launch;
	at->end = at->deliver + demand->launch;
	if (step >= RUN_AHEAD) {
		at->end = fmax(at->end, run->device_end[step % RUN_AHEAD]);
	}
	run->device_end[step % RUN_AHEAD] = fmax(at->end, before) + demand->h2d + demand->compute;
}

static int64_t as_ns(double seconds)
{
	return llround(seconds * 1e9);
}

static void note(const struct sm_replay *replay, size_t step, const struct moments *at,
	struct sm_batch *batch)
{
	const struct sm_demand *demand = demand_at(replay, at->position);
	bool in_call = at->flight.worker < 0;
	*batch = (struct sm_batch){
		.iteration = epoch_at(replay, step),
		.task = (int32_t)at->position,
		.worker = at->flight.worker,
		.sampler_ns = as_ns(demand->draw),
		.put_ns = in_call ? -1 : as_ns(at->flight.put),
		.start_ns = as_ns(at->flight.start),
		.done_ns = as_ns(at->flight.done),
		.fetch_ns = as_ns(demand->fetch),
		.transform_ns = as_ns(demand->transform),
		.ready_ns = at->flight.worker >= 0 && at->flight.ready >= at->request
				    ? as_ns(at->flight.ready)
				    : -1,
		.collate_ns = as_ns(demand->collate),
		.pin_ns = as_ns(demand->pin),
		.request_ns = as_ns(at->request),
		.deliver_ns = as_ns(at->deliver),
		.end_ns = as_ns(at->end),
		.h2d_ns = replay->asynchronous ? 0 : as_ns(demand->h2d),
		.sync_ns = as_ns(demand->sync),
		.other_ns = as_ns(demand->other),
		.exposed_ns = as_ns(at->exposed),
		.launch_ns = as_ns(at->launch),
	};
}

static void one_step(struct run *run, size_t step, struct sm_batch *timeline)
{
	const struct sm_replay *replay = run->replay;
	struct moments at = {0};
	at.request = step == run->epoch_end || !step ? begin_epoch(run, step) : run->now;
	if (replay->setting.num_workers > 0) {
		size_t sent = run->sent;
		deliver_from_workers(run, step, &at);
		if (timeline && run->sent > sent) {
			timeline[step].refill_ns = as_ns(demand_at(replay, sent)->draw);
		}
	} else {
		deliver_from_call(run, step, &at);
	}
	if (replay->asynchronous) {
		step_on_device(run, step, &at, demand_at(replay, at.position));
	} else {
		step_on_host(&at, demand_at(replay, at.position));
	}
	if (timeline) {
		int64_t refill_ns = timeline[step].refill_ns;
		note(replay, step, &at, &timeline[step]);
		timeline[step].refill_ns = refill_ns;
	}
	run->exposed += at.exposed;
	run->loop += at.end - at.deliver;
	run->now = at.end;
}

int sm_recursion_run(
	const struct sm_replay *replay, struct sm_batch *timeline, struct sm_outcome *ret)
{
	size_t workers = (size_t)replay->setting.num_workers;
	struct run run = {
		.replay = replay, .window = workers * (size_t)replay->setting.prefetch_factor};
	run.flights = sm_mem_alloc((run.window + 1) * sizeof(*run.flights));
	run.free_at = sm_mem_alloc((workers + 1) * sizeof(*run.free_at));
	run.held = sm_mem_alloc((workers + 1) * sizeof(*run.held));
	int error = run.flights && run.free_at && run.held ? 0 : -ENOMEM;
	for (size_t step = 0; step < replay->count && !error; step++) {
		one_step(&run, step, timeline);
	}
	double device_end = replay->asynchronous && replay->count
				    ? run.device_end[(replay->count - 1) % RUN_AHEAD]
				    : 0;
	*ret = (struct sm_outcome){fmax(run.now, device_end), run.exposed, run.loop};
	sm_mem_free(run.flights);
	sm_mem_free(run.free_at);
	sm_mem_free(run.held);
	return error;
}
