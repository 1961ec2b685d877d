/* Shares worked out by hand on traces so small that the critical path can be drawn. */
#include "analyze/attribution.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sm_batch made_by(int worker, int64_t put, int64_t start, int64_t done)
{
	return (struct sm_batch){.worker = worker,
		.put_ns = put,
		.start_ns = start,
		.done_ns = done,
		.fetch_ns = done - start,
		.ready_ns = -1,
		.next_cpu_ns = -1,
		.device_state = -1,
		.forward_ns = -1};
}

static void consumed(
	struct sm_batch *batch, int task, int64_t request, int64_t deliver, int64_t end)
{
	batch->task = task;
	batch->request_ns = request;
	batch->deliver_ns = deliver;
	batch->end_ns = end;
	batch->exposed_ns = deliver - request;
}

static void walk(struct sm_batch *batches, size_t count, double *charge_s)
{
	struct sm_loader loader = {.batches = batches, .batch_count = count, .batch_total = count};
	assert_int_equal(sm_attribution_walk(&loader, charge_s), 0);
	double sum = 0;
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		sum += charge_s[i];
	}
	assert_float_equal(
		sum * 1e9, (double)(batches[count - 1].end_ns - batches[0].request_ns), 1e-6);
}

static void is_ns(double charge_s, double ns)
{
	if (fabs(charge_s * 1e9 - ns) > 1e-6) {
		fail_msg("%.3f ns, not %.3f", charge_s * 1e9, ns);
	}
}

/*           0         30   40        70   80
 *  call     |---------|         |----|            next 0..30, 40..70
 *  step               |----|              10 each (30..40, 70..80)
 * No worker: the call fetches 20, transforms 6, collates 1, draws 2 and 1 is its own.
 * T = 80: fetch 40, transform 12, collate 2, sampler 4, other 2, compute 20. */
static void without_workers_everything_is_on_the_path(void **unused)
{
	(void)unused;
	struct sm_batch batches[2];
	double charge_s[SM_STAGE_COUNT];
	for (int i = 0; i < 2; i++) {
		int64_t at = i * 40;
		batches[i] = made_by(-1, -1, at + 2, at + 29);
		batches[i].fetch_ns = 20;
		batches[i].transform_ns = 6;
		batches[i].collate_ns = 1;
		batches[i].sampler_ns = 2;
		consumed(&batches[i], i, at, at + 30, at + 40);
	}
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_FETCH], 40);
	is_ns(charge_s[SM_STAGE_TRANSFORM], 12);
	is_ns(charge_s[SM_STAGE_COLLATE], 2);
	is_ns(charge_s[SM_STAGE_SAMPLER], 4);
	is_ns(charge_s[SM_STAGE_OTHER], 2);
	is_ns(charge_s[SM_STAGE_COMPUTE], 20);
}

/*            0         10        20   22
 *  worker 0  |--- b0 --|--- b1 --|
 *  loop      |  next   |s| next  |-|        steps of 2: 10..12, 20..22
 * Worker-bound: from the end back over the step (2), then b1 (10), which waited for b0 on the same worker (10). The
 * step of b0 is not on the path. The last-mile rule would have blamed whatever b1 did between 12 and 20. */
static void a_slow_worker_is_blamed_for_both_batches(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {made_by(0, 0, 0, 10), made_by(0, 0, 10, 20)};
	double charge_s[SM_STAGE_COUNT];
	consumed(&batches[0], 0, 0, 10, 12);
	consumed(&batches[1], 1, 12, 20, 22);
	batches[0].ready_ns = 10;
	batches[1].ready_ns = 20;
	batches[1].fetch_ns = 4; /* and the rest of it in a transform */
	batches[1].transform_ns = 6;
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_FETCH], 14);
	is_ns(charge_s[SM_STAGE_TRANSFORM], 6);
	is_ns(charge_s[SM_STAGE_COMPUTE], 2);
}

/* The worker is done long before it is asked: the step is the path. next() takes 1 (0 for the first fetch of 4).
 *   b0: asked 0, done 4, delivered 5, step to 25; b1: done 8, asked 25, delivered 26, step to 46.
 * Back: step 20, hand-over 1, step 20, hand-over 1 (4..5), fetch of b0 4. */
static void a_slow_step_is_blamed_for_itself(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {made_by(0, 0, 0, 4), made_by(0, 0, 4, 8)};
	double charge_s[SM_STAGE_COUNT];
	consumed(&batches[0], 0, 0, 5, 25);
	consumed(&batches[1], 1, 25, 26, 46);
	batches[0].ready_ns = 4;
	batches[1].other_ns = 5;
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_COMPUTE], 35);
	is_ns(charge_s[SM_STAGE_OTHER], 5);
	is_ns(charge_s[SM_STAGE_TRANSPORT], 2);
	is_ns(charge_s[SM_STAGE_FETCH], 4);
}

