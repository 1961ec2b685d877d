/* A model that grows says at every moment what a reader of the same trace would, and keeps the newest batches whatever it thins. */
#include "make/steady_make.h"
#include "model/build.h"
#include "model/model_growing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)
#define MS	  INT64_C(1000000)

static char directory[] = "/tmp/sm-growing-XXXXXX";

static struct sm_model_growing *grow(struct sm_trace_summary *summary)
{
	struct sm_model_growing *growing;
	assert_int_equal(sm_model_growing_create(&growing), 0);
	struct sm_trace_visitor visitor = sm_model_growing_visitor(growing);
	assert_int_equal(sm_trace_reader_visit(directory, &visitor, summary, NULL), 0);
	return growing;
}

static void test_completed_it_is_the_model_of_a_reader(void **state)
{
	struct sm_trace_summary summary;
	struct sm_model read, grown;
	struct sm_model_growing *growing = grow(&summary);
	assert_int_equal(sm_model_build(&read, directory, NULL, NULL), 0);
	assert_int_equal(sm_model_growing_complete(growing, &summary, &grown), 0);
	assert_int_equal(grown.loader_count, 1);
	assert_int_equal(grown.loaders[0].batch_count, read.loaders[0].batch_count);
	assert_memory_equal(grown.loaders[0].batches, read.loaders[0].batches,
		read.loaders[0].batch_count * sizeof(struct sm_batch));
	assert_int_equal(grown.end_ns, read.end_ns);
	sm_model_finish(&read);
	sm_model_finish(&grown);
	sm_model_growing_destroy(growing);
}

static void test_who_is_there_now(void **state)
{
	struct sm_trace_summary summary;
	struct sm_model_growing *growing = grow(&summary);
	struct sm_model_now_loader loader;
	struct sm_model_now_worker workers[4];
	assert_int_equal(sm_model_growing_loaders(growing, &loader, 1), 1);
	assert_string_equal(loader.facts->name, "train");
	assert_int_equal(loader.facts->batch_total, STEADY_MAKE_STEPS);
	assert_int_equal(loader.main_pid, 100);
	assert_int_equal(loader.waiting_since_ns, -1);
	int64_t since_ns = STEADY_MAKE_END_NS - 10 * SECOND_NS;
	assert_int_equal(sm_model_growing_workers(growing, loader.index, since_ns, workers, 4), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(workers[i].index, i);
		assert_int_equal(workers[i].pid, 200 + i);
		assert_int_equal(workers[i].batches, STEADY_MAKE_STEPS / 2);
		assert_int_equal(workers[i].fetching_since_ns, -1);
		/* 50 batches in 10 s; a cut one at the border */
		assert_in_range(workers[i].recent_ns, 49 * 90 * MS, 50 * 90 * MS);
	}
	assert_int_equal(sm_model_growing_workers(growing, loader.index, since_ns, workers, 1), 1);
	sm_model_growing_destroy(growing);
}

struct seen {
	size_t steps, borders;
	int64_t newest_ns, wait_ns;
};

static void see(void *context, size_t loader, const struct sm_batch *batch)
{
	struct seen *seen = context;
	seen->newest_ns = seen->newest_ns ? seen->newest_ns : batch->end_ns;
	seen->wait_ns += batch->deliver_ns - batch->request_ns;
	seen->steps += batch->task >= 0;
	seen->borders += batch->task < 0;
}

static void test_the_last_seconds(void **state)
{
	struct sm_trace_summary summary;
	struct seen last = {0}, all = {0};
	struct sm_model_growing *growing = grow(&summary);
	assert_int_equal(
		sm_model_growing_recent(growing, STEADY_MAKE_END_NS - 10 * SECOND_NS, see, &last),
		INT64_MIN);
	assert_int_equal(last.steps, 100);
	assert_int_equal(last.borders, 1); /* the next() that found the end, in no time */
	assert_int_equal(last.newest_ns, STEADY_MAKE_END_NS);
	assert_int_equal(last.wait_ns, 100 * 80 * MS);
	sm_model_growing_recent(growing, 0, see, &all);
	assert_int_equal(all.steps, STEADY_MAKE_STEPS);
	assert_int_equal(all.borders, 2); /* and the making of the iterator, of 200 ms */
	assert_int_equal(all.wait_ns, (300 * 40 + 100 * 80 + 200) * MS);
	sm_model_growing_destroy(growing);
}

/* One more than the ring holds: the first is gone, and that is said. */
static void test_what_was_overwritten(void **state)
{
	struct sm_model model = {0};
	struct sm_build *build;
	assert_int_equal(sm_build_create(&build, &model), 0);
	assert_int_equal(sm_build_recent_watch(build), 0);
	for (int32_t i = 0; i <= SM_BUILD_RECENT; i++) {
		struct sm_build_batch batch = {.batch = {.task = i, .end_ns = i}};
		sm_build_recent_batch(build, &batch);
	}
	assert_null(sm_build_recent_find(build, 0, 0, 0));
	assert_int_equal(
		sm_build_recent_find(build, 0, 0, SM_BUILD_RECENT)->end_ns, SM_BUILD_RECENT);
	assert_int_equal(build->recent.batches[0].batch.task, SM_BUILD_RECENT);
	sm_build_destroy(build);
	sm_model_finish(&model);
}

static int make(void **state)
{
	if (!mkdtemp(directory)) {
		return -1;
	}
	steady_make(directory);
	return 0;
}

static int take_away(void **state)
{
	char file[64];
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	return unlink(file) || rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completed_it_is_the_model_of_a_reader),
		cmocka_unit_test(test_who_is_there_now),
		cmocka_unit_test(test_the_last_seconds),
		cmocka_unit_test(test_what_was_overwritten),
	};
	return cmocka_run_group_tests(tests, make, take_away);
}
