/* The loader where more threads want to run than there are CPUs.
 *
 * Then how long a batch takes depends on what everybody else does, and no recursion over batches will do. So this is an
 * event simulation with processor sharing: n threads that compute on C CPUs each run at min(1, C / n). All of them run at
 * the same pace, so one clock of computing time is enough: whoever begins to compute d seconds when that clock stands
 * at v is done when it stands at v + d. An event is the nearest of the ends by that clock and by the wall clock.
 *
 * What a batch computes is its recorded time less what it was blocked and less what it waited for a CPU: that waiting is
 * what the simulation finds anew. */
#include "predict/shared_cores.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>

enum worker_state { IDLE, BLOCKED, COMPUTING };
enum loop_state { OPENING, WAITING, HANDING, STEPPING, PAUSING, ENDED };

struct worker {
	enum worker_state state;
	double until;  /* BLOCKED: wall clock; COMPUTING: computing clock */
	double born;   /* wall clock */
	size_t *queue; /* in run.queues; a ring of `room` */
	size_t head, count;
};

struct arrival { /* a batch on its way to the loop, or there */
	size_t position;
	int worker;
	double ready;
};

struct run {
	const struct sm_replay *replay;
	const struct sm_sharing *sharing;
	struct worker *workers; /* owned */
	size_t *queues;		/* owned */
	size_t room;
	struct arrival *arrivals; /* owned; `window` at most */
	size_t arrival_count;
	int *held; /* owned; lists sent to a worker and not delivered */
	int turn;
	double now, computing; /* the two clocks */
	double pin_free;
	enum loop_state loop;
	bool loop_computes;
	double loop_until; /* by the computing clock when loop_computes, else the wall clock */
	double after;	   /* blocked part of the step that is still to come */
	size_t step, sent, epoch_end;
	double request, deliver, device_end, exposed, loop_s;
	const struct sm_demand *in_hand;
};

static const struct sm_demand *demand_at(const struct run *run, size_t position)
{
	const struct sm_replay *replay = run->replay;
	return &replay->demands[replay->order ? replay->order[position] : position];
}

static double blocked_of(const struct sm_demand *demand)
{
	return demand->fetch_blocked + demand->transform_blocked + demand->collate_blocked;
}

static double computing_of(const struct sm_demand *demand)
{
	double running = demand->fetch + demand->transform + demand->collate - blocked_of(demand);
	double waited = isnan(demand->run_delay_share) ? 0 : demand->run_delay_share;
	return fmax(running, 0) * (1 - waited);
}

/* --- workers --- */

static void send(struct run *run)
{
	const struct sm_setting *setting = &run->replay->setting;
	int to = run->turn;
	for (int i = 0; !setting->in_order && i < setting->num_workers; i++) {
		to = (run->turn + i) % setting->num_workers;
		if (run->held[to] < setting->prefetch_factor) {
			break;
		}
	}
	struct worker *worker = &run->workers[to];
	run->turn = (to + 1) % setting->num_workers;
	run->held[to]++;
	worker->queue[(worker->head + worker->count++) % run->room] = run->sent++;
}

static void hand_in(struct run *run, int index)
{
	struct worker *worker = &run->workers[index];
	size_t position = worker->queue[worker->head];
	const struct sm_demand *demand = demand_at(run, position);
	double ready = run->now + demand->way;
	if (demand->pin > 0) {
		ready = run->pin_free = fmax(ready, run->pin_free) + demand->pin;
	}
	run->arrivals[run->arrival_count++] = (struct arrival){position, index, ready};
	worker->head = (worker->head + 1) % run->room;
	worker->count--;
	worker->state = IDLE;
}

/* From idle to blocked to computing to idle, as far as this moment allows. True if anything moved. */
static bool move_worker(struct run *run, int index)
{
	struct worker *worker = &run->workers[index];
	switch (worker->state) {
	case IDLE:
		if (!worker->count || run->now < worker->born) {
			return false;
		}
		worker->state = BLOCKED;
		worker->until = run->now + blocked_of(demand_at(run, worker->queue[worker->head]));
		return true;
	case BLOCKED:
		if (run->now < worker->until) {
			return false;
		}
		worker->state = COMPUTING;
		worker->until =
			run->computing + computing_of(demand_at(run, worker->queue[worker->head]));
		return true;
	case COMPUTING:
		if (run->computing < worker->until) {
			return false;
		}
		hand_in(run, index);
		return true;
	}
	return false;
}

/* --- the loop --- */

