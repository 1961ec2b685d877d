/* A training is simulated by the slow simulator, written as a trace, read back, analysed and simulated again: what comes out
 * must be what went in. Trace, model, analysis and prediction in one. */
#include "analyze/analysis.h"
#include "make/training_make.h"
#include "predict/loader_model.h"
#include "slow_loader.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCHES = 64, SAMPLES = 4, RUNS = 60 };

static uint64_t state;

static double uniform(double low, double high)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
}

/* Whole microseconds, so that nothing is lost between seconds and ns. */
static double micros(double low, double high)
{
	return floor(uniform(low, high)) * 1e-6;
}

static int64_t ns(double seconds)
{
	return llround(seconds * 1e9) + 1000000000;
}

static int64_t long_ns(double seconds)
{
	return llround(seconds * 1e9);
}

struct story {
	struct slow_loader slow;
	struct slow_batch batches[BATCHES];
	struct training training;
	struct training_batch written[BATCHES];
	struct training_epoch epochs[4];
	int epoch_count;
	double time_s, waited_s;
};

static void invent(struct story *story)
{
	memset(story, 0, sizeof(*story));
	story->slow = (struct slow_loader){.workers = (int)uniform(0, 5.99),
		.prefetch = (int)uniform(1, 3.99),
		.in_order = true,
		.cores = INFINITY,
		.batches = story->batches,
		.count = BATCHES};
	story->epoch_count = (int)uniform(1, 3.99);
	story->slow.iterate_first = story->slow.iterate_later = micros(500, 3000);
	if (story->slow.workers) {
		story->slow.startup_first = story->slow.startup_later = micros(4000, 50000);
		story->slow.ending = micros(100, 5000);
	}
	double work = uniform(2000, 60000), step = uniform(1000, 20000);
	for (int i = 0; i < BATCHES; i++) {
		story->batches[i] = (struct slow_batch){.draw = micros(2, 900),
			.compute = micros(work * 0.3, work * 2),
			.way = story->slow.workers ? micros(400, 900) : 0,
			.hand = story->slow.workers ? micros(50, 150) : 0,
			.step = micros(step * 0.5, step * 1.5),
			.epoch = i * story->epoch_count / BATCHES};
	}
	story->time_s = slow_loader_run(&story->slow);
}

static void write_batch(struct story *story, int i)
{
	const struct slow_batch *batch = &story->batches[i];
	struct training_batch *to = &story->written[i];
	int first = i;
	while (first && story->batches[first - 1].epoch == batch->epoch) {
		first--;
	}
	int window = story->slow.workers * story->slow.prefetch, refill = i + window;
	bool refills = window && refill < BATCHES && story->batches[refill].epoch == batch->epoch;
	int64_t part = long_ns(batch->compute) / 10 / SAMPLES * SAMPLES;
	*to = (struct training_batch){.worker = story->slow.workers ? batch->worker : -1,
		.epoch = batch->epoch,
		.task = i - first,
		.put = ns(batch->put),
		.start = ns(batch->start),
		.done = ns(batch->done),
		.request = ns(batch->request),
		.deliver = ns(batch->deliver),
		.end = ns(batch->end),
		.fetch = part * 2,
		.transform = part * 5,
		.refill = refills ? long_ns(story->batches[refill].draw) : 0};
	if (!story->slow.workers) {
		to->refill = long_ns(batch->draw);
		to->start = to->request + to->refill;
		to->done = to->start + long_ns(batch->compute);
	}
	to->collate = to->done - to->start - to->fetch - to->transform;
	to->arrive = to->deliver - to->refill - long_ns(batch->hand);
	to->backward = (to->end - to->deliver) / 2;
	to->optimizer = (to->end - to->deliver) / 8;
	to->other = (to->end - to->deliver) / 8;
	story->waited_s += batch->deliver - batch->request;
}

static void write_story(struct story *story, const char *directory)
{
	for (int i = 0; i < BATCHES; i++) {
		write_batch(story, i);
		struct training_epoch *epoch = &story->epochs[story->batches[i].epoch];
		bool opens = !i || story->batches[i - 1].epoch != story->batches[i].epoch;
		if (opens) {
			epoch->iterate_end = story->written[i].request;
			epoch->iterate_begin =
				epoch->iterate_end - long_ns(story->slow.iterate_first);
		}
		epoch->last_call_end = story->written[i].end + long_ns(story->slow.ending);
	}
	story->waited_s += story->epoch_count * story->slow.iterate_first +
			   (story->epoch_count - 1) * story->slow.ending;
	story->training = (struct training){.workers = story->slow.workers,
		.prefetch = story->slow.prefetch,
		.samples = SAMPLES,
		.batches = story->written,
		.count = BATCHES,
		.epochs = story->epochs,
		.epoch_count = (size_t)story->epoch_count,
		.workers_first = uniform(0, 1) < 0.5};
	training_make(&story->training, directory);
}

static void same(const char *what, double found, double wanted, double tolerance, int run)
{
	if (!(fabs(found - wanted) <= tolerance)) {
		fail_msg("run %d: %s is %.9f, not %.9f", run, what, found, wanted);
	}
}

static double sum_of(const struct sm_loader_analysis *loader)
{
	double sum = 0;
	for (size_t i = 0; i < loader->stage_count; i++) {
		sum += loader->stages[i].share;
	}
	return sum;
}

