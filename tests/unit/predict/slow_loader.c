#include "slow_loader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MAX = 4096 };

struct queue {
	size_t item[QUEUE_MAX];
	size_t head, tail;
};

static void push(struct queue *queue, size_t item)
{
	queue->item[queue->tail++ % QUEUE_MAX] = item;
}

static bool is_empty(const struct queue *queue)
{
	return queue->head == queue->tail;
}

static size_t pop(struct queue *queue)
{
	return queue->item[queue->head++ % QUEUE_MAX];
}

struct worker {
	struct queue lists;
	bool busy;
	double sleep_left, compute_left, born;
	size_t batch;
	int held;
};

struct transit {
	size_t batch;
	double left;
};

enum phase { ITERATING, WAITING, HANDING, DRAWING, STEPPING, ENDING, FINISHED };

struct world {
	struct slow_loader *loader;
	double now;
	struct worker *workers;
	struct transit transit[QUEUE_MAX];
	size_t in_transit;
	struct queue to_pin;
	bool pinning;
	double pin_left;
	size_t pin_batch;
	size_t ready[QUEUE_MAX];
	size_t ready_count;
	enum phase phase;
	double main_left;
	size_t current, delivered, sent, first, last; /* first and last (exclusive) of the epoch */
	int turn;
};

static void send_list(struct world *world)
{
	const struct slow_loader *loader = world->loader;
	int to = world->turn;
	for (int i = 0; i < loader->workers && !loader->in_order; i++) {
		to = (world->turn + i) % loader->workers;
		if (world->workers[to].held < loader->prefetch) {
			break;
		}
	}
	world->turn = (to + 1) % loader->workers;
	world->workers[to].held++;
	world->loader->batches[world->sent].put = world->now;
	world->loader->batches[world->sent].worker = to;
	push(&world->workers[to].lists, world->sent++);
}

static void open_epoch(struct world *world, size_t first)
{
	struct slow_loader *loader = world->loader;
	world->first = first;
	for (world->last = first;
		world->last < loader->count &&
		loader->batches[world->last].epoch == loader->batches[first].epoch;) {
		world->last++;
	}
	world->sent = first;
	world->turn = 0;
	for (int i = 0; i < loader->workers; i++) {
		world->workers[i].born =
			world->now + (first ? loader->startup_later : loader->startup_first);
	}
	while (loader->workers && world->sent < world->last &&
		world->sent - first < (size_t)(loader->workers * loader->prefetch)) {
		send_list(world);
	}
	world->phase = ITERATING;
	world->main_left = first ? loader->iterate_later : loader->iterate_first;
}

