/* The fast recursion against the slow simulator, and the laws that any such model must keep. */
#include "analyze/attribution.h"
#include "predict/recursion.h"
#include "predict/shared_cores.h"
#include "slow_loader.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCHES = 120, CONFIGURATIONS = 400 };

static uint64_t state;

static double uniform(double low, double high)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

static int pick(int low, int high)
{
	return low + (int)uniform(0, (double)(high - low + 1) - 1e-9);
}

/* Now and then a slow one; some stages absent. */
static double duration(double mean)
{
	return uniform(0, 1) < 0.05 ? mean * uniform(5, 30) : mean * uniform(0.2, 1.8);
}

struct scene {
	struct sm_demand demands[BATCHES];
	struct slow_batch batches[BATCHES];
	struct sm_replay replay;
	struct slow_loader slow;
};

static void make_scene(struct scene *scene, bool with_borders)
{
	memset(scene, 0, sizeof(*scene));
	double draw = pick(0, 1) * uniform(0, 0.002), way = uniform(0, 0.003),
	       pin = pick(0, 2) ? 0 : uniform(0, 0.004);
	double work = uniform(0.001, 0.08), hand = uniform(0, 0.002), step = uniform(0.0005, 0.03);
	int epochs = with_borders ? pick(1, 4) : 1;
	for (int i = 0; i < BATCHES; i++) {
		struct sm_demand *demand = &scene->demands[i];
		*demand = (struct sm_demand){.draw = draw * uniform(0.5, 1.5),
			.fetch = duration(work),
			.transform = duration(work / 2),
			.collate = work * 0.1,
			.way = way * uniform(0.5, 1.5),
			.pin = pin * uniform(0.5, 1.5),
			.hand = hand,
			.h2d = step * 0.1,
			.compute = duration(step),
			.sync = 0,
			.other = step * 0.05,
			.epoch = i * epochs / BATCHES};
		scene->batches[i] = (struct slow_batch){.draw = demand->draw,
			.compute = demand->fetch + demand->transform + demand->collate,
			.way = demand->way,
			.pin = demand->pin,
			.hand = demand->hand,
			.step = demand->h2d + demand->compute + demand->sync + demand->other,
			.epoch = demand->epoch};
	}
	struct sm_setting setting = {.num_workers = pick(0, 9),
		.prefetch_factor = pick(1, 4),
		.in_order = pick(0, 3) != 0};
	struct sm_borders borders = {0};
	if (with_borders && setting.num_workers) {
		borders = (struct sm_borders){uniform(0, 0.3), uniform(0, 0.2), uniform(0, 0.05),
			uniform(0, 0.05), uniform(0, 0.02)};
	}
	scene->replay = (struct sm_replay){.demands = scene->demands,
		.count = BATCHES,
		.recorded = BATCHES,
		.borders = borders,
		.setting = setting};
	scene->slow = (struct slow_loader){.workers = setting.num_workers,
		.prefetch = setting.prefetch_factor,
		.in_order = setting.in_order,
		.cores = INFINITY,
		.startup_first = borders.startup_first,
		.startup_later = borders.startup_later,
		.iterate_first = borders.iterate_first,
		.iterate_later = borders.iterate_later,
		.ending = borders.ending,
		.batches = scene->batches,
		.count = BATCHES};
}

static double fast_time(const struct sm_replay *replay)
{
	struct sm_outcome outcome;
	assert_int_equal(sm_recursion_run(replay, NULL, &outcome), 0);
	return outcome.time_s;
}

static void agrees_with_the_slow_simulator(void **unused)
{
	(void)unused;
	state = 1;
	for (int i = 0; i < CONFIGURATIONS; i++) {
		struct scene scene;
		make_scene(&scene, i % 2);
		double fast = fast_time(&scene.replay), slow = slow_loader_run(&scene.slow);
		if (fabs(fast - slow) > 1e-6 * slow) {
			fail_msg("configuration %d: workers %d prefetch %d in_order %d: fast %.9f "
				 "slow %.9f",
				i, scene.slow.workers, scene.slow.prefetch, scene.slow.in_order,
				fast, slow);
		}
	}
}

/* All that the workers compute is computing, a part of it blocked; the loop computes always. */
static void agrees_where_cpus_are_shared(void **unused)
{
	(void)unused;
	state = 6;
	for (int i = 0; i < CONFIGURATIONS; i++) {
		struct scene scene;
		make_scene(&scene, i % 2);
		if (!scene.slow.workers || scene.demands[0].pin > 0) {
			continue; /* the fast one lets the pin thread have a CPU of its own */
		}
		scene.slow.cores = uniform(0.5, 4);
		double blocked = pick(0, 1) * uniform(0, 1), waited = pick(0, 1) * uniform(0, 0.9);
		for (int k = 0; k < BATCHES; k++) {
			struct sm_demand *demand = &scene.demands[k];
			double work = scene.batches[k].compute;
			scene.batches[k].wait = work * blocked;
			scene.batches[k].compute = work * (1 - blocked) * (1 - waited);
			demand->fetch_blocked = demand->fetch * blocked;
			demand->transform_blocked = demand->transform * blocked;
			demand->collate_blocked = demand->collate * blocked;
			demand->run_delay_share = waited;
		}
		struct sm_sharing sharing = {.hand_computing = 1,
			.loop_pace = 1,
			.cores = scene.slow.cores,
			.loop_computing = 1,
			.loop_threads = 1};
		struct sm_outcome outcome;
		assert_int_equal(sm_shared_cores_run(&scene.replay, &sharing, &outcome), 0);
		double slow = slow_loader_run(&scene.slow);
		if (fabs(outcome.time_s - slow) > 1e-6 * slow) {
			fail_msg("configuration %d: workers %d prefetch %d in_order %d cores %.2f: "
				 "fast %.9f slow %.9f",
				i, scene.slow.workers, scene.slow.prefetch, scene.slow.in_order,
				scene.slow.cores, outcome.time_s, slow);
		}
	}
}

