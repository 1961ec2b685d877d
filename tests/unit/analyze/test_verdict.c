/* Classes, in the contract's order, on runs made of equal steps. */
#include "analyze/analysis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct shape { /* of a step, ms */
	double wait, compute, other, copy;
	int steps, every; /* a wait in every n-th step only */
	bool unasked;
	int ranks; /* that do the same, side by side */
};

static void judge(const struct shape *shape, enum sm_verdict_class wanted)
{
	struct sm_batch *batches = calloc((size_t)shape->steps, sizeof(*batches));
	int64_t now = 1000;
	for (int i = 0; i < shape->steps; i++) {
		double wait = i % (shape->every ? shape->every : 1) ? 0 : shape->wait;
		batches[i] = (struct sm_batch){.task = i,
			.worker = -1,
			.start_ns = -1,
			.ready_ns = -1,
			.request_ns = now,
			.device_state = -1,
			.device_elapsed_ns = -1,
			.device_copy_ns = -1,
			.count = 4,
			.other_ns = (int64_t)(shape->other * 1e6),
			.h2d_ns = (int64_t)(shape->copy * 1e6)};
		batches[i].deliver_ns = now + (int64_t)(wait * 1e6);
		now = batches[i].end_ns =
			batches[i].deliver_ns +
			(int64_t)((shape->compute + shape->other + shape->copy) * 1e6);
		if (shape->copy > 0 && !shape->unasked) {
			batches[i].device_state = SM_DEVICE_IDLE_AT_REQUEST;
			batches[i].device_elapsed_ns =
				batches[i].deliver_ns - batches[i].request_ns;
		}
	}
	struct sm_epoch epoch = {.iterate_begin_ns = 1000,
		.iterate_end_ns = 1000,
		.first_request_ns = 1000,
		.last_end_ns = now,
		.end_ns = now};
	struct sm_loader loader = {.name = "train",
		.batches = batches,
		.batch_count = (size_t)shape->steps,
		.batch_total = (uint64_t)shape->steps,
		.epochs = &epoch,
		.epoch_count = shape->steps ? 1 : 0,
		.trains = true};
	struct sm_loader loaders[] = {loader, loader};
	loaders[1].rank = 1;
	struct sm_model model = {.loaders = loaders,
		.loader_count = !shape->steps  ? 0
				: shape->ranks ? (size_t)shape->ranks
					       : 1,
		.begin_ns = 0,
		.end_ns = now + 1000};
	struct sm_analysis analysis;
	assert_int_equal(sm_analysis_build(&analysis, &model, NULL), 0);
	assert_string_equal(
		sm_analysis_class_name(analysis.verdict.class_), sm_analysis_class_name(wanted));
	assert_true(strlen(analysis.verdict.sentence) > 20);
	assert_true((analysis.verdict.missing != NULL) == (wanted == SM_VERDICT_CANNOT_TELL));
	sm_arena_finish(&model.arena);
	free(batches);
}

static void the_first_class_that_holds_wins(void **unused)
{
	(void)unused;
	judge(&(struct shape){.wait = 30, .compute = 70, .steps = 100}, SM_VERDICT_INPUT_BOUND);
	judge(&(struct shape){.wait = 30, .compute = 40, .other = 30, .steps = 100},
		SM_VERDICT_INPUT_BOUND);
	judge(&(struct shape){.wait = 10, .compute = 60, .copy = 30, .steps = 100},
		SM_VERDICT_TRANSFER_BOUND);
	judge(&(struct shape){.wait = 10, .compute = 60, .other = 30, .steps = 100},
		SM_VERDICT_HOST_BOUND);
	judge(&(struct shape){.wait = 10, .compute = 90, .steps = 100},
		SM_VERDICT_PARTLY_INPUT_BOUND);
	judge(&(struct shape){.wait = 1, .compute = 99, .steps = 100}, SM_VERDICT_COMPUTE_BOUND);
}