static void check_prediction(
	const struct story *story, const struct sm_loader_analysis *loader, int run)
{
	struct sm_prediction prediction;
	struct sm_cure all = {.kind = SM_CURE_ALL_INPUT_FREE};
	struct sm_interval severity;
	double sum = 0;
	assert_non_null(loader->model);
	assert_int_equal(
		sm_loader_model_simulate(loader->model, NULL, NULL, NULL, 0, &prediction), 0);
	same("simulated T over recorded", prediction.time_s / story->time_s, 1, 0.005, run);
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		sum += prediction.share[i];
	}
	same("sum of simulated shares", sum, 1, 1e-9, run);
	for (size_t i = 0; i < loader->stage_count; i++) {
		enum sm_stage stage = loader->stages[i].stage;
		same(sm_vocabulary_stage_name(stage), prediction.share[stage],
			loader->stages[i].share, 0.02, run);
	}
	assert_int_equal(sm_loader_model_severity(loader->model, NULL, &all, &severity), 0);
	same("ceiling", severity.middle, loader->exposed_share, 0.005, run);
	assert_true(severity.middle <= loader->exposed_share + 1e-12);
	assert_true(severity.high <= loader->exposed_high + 1e-12);
}

/* The same training in the slow simulator with something changed. */
static double slow_time(const struct story *story, double work_factor, double step_factor,
	int workers, int prefetch)
{
	struct story copy = *story;
	copy.slow.batches = copy.batches;
	copy.slow.workers = workers;
	copy.slow.prefetch = prefetch;
	for (int i = 0; i < BATCHES; i++) {
		copy.batches[i].compute *= work_factor;
		copy.batches[i].step *= step_factor;
	}
	return slow_loader_run(&copy.slow);
}

static double predicted_time(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure)
{
	struct sm_prediction prediction;
	assert_int_equal(sm_loader_model_simulate(model, setting, cure, NULL, 0, &prediction), 0);
	return prediction.time_s;
}

/* Half of the work of every batch is in its transforms, an eighth of the step is other. Causes say that all work
 * computes, so the CPUs must be plenty here. */
static void check_what_ifs(
	const struct story *story, const struct sm_loader_analysis *loader, int run)
{
	const struct sm_loader_model *model = loader->model;
	struct sm_setting setting = sm_loader_model_setting(model), more = setting,
			  deeper = setting;
	struct sm_cure transform = {.kind = SM_CURE_TRANSFORM_FREE, .share = 1};
	struct sm_cure other = {.kind = SM_CURE_STAGE_SCALED, .stage = SM_STAGE_OTHER, .factor = 0};
	int workers = setting.num_workers, prefetch = setting.prefetch_factor;
	same("T without the transform over the true one",
		predicted_time(model, NULL, &transform) /
			slow_time(story, 0.5, 1, workers, prefetch),
		1, 0.01, run);
	same("T without other over the true one",
		predicted_time(model, NULL, &other) / slow_time(story, 1, 0.875, workers, prefetch),
		1, 0.01, run);
	if (workers) {
		more.num_workers++;
		deeper.prefetch_factor++;
		same("T with one worker more over the true one",
			predicted_time(model, &more, NULL) /
				slow_time(story, 1, 1, workers + 1, prefetch),
			1, 0.01, run);
		same("T with prefetch one deeper over the true one",
			predicted_time(model, &deeper, NULL) /
				slow_time(story, 1, 1, workers, prefetch + 1),
			1, 0.01, run);
	}
}

/* The same questions twice give the same bits, and no interval is inside out. */
static void check_intervals(const struct sm_loader_analysis *loader)
{
	const struct sm_cure cures[] = {{.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_FETCH},
		{.kind = SM_CURE_SLOW_SAMPLES}, {.kind = SM_CURE_STARTUP_FREE},
		{.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_COMPUTE}};
	for (size_t i = 0; i < sizeof(cures) / sizeof(*cures); i++) {
		struct sm_interval once, again;
		assert_int_equal(
			sm_loader_model_severity(loader->model, NULL, &cures[i], &once), 0);
		assert_int_equal(
			sm_loader_model_severity(loader->model, NULL, &cures[i], &again), 0);
		assert_memory_equal(&once, &again, sizeof(once));
		assert_true(0 <= once.low && once.low <= once.middle && once.middle <= once.high &&
			    once.high <= 1);
		assert_true(i == 3 || once.middle <= loader->exposed_share + 1e-12);
		assert_true(i == 3 || once.high <= loader->exposed_high + 1e-12);
	}
}

static void what_goes_in_comes_out(void **unused)
{
	(void)unused;
	state = 11;
	for (int run = 0; run < RUNS; run++) {
		char directory[] = "/tmp/stallmeter-round-XXXXXX", file[80];
		struct story story;
		struct sm_model model;
		struct sm_analysis analysis;
		struct sm_error error = {0};
		assert_non_null(mkdtemp(directory));
		invent(&story);
		write_story(&story, directory);
		if (sm_model_build(&model, directory, NULL, &error)) {
			fail_msg("%s", error.msg);
		}
		assert_int_equal(sm_analysis_build(&analysis, &model, &error), 0);
		assert_int_equal(sm_loader_model_attach(&analysis), 0);
		assert_int_equal(analysis.loader_count, 1);
		const struct sm_loader_analysis *loader = &analysis.loaders[0];
		assert_int_equal(loader->steps, BATCHES);
		same("T", loader->time_s, story.time_s, 1e-6, run);
		same("stall", loader->exposed_s, story.waited_s, 1e-6, run);
		same("sum of shares", sum_of(loader), 1, 1e-9, run);
		check_prediction(&story, loader, run);
		check_what_ifs(&story, loader, run);
		check_intervals(loader);
		sm_model_finish(&model);
		snprintf(file, sizeof(file), "%s/rank0.stall", directory);
		unlink(file);
		rmdir(directory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
