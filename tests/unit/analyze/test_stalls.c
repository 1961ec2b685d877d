/* The exposed stall against an exact simulation of a device, in the regimes in which other tools go wrong.
 *
 * The device takes 100 a step, the host 5 to launch it, and runs at most `ahead` steps ahead. Loader times are random. What the
 * host would record (its waits, and what the device says to questions that do not wait) goes into a loader; the share of
 * exposed stall that comes out must be the time that a loader which is always ready would save. */
#include "analyze/bootstrap.h"
#include "analyze/stalls.h"
#include "analyze/steps.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 3000, UNIT_NS = 100 * 1000 };

static uint64_t state;

static double uniform(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(state >> 11) / 9007199254740992.0;
}

struct regime {
	const char *name;
	double loader_mean, bursty; /* share of slow batches, 10 times as long */
	double launch;
	int ahead;
	bool synchronous, cpu;
};

struct world {
	double ready[STEPS]; /* when batch b can be taken */
	double request[STEPS], deliver[STEPS], launched[STEPS], device_begin[STEPS],
		device_end[STEPS];
	double time;
};

/* One producer, unbounded queue: batch b is ready when all before it are made. */
static void make_batches(const struct regime *regime, struct world *world, bool always_ready)
{
	double at = 0, base = regime->loader_mean / (1 + 9 * regime->bursty);
	for (int b = 0; b < STEPS; b++) {
		at += (uniform() < regime->bursty ? 10 : 1) * base * (0.5 + uniform());
		world->ready[b] = always_ready ? 0 : at;
	}
}

static void run_world(const struct regime *regime, struct world *world)
{
	double now = 0;
	for (int b = 0; b < STEPS; b++) {
		if (b >= regime->ahead && !regime->synchronous) {
			now = fmax(now, world->device_end[b - regime->ahead]);
		}
		world->request[b] = now;
		world->deliver[b] = fmax(now, world->ready[b]);
		world->launched[b] = world->deliver[b] + regime->launch;
		world->device_begin[b] = fmax(world->launched[b], b ? world->device_end[b - 1] : 0);
		world->device_end[b] = world->device_begin[b] + 100;
		now = regime->synchronous ? world->device_end[b] : world->launched[b];
	}
	world->time = world->device_end[STEPS - 1];
}

static int64_t ns(double units)
{
	return llround(units * UNIT_NS);
}

/* X is an event behind the work of step b-1, recorded at the request; Y one before the work of step b. */
static void ask_device(const struct world *world, int b, struct sm_batch *batch)
{
	double x_done = b ? fmax(world->device_end[b - 1], world->request[b]) : world->request[b];
	double idle_since = b ? world->device_end[b - 1] : 0;
	batch->device_state = idle_since <= world->request[b]  ? SM_DEVICE_IDLE_AT_REQUEST
			      : idle_since > world->deliver[b] ? SM_DEVICE_BUSY_AT_DELIVERY
							       : SM_DEVICE_ELAPSED;
	batch->device_elapsed_ns = ns(world->device_begin[b] - x_done);
}

static double exposed_share(const struct regime *regime, const struct world *world)
{
	static struct sm_batch batches[STEPS];
	struct sm_epoch epoch = {.iterate_begin_ns = 0,
		.iterate_end_ns = 0,
		.last_end_ns = ns(world->time),
		.end_ns = ns(world->time)};
	for (int b = 0; b < STEPS; b++) {
		batches[b] = (struct sm_batch){.task = b,
			.request_ns = ns(world->request[b]),
			.deliver_ns = ns(world->deliver[b]),
			.end_ns = ns(b + 1 < STEPS ? world->request[b + 1] : world->time),
			.device_state = -1,
			.device_elapsed_ns = -1,
			.device_copy_ns = -1};
		if (!regime->cpu) {
			ask_device(world, b, &batches[b]);
		}
	}
	struct sm_loader loader = {.batches = batches,
		.batch_count = STEPS,
		.batch_total = STEPS,
		.epochs = &epoch,
		.epoch_count = 1};
	struct sm_loader_analysis analysis = {
		.loader = &loader, .time_s = sm_steps_span(&loader).time_s};
	assert_int_equal(sm_stalls_find(&analysis, &loader, true), 0);
	assert_true(analysis.exposed_low <= analysis.exposed_share + 0.01 &&
		    analysis.exposed_high >= analysis.exposed_share - 0.01);
	return analysis.exposed_share;
}

