/* A run with more batches than are kept: what stays is whole, consecutive within blocks, and joined on both sides. The build is
 * fed by hand, since a file of that size would be slow to make. */
#include "model/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 60000, WORKERS = 2, STEP_NS = 1000, MAIN = 0, FIRST_WORKER = 1 };

struct feed { /* one block of one thread */
	struct sm_build *build;
	struct sm_trace_visitor visitor;
	uint32_t process;
	size_t count, words;
	int64_t time[ROOM];
	uint32_t name[ROOM], at[ROOM];
	uint8_t kind[ROOM];
	uint64_t word[ROOM];
};

static void flush(struct feed *feed)
{
	struct sm_trace_events events = {feed->process, 10 + feed->process, feed->count, feed->time,
		feed->name, feed->kind, feed->at, feed->word, feed->words, false};
	assert_int_equal(feed->visitor.events(feed->build, &events), 0);
	feed->count = feed->words = 0;
}

static void event(struct feed *feed, enum sm_trace_event_kind kind, uint32_t name, int64_t time)
{
	if (feed->count == ROOM) {
		flush(feed);
	}
	feed->kind[feed->count] = (uint8_t)kind;
	feed->name[feed->count] = name;
	feed->at[feed->count] = (uint32_t)feed->words;
	feed->time[feed->count++] = time;
}

static void number(struct feed *feed, enum sm_key key, int64_t value)
{
	int64_t time = feed->count ? feed->time[feed->count - 1] : 0;
	event(feed, SM_TRACE_PAYLOAD, SM_TRACE_ARG + (uint32_t)key, time);
	feed->at[feed->count - 1] = (uint32_t)feed->words;
	feed->word[feed->words++] = (uint64_t)value;
}

/* A role is its own name id plus one. */
static void begin(struct feed *feed, enum sm_role role, int64_t time)
{
	event(feed, SM_TRACE_BEGIN, (uint32_t)role + 1, time);
}

static void end(struct feed *feed, int64_t time)
{
	event(feed, SM_TRACE_END, 0, time);
}

static void introduce(struct feed *feed, uint32_t ordinal, int32_t pid)
{
	struct sm_trace_process process = {ordinal, pid, 10, -1, 0, -1, true, "train.py"};
	feed->visitor.process(feed->build, &process);
	for (uint32_t role = 1; role < SM_ROLE_LIMIT; role++) {
		struct sm_trace_name name = {role + 1, SM_NAME_SPAN, (enum sm_role)role, "x", 1};
		feed->visitor.name(feed->build, ordinal, &name);
	}
}

static void say(struct feed *feed, const char *fact)
{
	struct sm_trace_name name = {
		500, SM_NAME_FACT, SM_ROLE_OPERATION, fact, (uint32_t)strlen(fact)};
	feed->visitor.name(feed->build, MAIN, &name);
}

static void send(struct feed *feed, int task, int64_t time)
{
	event(feed, SM_TRACE_MARK, SM_ROLE_PUT + 1, time);
	number(feed, SM_KEY_LOADER, 0);
	number(feed, SM_KEY_ITERATION, 0);
	number(feed, SM_KEY_TASK, task);
	number(feed, SM_KEY_WORKER, task % WORKERS);
}

/* Batch b is asked for at b * STEP_NS and delivered at once; its worker made it 10 steps earlier. */
static void consume(struct feed *feed, int batches)
{
	feed->process = MAIN;
	for (int task = 0; task < batches; task++) {
		int64_t now = (int64_t)task * STEP_NS + 100000;
		send(feed, task, now - 2);
		begin(feed, SM_ROLE_NEXT, now);
		number(feed, SM_KEY_LOADER, 0);
		number(feed, SM_KEY_ITERATION, 0);
		number(feed, SM_KEY_TASK, task);
		end(feed, now + 10);
	}
	flush(feed);
}

static void produce(struct feed *feed, int worker, int batches)
{
	feed->process = (uint32_t)(FIRST_WORKER + worker);
	for (int task = worker; task < batches; task += WORKERS) {
		int64_t now = (int64_t)task * STEP_NS + 90000;
		begin(feed, SM_ROLE_BATCH, now);
		number(feed, SM_KEY_WORKER, worker);
		number(feed, SM_KEY_SEQUENCE, task / WORKERS);
		begin(feed, SM_ROLE_SAMPLE, now);
		end(feed, now + 300 + task % 7);
		end(feed, now + 400);
	}
	flush(feed);
}

static void check(const struct sm_model *model, int batches)
{
	const struct sm_loader *loader = &model->loaders[0];
	size_t breaks = 0;
	assert_int_equal(loader->batch_total, batches);
	assert_true(loader->batch_count <= SM_MODEL_BATCHES_MAX);
	assert_true(loader->batch_count > SM_MODEL_BATCHES_MAX / 4);
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		assert_int_equal(batch->request_ns, (int64_t)batch->task * STEP_NS + 100000);
		assert_int_equal(batch->start_ns,
			(int64_t)batch->task * STEP_NS + 90000); /* its own worker's part */
		assert_int_equal(batch->sample_count, 1);
		assert_float_equal(loader->samples[batch->sample_first].wall_s,
			(float)((300 + batch->task % 7) * 1e-9), 1e-15);
		breaks += i && batch->task != loader->batches[i - 1].task + 1;
	}
	assert_true(breaks <= loader->batch_count / SM_MODEL_BLOCK);
	assert_int_equal(
		loader->stage_wall_s[SM_STAGE_FETCH].count, batches); /* sketches are over all */
}

static void a_long_run_keeps_whole_blocks(void **unused)
{
	(void)unused;
	struct sm_model model = {0};
	struct feed *feed = calloc(1, sizeof(*feed));
	struct sm_trace_summary summary = {0};
	const int batches = SM_MODEL_BATCHES_MAX * 5 / 2;
	assert_int_equal(sm_build_create(&feed->build, &model), 0);
	feed->visitor = sm_build_visitor(feed->build);
	for (uint32_t i = 0; i <= WORKERS; i++) {
		introduce(feed, i, (int32_t)(10 + i));
	}
	say(feed, "loader\nordinal=0\nname=train\nnum_workers=2\n");
	say(feed, "worker\nloader=0\niteration=0\nindex=0\npid=11\n");
	say(feed, "worker\nloader=0\niteration=0\nindex=1\npid=12\n");
	produce(feed, 1, batches);
	consume(feed, batches);
	produce(feed, 0, batches);
	assert_int_equal(sm_build_complete(feed->build, &summary), 0);
	sm_build_destroy(feed->build);
	check(&model, batches);
	sm_model_finish(&model);
	free(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_run_keeps_whole_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