static void pause_until(struct run *run, enum loop_state state, double wall)
{
	run->loop = state;
	run->loop_computes = false;
	run->loop_until = wall;
}

static void compute_for(struct run *run, enum loop_state state, double seconds)
{
	run->loop = state;
	run->loop_computes = true;
	run->loop_until = run->computing + seconds;
}

static int epoch_at(const struct sm_replay *replay, size_t position)
{
	size_t at = (size_t)((double)position * (double)replay->recorded / (double)replay->count);
	return replay->demands[replay->count == replay->recorded ? position : at].epoch;
}

static void open_epoch(struct run *run)
{
	const struct sm_replay *replay = run->replay;
	const struct sm_borders *borders = &replay->borders;
	double scale = (double)replay->count / (double)replay->recorded;
	bool first = run->step == 0;
	int epoch = epoch_at(replay, run->step);
	for (run->epoch_end = run->step;
		run->epoch_end < replay->count && epoch_at(replay, run->epoch_end) == epoch;) {
		run->epoch_end++;
	}
	run->turn = 0;
	run->pin_free = 0;
	for (int i = 0; i < replay->setting.num_workers; i++) {
		run->workers[i].born =
			run->now +
			(first ? borders->startup_first : borders->startup_later) * scale;
	}
	for (size_t window = (size_t)replay->setting.num_workers *
			     (size_t)replay->setting.prefetch_factor;
		run->sent < run->epoch_end && run->sent - run->step < window;) {
		send(run);
	}
	double iterate = (first ? borders->iterate_first : borders->iterate_later) * scale;
	run->exposed += iterate;
	pause_until(run, OPENING, run->now + iterate);
}

static void ask(struct run *run)
{
	if (run->step == run->replay->count) {
		run->loop = ENDED;
	} else if (run->step == run->epoch_end) {
		double scale = (double)run->replay->count / (double)run->replay->recorded;
		run->exposed += run->replay->borders.ending * scale;
		pause_until(run, PAUSING, run->now + run->replay->borders.ending * scale);
	} else {
		run->loop = WAITING;
		run->request = run->now;
	}
}

/* The batch to take now, -1 for none. */
static int wanted(const struct run *run)
{
	int found = -1;
	for (size_t i = 0; i < run->arrival_count; i++) {
		const struct arrival *arrival = &run->arrivals[i];
		bool fits = !run->replay->setting.in_order || arrival->position == run->step;
		if (fits && arrival->ready <= run->now &&
			(found < 0 || arrival->ready < run->arrivals[found].ready)) {
			found = (int)i;
		}
	}
	return found;
}

static bool take(struct run *run)
{
	int at = wanted(run);
	if (at < 0) {
		return false;
	}
	struct arrival arrival = run->arrivals[at];
	run->arrivals[at] = run->arrivals[--run->arrival_count];
	run->held[arrival.worker]--;
	run->in_hand = demand_at(run, arrival.position);
	double draw = run->sent < run->epoch_end ? demand_at(run, run->sent)->draw : 0;
	compute_for(run, HANDING,
		(run->in_hand->hand + draw) * run->sharing->hand_computing *
			run->sharing->loop_pace);
	return true;
}

static void begin_step(struct run *run)
{
	const struct sm_demand *demand = run->in_hand;
	const struct sm_sharing *sharing = run->sharing;
	bool asynchronous = run->replay->asynchronous;
	double wall = asynchronous ? demand->launch
				   : demand->h2d + demand->compute + demand->sync + demand->other;
	run->deliver = run->now;
	run->after = wall * sharing->loop_blocked;
	compute_for(run, STEPPING, wall * sharing->loop_computing * sharing->loop_pace);
}

static void account(struct run *run)
{
	double wait = run->deliver - run->request;
	run->loop_s += run->now - run->deliver;
	if (!run->replay->asynchronous) {
		run->exposed += wait;
		return;
	}
	double backlog = fmax(run->device_end - run->request, 0), launch = run->in_hand->launch;
	run->exposed += fmax(wait + launch - backlog, 0) - fmax(launch - backlog, 0);
	run->device_end =
		fmax(run->now, run->device_end) + run->in_hand->h2d + run->in_hand->compute;
}

static bool is_over(const struct run *run)
{
	return run->loop_computes ? run->computing >= run->loop_until : run->now >= run->loop_until;
}