static void is_the_gain_of_a_perfect_loader(void **unused)
{
	(void)unused;
	const struct regime regimes[] = {
		{"device-bound, bursty", 95, 0.05, 5, 4, false, false},
		{"device-bound, no limit to running ahead", 95, 0.05, 5, STEPS, false, false},
		{"balanced, bursty", 90, 0.02, 5, 4, false, false},
		{"data-bound, asynchronous", 140, 0, 5, 4, false, false},
		{"data-bound, synchronous", 140, 0, 5, 4, true, false},
		{"launch-bound", 60, 0, 120, 4, false, false},
	};
	static struct world real, perfect;
	for (size_t i = 0; i < sizeof(regimes) / sizeof(*regimes); i++) {
		state = 7;
		make_batches(&regimes[i], &real, false);
		make_batches(&regimes[i], &perfect, true);
		run_world(&regimes[i], &real);
		run_world(&regimes[i], &perfect);
		double share = exposed_share(&regimes[i], &real),
		       gain = 1 - perfect.time / real.time;
		if (fabs(share - gain) > 0.01) {
			fail_msg("%s: exposed %.4f, gain of a perfect loader %.4f", regimes[i].name,
				share, gain);
		}
	}
}

/* Without a device every wait is a stall, and so are iterator and epoch's end: 10 + 20 + 30 of 10 + (20 + 40) + (30 + 50). */
static void on_a_cpu_every_wait_is_a_stall(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {
		{.request_ns = 10,
			.deliver_ns = 30,
			.end_ns = 70,
			.device_state = -1,
			.device_elapsed_ns = -1,
			.device_copy_ns = -1},
		{.request_ns = 70,
			.deliver_ns = 100,
			.end_ns = 150,
			.device_state = -1,
			.device_elapsed_ns = -1,
			.device_copy_ns = -1},
	};
	struct sm_epoch epoch = {.iterate_begin_ns = 0,
		.iterate_end_ns = 10,
		.first_request_ns = 10,
		.last_end_ns = 150,
		.end_ns = 170};
	struct sm_loader loader = {.batches = batches,
		.batch_count = 2,
		.batch_total = 2,
		.epochs = &epoch,
		.epoch_count = 1};
	struct sm_loader_analysis analysis = {
		.loader = &loader, .time_s = sm_steps_span(&loader).time_s};
	assert_float_equal(analysis.time_s, 150e-9, 1e-15);
	assert_int_equal(sm_stalls_find(&analysis, &loader, true), 0);
	assert_float_equal(analysis.exposed_s, 60e-9, 1e-15);
	assert_float_equal(analysis.hidden_s, 0, 1e-15);
	assert_float_equal(analysis.ceiling_speedup, 150.0 / 90.0, 1e-9);
	assert_int_equal(batches[1].exposed_ns, 30);
}

/* Three trials of 10, one half outside the stretch and one of another rank: 15. */
static void trials_of_ours_are_counted_as_far_as_they_lie_inside(void **unused)
{
	(void)unused;
	struct sm_interlude interludes[] = {
		{110, 120, -1}, {195, 205, -1}, {130, 140, 3}, {300, 310, -1}};
	struct sm_model model = {.interludes = interludes, .interlude_count = 4};
	assert_float_equal(sm_steps_interlude_s(&model, -1, 100, 200), 15e-9, 1e-15);
	assert_float_equal(sm_steps_interlude_s(&model, 3, 100, 200), 10e-9, 1e-15);
	assert_float_equal(sm_steps_interlude_s(&model, 0, 100, 200), 0, 1e-15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_gain_of_a_perfect_loader),
		cmocka_unit_test(on_a_cpu_every_wait_is_a_stall),
		cmocka_unit_test(trials_of_ours_are_counted_as_far_as_they_lie_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