/*            0         10   15              35      40
 *  worker 0  |--- b0 --|----------- b1 -----------|
 *  loop      | (other) .....|-- next b0 -----|-------- 50
 * b0 lay ready when the loop asked for it at 15, yet to take it lasted 20, and 4 of CPU: its tensors come from a thread of
 * the worker that waits for the lock which the making of b1 holds. So 16 are b1's, of which a third is a transform. */
static void a_hand_over_that_the_worker_holds_up_is_the_workers(void **unused)
{
	(void)unused;
	static const int64_t cpu_ns[] = {-1, 4, 20};
	for (int i = 0; i < 3; i++) {
		struct sm_batch batches[2] = {made_by(0, 0, 0, 10), made_by(0, 0, 10, 40)};
		double charge_s[SM_STAGE_COUNT];
		consumed(&batches[0], 0, 15, 35, 50);
		consumed(&batches[1], 1, 50, 51, 60);
		batches[0].next_cpu_ns = cpu_ns[i];
		batches[1].fetch_ns = 20;
		batches[1].transform_ns = 10;
		walk(batches, 2, charge_s);
		double sixteen = i == 1 ? 16 : 0;
		is_ns(charge_s[SM_STAGE_FETCH], sixteen * 2 / 3);
		is_ns(charge_s[SM_STAGE_TRANSFORM], sixteen / 3);
		is_ns(charge_s[SM_STAGE_TRANSPORT], 21 - sixteen);
		is_ns(charge_s[SM_STAGE_COMPUTE], 24);
	}
}

/* One list on the way at a time (window-bound): b1's indices leave when b0 is delivered (at 12, drawn for 2), and its
 * worker idles until then. Path: step of b1 5, fetch of b1 10 (12..22), sampler 2 (10..12), fetch of b0 10. */
static void a_late_list_is_followed_to_the_delivery_that_sent_it(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {made_by(0, 0, 0, 10), made_by(0, 12, 12, 22)};
	double charge_s[SM_STAGE_COUNT];
	consumed(&batches[0], 0, 0, 12, 15);
	consumed(&batches[1], 1, 15, 22, 27);
	batches[0].refill_ns = 2;
	batches[0].ready_ns = 10;
	batches[1].ready_ns = 22;
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_FETCH], 20);
	is_ns(charge_s[SM_STAGE_SAMPLER], 2);
	is_ns(charge_s[SM_STAGE_COMPUTE], 5);
}

/* Two paths of the same length: b1 comes from worker 1 at the very moment it is asked for. T = 30: the step of b1 (10)
 * is on both; half of the rest goes to the step of b0 (10) behind its fetch (10), half to the fetch of b1 (20). */
static void ties_are_split_evenly(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {made_by(0, 0, 0, 10), made_by(1, 0, 0, 20)};
	double charge_s[SM_STAGE_COUNT];
	consumed(&batches[0], 0, 0, 10, 20);
	consumed(&batches[1], 1, 20, 20, 30);
	batches[0].ready_ns = 10;
	batches[1].ready_ns = 20;
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_COMPUTE], 10 + 5);
	is_ns(charge_s[SM_STAGE_FETCH], 5 + 10);
}

/* A wait of 10 of which the device's own queue covered 4: six tenths of the path go on to the worker, four tenths to the
 * loop. Path: step of b1 2; delivery 12..22. Worker: 0.6 * (b1 12 + b0 10) = 13.2. Loop: 0.4 * (10 covered + step of b0
 * 2 + b0 10), of which 0.4 * 12 = 4.8 compute and 0.4 * 10 = 4 fetch. T = 24. */
static void what_the_device_covered_is_computing(void **unused)
{
	(void)unused;
	struct sm_batch batches[2] = {made_by(0, 0, 0, 10), made_by(0, 0, 10, 22)};
	double charge_s[SM_STAGE_COUNT];
	consumed(&batches[0], 0, 0, 10, 12);
	consumed(&batches[1], 1, 12, 22, 24);
	batches[0].ready_ns = 10;
	batches[1].ready_ns = 22;
	batches[1].exposed_ns = 6;
	walk(batches, 2, charge_s);
	is_ns(charge_s[SM_STAGE_FETCH], 13.2 + 4);
	is_ns(charge_s[SM_STAGE_COMPUTE], 2 + 4.8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_workers_everything_is_on_the_path),
		cmocka_unit_test(a_slow_worker_is_blamed_for_both_batches),
		cmocka_unit_test(a_slow_step_is_blamed_for_itself),
		cmocka_unit_test(a_hand_over_that_the_worker_holds_up_is_the_workers),
		cmocka_unit_test(a_late_list_is_followed_to_the_delivery_that_sent_it),
		cmocka_unit_test(ties_are_split_evenly),
		cmocka_unit_test(what_the_device_covered_is_computing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