/* All durations twice as long: the run takes twice as long. */
static void is_homogeneous(void **unused)
{
	(void)unused;
	state = 2;
	for (int i = 0; i < 100; i++) {
		struct scene scene;
		make_scene(&scene, false);
		double before = fast_time(&scene.replay);
		for (int k = 0; k < BATCHES; k++) {
			double *fields = &scene.demands[k].draw;
			for (double *field = fields; field <= &scene.demands[k].launch; field++) {
				*field *= 2;
			}
		}
		assert_true(fabs(fast_time(&scene.replay) - 2 * before) < 1e-9 * before);
	}
}

/* A shorter stage never hurts, as long as batches come in order. */
static void is_monotone(void **unused)
{
	(void)unused;
	state = 3;
	for (int i = 0; i < 200; i++) {
		struct scene scene;
		make_scene(&scene, false);
		scene.replay.setting.in_order = true;
		double pin =
			scene.demands[0]
				.pin; /* the pin thread serves whoever comes first: not monotone */
		if (pin > 0) {
			continue;
		}
		double before = fast_time(&scene.replay);
		for (int k = 0; k < BATCHES; k++) {
			double *fields = &scene.demands[k].draw;
			fields[pick(0, 10)] *= uniform(0, 1);
		}
		assert_true(fast_time(&scene.replay) <= before * (1 + 1e-12));
	}
}

static void walk(const struct sm_replay *replay, double *charge_s, double *ret_sum)
{
	struct sm_batch *timeline = calloc(replay->count, sizeof(*timeline));
	struct sm_outcome outcome;
	assert_int_equal(sm_recursion_run(replay, timeline, &outcome), 0);
	struct sm_loader loader = {
		.batches = timeline, .batch_count = replay->count, .batch_total = replay->count};
	assert_int_equal(sm_attribution_walk(&loader, charge_s), 0);
	*ret_sum = 0;
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		*ret_sum += charge_s[i];
	}
	free(timeline);
}

/* Without borders the charges of the walk are the whole time. Times are rounded to ns. */
static void charges_add_up_to_the_time(void **unused)
{
	(void)unused;
	state = 4;
	for (int i = 0; i < 200; i++) {
		struct scene scene;
		make_scene(&scene, false);
		double charge_s[SM_STAGE_COUNT], sum, time = fast_time(&scene.replay);
		walk(&scene.replay, charge_s, &sum);
		if (fabs(sum - time) > 1e-6 * time) {
			fail_msg("configuration %d (workers %d, in_order %d): charges %.9f of %.9f",
				i, scene.slow.workers, scene.slow.in_order, sum, time);
		}
	}
}

static double *field_of(struct sm_demand *demand, enum sm_stage stage)
{
	switch (stage) {
	case SM_STAGE_SAMPLER:
		return &demand->draw;
	case SM_STAGE_FETCH:
		return &demand->fetch;
	case SM_STAGE_TRANSFORM:
		return &demand->transform;
	case SM_STAGE_COLLATE:
		return &demand->collate;
	case SM_STAGE_PIN:
		return &demand->pin;
	case SM_STAGE_COMPUTE:
		return &demand->compute;
	default:
		return &demand->other;
	}
}

static double time_with(struct scene *scene, enum sm_stage stage, double factor)
{
	struct scene copy = *scene;
	copy.replay.demands = copy.demands;
	for (int k = 0; k < BATCHES; k++) {
		*field_of(&copy.demands[k], stage) *= factor;
	}
	return fast_time(&copy.replay);
}

/* Where the slope of T is the same on both sides (no kink), it is the share. */
static void slopes_are_the_shares(void **unused)
{
	(void)unused;
	const enum sm_stage stages[] = {SM_STAGE_SAMPLER, SM_STAGE_FETCH, SM_STAGE_TRANSFORM,
		SM_STAGE_COLLATE, SM_STAGE_COMPUTE, SM_STAGE_OTHER};
	int compared = 0;
	state = 5;
	for (int i = 0; i < 200; i++) {
		struct scene scene;
		make_scene(&scene, false);
		scene.replay.setting.in_order = true;
		if (scene.demands[0].pin > 0 || !scene.slow.workers) {
			continue; /* what queues before the pin thread is charged as transport, a bound;
				     without workers nothing competes */
		}
		double charge_s[SM_STAGE_COUNT], sum, time = fast_time(&scene.replay);
		walk(&scene.replay, charge_s, &sum);
		for (size_t k = 0; k < sizeof(stages) / sizeof(*stages); k++) {
			double less = (time - time_with(&scene, stages[k], 0.999)) / 0.001 / time;
			double more = (time_with(&scene, stages[k], 1.001) - time) / 0.001 / time;
			if (fabs(less - more) > 0.002) {
				continue; /* a kink */
			}
			compared++;
			if (fabs(charge_s[stages[k]] / time - (less + more) / 2) > 0.02) {
				fail_msg("configuration %d, %s (workers %d prefetch %d): share "
					 "%.4f, slope %.4f",
					i, sm_vocabulary_stage_name(stages[k]), scene.slow.workers,
					scene.slow.prefetch, charge_s[stages[k]] / time,
					(less + more) / 2);
			}
		}
	}
	assert_true(compared > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_slow_simulator),
		cmocka_unit_test(agrees_where_cpus_are_shared),
		cmocka_unit_test(is_homogeneous),
		cmocka_unit_test(is_monotone),
		cmocka_unit_test(charges_add_up_to_the_time),
		cmocka_unit_test(slopes_are_the_shares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
