/* A thread in the background asks for batches, another trains: how long was that one blocked for want of each? */
#include "make/sm_make.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MS = 1000000, BATCHES = 12, COMPUTE = 4 * MS, REST = 10 * MS };

struct loop {
	int64_t batch; /* from one batch to the next; 0: all lie ready when training begins */
	int steps_a_batch;
	int64_t delivered[BATCHES], ended[BATCHES]; /* as it turned out */
};

/* A step computes for COMPUTE and rests of its own accord for REST; before it, it waits until its batch is there. */
static void make_trainer(struct sm_make_process *process, struct loop *loop)
{
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	int64_t now = 100 * MS;
	uint64_t cpu = 0;
	for (int i = 0; i < BATCHES * loop->steps_a_batch; i++) {
		int64_t ready = loop->delivered[i / loop->steps_a_batch];
		now = (now > ready ? now : ready) + REST + COMPUTE;
		cpu += COMPUTE;
		sm_make_begin(thread, now - 2 * MS, SM_ROLE_BACKWARD, "backward");
		sm_make_end(thread, now - MS);
		sm_make_begin(thread, now - MS, SM_ROLE_OPTIMIZER, "SGD");
		sm_make_end_cause(
			thread, now, &(struct sm_ring_cause){.cpu_ns = MS, .thread_cpu_ns = cpu});
		loop->ended[i / loop->steps_a_batch] = now;
	}
}

static void make_background(struct sm_make_process *process, struct loop *loop)
{
	struct sm_make_thread *thread = sm_make_thread_add(process, 11);
	for (int i = 0; i < BATCHES; i++) {
		int64_t begin =
			(loop->batch ? 50 * MS : 10 * MS) + i * (loop->batch ? loop->batch : MS);
		loop->delivered[i] = begin + (loop->batch ? loop->batch : MS);
		sm_make_begin(thread, begin, SM_ROLE_NEXT, "next");
		sm_make_begin(thread, begin, SM_ROLE_BATCH, "batch");
		sm_make_arg(thread, SM_KEY_SEQUENCE, i);
		sm_make_end(thread, loop->delivered[i]);
		sm_make_arg(thread, SM_KEY_LOADER, 0);
		sm_make_arg(thread, SM_KEY_ITERATION, 0);
		sm_make_arg(thread, SM_KEY_TASK, i);
		sm_make_arg(thread, SM_KEY_COUNT, 4);
		sm_make_end(thread, loop->delivered[i]);
	}
}

static void record(struct sm_model *model, struct loop *loop)
{
	char directory[] = "/tmp/stallmeter-trainer-XXXXXX", file[100];
	assert_non_null(mkdtemp(directory));
	struct sm_make_run *run = sm_make_run_create(directory);
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	sm_make_fact(process, "loader\nordinal=0\nname=train\nnum_workers=0\nbatch_size=4\n");
	make_background(process, loop);
	make_trainer(process, loop);
	sm_make_run_finish(run);
	struct sm_error error = {0};
	if (sm_model_build(model, directory, NULL, &error)) {
		fail_msg("%s", error.msg);
	}
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	unlink(file);
	rmdir(directory);
	assert_int_equal(model->loader_count, 1);
	assert_int_equal(model->loaders[0].batch_count, BATCHES);
	assert_true(model->loaders[0].background && model->loaders[0].trains);
}

static int64_t blocked(const struct sm_model *model, int nth)
{
	return model->loaders[0].batches[nth].trainer_blocked_ns;
}

static void nobody_waits_for_a_batch_that_lay_ready(void **unused)
{
	(void)unused;
	struct sm_model model;
	record(&model, &(struct loop){.steps_a_batch = 1});
	assert_int_equal(blocked(&model, 0), -1); /* no step before it was seen */
	for (int i = 1; i < BATCHES; i++) {
		assert_int_equal(blocked(&model, i), 0);
	}
	sm_model_finish(&model);
}

static void a_late_batch_is_waited_for_from_the_end_of_the_step_before(void **unused)
{
	(void)unused;
	struct sm_model model;
	struct loop loop = {.batch = 60 * MS, .steps_a_batch = 1};
	record(&model, &loop);
	for (int i = 1; i < BATCHES; i++) {
		assert_int_equal(loop.ended[i - 1] + 46 * MS, loop.delivered[i]);
		assert_int_equal(blocked(&model, i), 46 * MS); /* not the 10 it rests for */
	}
	sm_model_finish(&model);
}

static void which_step_took_which_batch_must_be_plain(void **unused)
{
	(void)unused;
	struct sm_model model;
	record(&model, &(struct loop){.batch = 60 * MS, .steps_a_batch = 2});
	for (int i = 0; i < BATCHES; i++) {
		assert_int_equal(blocked(&model, i), -1);
	}
	sm_model_finish(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_for_a_batch_that_lay_ready),
		cmocka_unit_test(a_late_batch_is_waited_for_from_the_end_of_the_step_before),
		cmocka_unit_test(which_step_took_which_batch_must_be_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