static bool has_wanted(const struct world *world, size_t *ret_at)
{
	for (size_t i = 0; i < world->ready_count; i++) {
		if (!world->loader->in_order || world->ready[i] == world->delivered) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

/* Everything that happens at once, until nothing does. */
static bool settle_workers(struct world *world)
{
	bool moved = false;
	for (int i = 0; i < world->loader->workers; i++) {
		struct worker *worker = &world->workers[i];
		if (!worker->busy && !is_empty(&worker->lists) && world->now >= worker->born) {
			worker->busy = moved = true;
			worker->batch = pop(&worker->lists);
			struct slow_batch *batch = &world->loader->batches[worker->batch];
			batch->start = world->now;
			worker->sleep_left = batch->wait;
			worker->compute_left = batch->compute;
		}
		if (worker->busy && worker->sleep_left <= 0 && worker->compute_left <= 0) {
			worker->busy = false;
			moved = true;
			world->loader->batches[worker->batch].done = world->now;
			world->transit[world->in_transit++] = (struct transit){
				worker->batch, world->loader->batches[worker->batch].way};
		}
	}
	return moved;
}

static bool settle_way(struct world *world)
{
	for (size_t i = 0; i < world->in_transit; i++) {
		if (world->transit[i].left <= 0) {
			size_t batch = world->transit[i].batch;
			memmove(&world->transit[i], &world->transit[i + 1],
				(--world->in_transit - i) * sizeof(struct transit));
			if (world->loader->batches[batch].pin > 0) {
				push(&world->to_pin, batch);
			} else {
				world->ready[world->ready_count++] = batch;
			}
			return true;
		}
	}
	if (world->pinning && world->pin_left <= 0) {
		world->pinning = false;
		world->ready[world->ready_count++] = world->pin_batch;
		return true;
	}
	if (!world->pinning && !is_empty(&world->to_pin)) {
		world->pinning = true;
		world->pin_batch = pop(&world->to_pin);
		world->pin_left = world->loader->batches[world->pin_batch].pin;
		return true;
	}
	return false;
}

static void request(struct world *world)
{
	if (world->delivered == world->loader->count) {
		world->phase = FINISHED;
	} else if (world->delivered == world->last) {
		world->phase = ENDING;
		world->main_left = world->loader->ending;
	} else {
		world->phase = WAITING;
		world->loader->batches[world->delivered].request =
			world->now; /* of the delivered-th call */
		if (!world->loader->workers) {
			struct slow_batch *batch = &world->loader->batches[world->delivered];
			world->current = world->delivered;
			world->phase = HANDING;
			world->main_left = batch->draw + batch->wait + batch->compute + batch->pin +
					   batch->hand;
		}
	}
}

static bool settle_main(struct world *world)
{
	struct slow_batch *batches = world->loader->batches;
	size_t at;
	if (world->phase == FINISHED) {
		return false;
	}
	if (world->phase == WAITING) {
		if (!has_wanted(world, &at)) {
			return false;
		}
		world->current = world->ready[at];
		memmove(&world->ready[at], &world->ready[at + 1],
			(--world->ready_count - at) * sizeof(size_t));
		world->workers[batches[world->current].worker].held--;
		world->phase = HANDING;
		world->main_left = batches[world->current].hand;
		return true;
	}
	if (world->main_left > 0) {
		return false;
	}
	switch (world->phase) {
	case HANDING:
		world->phase = DRAWING;
		world->main_left = world->loader->workers && world->sent < world->last
					   ? batches[world->sent].draw
					   : 0;
		break;
	case DRAWING:
		if (world->loader->workers && world->sent < world->last) {
			send_list(world);
		}
		batches[world->current].deliver = world->now;
		world->phase = STEPPING;
		world->main_left = batches[world->current].step;
		break;
	case STEPPING:
		batches[world->current].end = world->now;
		world->delivered++;
		request(world);
		break;
	case ENDING:
		open_epoch(world, world->last);
		break;
	default:
		request(world);
		break;
	}
	return true;
}

/* --- the clock --- */

static double rate_of(const struct world *world)
{
	int computing = 0;
	for (int i = 0; i < world->loader->workers; i++) {
		const struct worker *worker = &world->workers[i];
		computing += worker->busy && worker->sleep_left <= 0 && worker->compute_left > 0;
	}
	computing += world->phase != WAITING && world->phase != FINISHED &&
		     world->phase != ITERATING && world->phase != ENDING;
	computing += world->pinning;
	return computing > world->loader->cores ? world->loader->cores / computing : 1;
}

static bool main_computes(const struct world *world)
{
	return world->phase == HANDING || world->phase == DRAWING || world->phase == STEPPING;
}

static void shorten(double *least, double left, double rate)
{
	if (left > 0 && left / rate < *least) {
		*least = left / rate;
	}
}

static double next_event(const struct world *world, double rate)
{
	double least = INFINITY;
	for (int i = 0; i < world->loader->workers; i++) {
		const struct worker *worker = &world->workers[i];
		if (worker->busy) {
			shorten(&least,
				worker->sleep_left > 0 ? worker->sleep_left : worker->compute_left,
				worker->sleep_left > 0 ? 1 : rate);
		}
		shorten(&least, worker->born - world->now, 1);
	}
	for (size_t i = 0; i < world->in_transit; i++) {
		shorten(&least, world->transit[i].left, 1);
	}
	if (world->pinning) {
		shorten(&least, world->pin_left, rate);
	}
	if (world->phase != WAITING) {
		shorten(&least, world->main_left, main_computes(world) ? rate : 1);
	}
	return least;
}

static void spend(double *left, double by)
{
	*left = *left - by < 1e-13 ? 0 : *left - by;
}

static void advance(struct world *world, double by, double rate)
{
	world->now += by;
	for (int i = 0; i < world->loader->workers; i++) {
		struct worker *worker = &world->workers[i];
		if (worker->busy && worker->sleep_left > 0) {
			spend(&worker->sleep_left, by);
		} else if (worker->busy) {
			spend(&worker->compute_left, by * rate);
		}
		if (fabs(worker->born - world->now) < 1e-13) {
			worker->born = world->now;
		}
	}
	for (size_t i = 0; i < world->in_transit; i++) {
		spend(&world->transit[i].left, by);
	}
	if (world->pinning) {
		spend(&world->pin_left, by * rate);
	}
	if (world->phase != WAITING) {
		spend(&world->main_left, by * (main_computes(world) ? rate : 1));
	}
}

double slow_loader_run(struct slow_loader *loader)
{
	struct world *world = calloc(1, sizeof(*world));
	world->loader = loader;
	world->workers = calloc((size_t)loader->workers + 1, sizeof(*world->workers));
	open_epoch(world, 0);
	while (world->phase != FINISHED) {
		while (settle_workers(world) || settle_way(world) || settle_main(world)) {
		}
		if (world->phase != FINISHED) {
			double rate = rate_of(world), by = next_event(world, rate);
			if (isinf(by)) {
				break; /* nobody moves: a fault of this program */
			}
			advance(world, by, rate);
		}
	}
	double time = world->phase == FINISHED ? world->now : NAN;
	free(world->workers);
	free(world);
	return time;
}
