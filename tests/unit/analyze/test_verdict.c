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
	struct sm_model model = {.loaders = &loader,
		.loader_count = shape->steps ? 1 : 0,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_class_that_holds_wins),
		cmocka_unit_test(too_little_is_no_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