/* True if the loop moved on. */
static bool move_loop(struct run *run)
{
	if (run->loop == ENDED) {
		return false;
	}
	if (run->loop == WAITING) {
		return take(run);
	}
	if (!is_over(run)) {
		return false;
	}
	if (run->loop == HANDING) {
		if (run->sent < run->epoch_end) {
			send(run);
		}
		begin_step(run);
	} else if (run->loop == STEPPING && run->loop_computes) {
		pause_until(run, STEPPING, run->now + run->after);
	} else if (run->loop == STEPPING) {
		account(run);
		run->step++;
		ask(run);
	} else if (run->loop == PAUSING) {
		open_epoch(run);
	} else {
		ask(run);
	}
	return true;
}

/* --- the clocks --- */

static double pace(const struct run *run)
{
	double threads = run->sharing->foreign;
	for (int i = 0; i < run->replay->setting.num_workers; i++) {
		threads += run->workers[i].state == COMPUTING;
	}
	if (run->loop_computes && run->loop != WAITING && run->loop != ENDED) {
		threads += run->sharing->loop_threads;
	}
	return threads > run->sharing->cores ? run->sharing->cores / threads : 1;
}

struct next {
	double by_wall, by_computing; /* the nearest end on each clock */
};

static void nearer(double *nearest, double end)
{
	*nearest = end < *nearest ? end : *nearest;
}

static struct next find_next(const struct run *run)
{
	struct next next = {INFINITY, INFINITY};
	for (int i = 0; i < run->replay->setting.num_workers; i++) {
		const struct worker *worker = &run->workers[i];
		if (worker->state == COMPUTING) {
			nearer(&next.by_computing, worker->until);
		} else if (worker->state == BLOCKED) {
			nearer(&next.by_wall, worker->until);
		} else if (worker->count && worker->born > run->now) {
			nearer(&next.by_wall, worker->born);
		}
	}
	for (size_t i = 0; i < run->arrival_count && run->loop == WAITING; i++) {
		const struct arrival *arrival = &run->arrivals[i];
		if (arrival->ready > run->now &&
			(!run->replay->setting.in_order || arrival->position == run->step)) {
			nearer(&next.by_wall, arrival->ready);
		}
	}
	if (run->loop != WAITING) {
		nearer(run->loop_computes ? &next.by_computing : &next.by_wall, run->loop_until);
	}
	return next;
}

/* Moves the clocks to the nearest end exactly, so that no end is missed by rounding. False when nothing will happen. */
static bool advance(struct run *run)
{
	struct next next = find_next(run);
	double speed = pace(run);
	double wall_of_computing = run->now + (next.by_computing - run->computing) / speed;
	if (isinf(wall_of_computing) && isinf(next.by_wall)) {
		return false;
	}
	if (wall_of_computing <= next.by_wall) {
		run->now = wall_of_computing;
		run->computing = next.by_computing;
	} else {
		run->computing += (next.by_wall - run->now) * speed;
		run->now = next.by_wall;
	}
	return true;
}

static void settle(struct run *run)
{
	bool moved = true;
	while (moved) {
		moved = move_loop(run);
		for (int i = 0; i < run->replay->setting.num_workers; i++) {
			moved = move_worker(run, i) || moved;
		}
	}
}

static int prepare(struct run *run)
{
	size_t workers = (size_t)run->replay->setting.num_workers;
	run->room = (size_t)run->replay->setting.prefetch_factor + 1;
	run->workers = sm_mem_calloc(workers, sizeof(*run->workers));
	run->queues = sm_mem_alloc(workers * run->room * sizeof(*run->queues));
	run->arrivals = sm_mem_alloc(workers * run->room * sizeof(*run->arrivals));
	run->held = sm_mem_calloc(workers, sizeof(*run->held));
	if (!run->workers || !run->queues || !run->arrivals || !run->held) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < workers; i++) {
		run->workers[i].queue = run->queues + i * run->room;
	}
	return 0;
}

int sm_shared_cores_run(
	const struct sm_replay *replay, const struct sm_sharing *sharing, struct sm_outcome *ret)
{
	struct run run = {.replay = replay, .sharing = sharing};
	int error = prepare(&run);
	if (!error && replay->count) {
		open_epoch(&run);
		do {
			settle(&run);
		} while (run.loop != ENDED && advance(&run));
	}
	*ret = (struct sm_outcome){fmax(run.now, run.device_end), run.exposed, run.loop_s};
	sm_mem_free(run.workers);
	sm_mem_free(run.queues);
	sm_mem_free(run.arrivals);
	sm_mem_free(run.held);
	return error;
}