static void too_little_is_no_verdict(void **unused)
{
	(void)unused;
	judge(&(struct shape){.steps = 0}, SM_VERDICT_CANNOT_TELL);
	judge(&(struct shape){.wait = 30, .compute = 70, .steps = 19}, SM_VERDICT_CANNOT_TELL);
	judge(&(struct shape){.wait = 30, .compute = 70, .steps = 20}, SM_VERDICT_INPUT_BOUND);
	/* one wait of 900 in 40 steps of 100: 18 % of T, but it is one step that decides */
	judge(&(struct shape){.wait = 900, .compute = 100, .steps = 40, .every = 40},
		SM_VERDICT_CANNOT_TELL);
	/* a device that nobody asked: the wait may have been hidden */
	judge(&(struct shape){.wait = 30, .compute = 69, .copy = 1, .steps = 100, .unasked = true},
		SM_VERDICT_CANNOT_TELL);
}

static void ranks_are_not_added_up(void **unused)
{
	(void)unused;
	judge(&(struct shape){.wait = 15, .compute = 85, .steps = 100, .ranks = 2},
		SM_VERDICT_PARTLY_INPUT_BOUND);
	judge(&(struct shape){.wait = 30, .compute = 70, .steps = 100, .ranks = 2},
		SM_VERDICT_INPUT_BOUND);
}

static struct sm_loader loader_of(
	struct sm_batch *batches, size_t count, struct sm_epoch *epoch, const char *name)
{
	return (struct sm_loader){.name = name,
		.num_workers = 1,
		.batches = batches,
		.batch_count = count,
		.batch_total = count,
		.epochs = epoch,
		.epoch_count = 1};
}

/* Training takes 10 a step and never waits; validation, half of the run, waits 8 of 10 for its worker's fetch. */
static void the_loader_that_is_late_is_named_though_another_trains(void **unused)
{
	(void)unused;
	enum { STEPS = 50, MS = 1000000 };
	struct sm_batch batches[2][STEPS];
	struct sm_epoch epochs[2];
	for (int i = 0; i < 2 * STEPS; i++) {
		int64_t begin = 1000 + (int64_t)i * 10 * MS, wait = i < STEPS ? 0 : 8 * MS;
		batches[i / STEPS][i % STEPS] = (struct sm_batch){.task = i % STEPS,
			.count = 4,
			.start_ns = begin,
			.done_ns = begin + wait,
			.fetch_ns = wait,
			.sent_ns = begin + wait,
			.arrive_ns = begin + wait,
			.ready_ns = wait ? begin + wait : -1,
			.request_ns = begin,
			.deliver_ns = begin + wait,
			.end_ns = begin + 10 * MS,
			.forward_ns = 10 * MS - wait,
			.device_state = -1,
			.device_elapsed_ns = -1,
			.device_copy_ns = -1};
	}
	for (int k = 0; k < 2; k++) {
		int64_t begin = 1000 + (int64_t)k * STEPS * 10 * MS, end = begin + STEPS * 10 * MS;
		epochs[k] = (struct sm_epoch){.iterate_begin_ns = begin,
			.iterate_end_ns = begin,
			.first_request_ns = begin,
			.last_end_ns = end,
			.end_ns = end};
	}
	struct sm_loader loaders[] = {loader_of(batches[0], STEPS, &epochs[0], "train"),
		loader_of(batches[1], STEPS, &epochs[1], "val")};
	loaders[0].trains = true;
	struct sm_model model = {
		.loaders = loaders, .loader_count = 2, .end_ns = epochs[1].end_ns + 1000};
	struct sm_analysis analysis;
	assert_int_equal(sm_analysis_build(&analysis, &model, NULL), 0);
	assert_int_equal(analysis.training_loader, 0);
	assert_int_equal(analysis.verdict.class_, SM_VERDICT_INPUT_BOUND);
	assert_float_equal(analysis.verdict.exposed_stall_share, 0.4, 0.001);
	assert_non_null(strstr(analysis.verdict.sentence, "fetch of loader val"));
	sm_arena_finish(&model.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_class_that_holds_wins),
		cmocka_unit_test(too_little_is_no_verdict),
		cmocka_unit_test(ranks_are_not_added_up),
		cmocka_unit_test(the_loader_that_is_late_is_named_though_another_trains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
