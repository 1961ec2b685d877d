/* Operations cut along sessions, on traces of a few events each, worked out by hand. */
#include "make/sm_make.h"
#include "model/build.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static struct sm_make_run *new_run(void)
{
	strcpy(directory, "/tmp/stallmeter-sessions-XXXXXX");
	assert_non_null(mkdtemp(directory));
	return sm_make_run_create(directory);
}

static void read_run(struct sm_model *model)
{
	struct sm_error error = {0};
	char file[100];
	if (sm_model_build(model, directory, NULL, &error)) {
		fail_msg("%s", error.msg);
	}
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	unlink(file);
	rmdir(directory);
}

static const struct sm_model_session *session(const struct sm_model *model, const char *name)
{
	for (size_t i = 0; i < model->session_count; i++) {
		if (strcmp(model->sessions[i].name, name) == 0) {
			return &model->sessions[i];
		}
	}
	fail_msg("no session %s", name);
	return NULL;
}

static const struct sm_session_operation *find(
	const struct sm_model_session *session, const char *name)
{
	for (size_t i = 0; i < session->operation_count; i++) {
		if (strcmp(session->operations[i].operation->name, name) == 0) {
			return &session->operations[i];
		}
	}
	return NULL;
}

static void expect(const struct sm_model_session *session, const char *name, int count, int open,
	int inclusive_ns, int self_ns)
{
	const struct sm_session_operation *row = find(session, name);
	assert_non_null(row);
	assert_int_equal(row->count, count);
	assert_int_equal(row->open, open);
	assert_int_equal(row->inclusive_ns, inclusive_ns);
	assert_int_equal(row->self_ns, self_ns);
}

static void open_session(struct sm_make_process *process, const char *name, int begin, int end)
{
	char text[200];
	snprintf(text, sizeof(text), "session\nid=%s\npid=10\nbegin_ns=%d\nname=%s", name, begin,
		name);
	sm_make_fact(process, text);
	if (end) {
		snprintf(text, sizeof(text),
			"session\nid=%s\npid=10\nbegin_ns=%d\nend_ns=%d\nname=%s", name, begin, end,
			name);
		sm_make_fact(process, text);
	}
}

/*     first   |------------------------------|             1000 .. 1100
 *     second              |------------------------|       1050 .. 1140
 *     outer      |---------------------------------|       1010 .. 1130
 *     inner         |-----------|      |--|                1020 .. 1060, 1080 .. 1090
 *
 * Of outer's own time 1010-1020, 1060-1080 and 1090-1100 lie in first; 1060-1080 and 1090-1130 in second. */
static void sessions_overlap_and_cut_what_crosses_them(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	open_session(process, "first", 1000, 1100);
	open_session(process, "second", 1050, 1140);
	sm_make_begin(thread, 1010, SM_ROLE_OPERATION, "outer");
	sm_make_begin(thread, 1020, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 1060);
	sm_make_begin(thread, 1080, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 1090);
	sm_make_end(thread, 1130);
	sm_make_begin(thread, 1200, SM_ROLE_OPERATION, "after");
	sm_make_end(thread, 1300);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.session_count, 2);
	const struct sm_model_session *first = session(&model, "first");
	const struct sm_model_session *second = session(&model, "second");
	assert_false(first->open);
	expect(first, "outer", 0, 1, 90, 40);
	expect(first, "inner", 2, 0, 50, 50);
	expect(second, "outer", 1, 0, 80, 60);
	expect(second, "inner", 2, 0, 20, 20);
	assert_null(find(first, "after"));
	assert_null(find(second, "after"));
	assert_float_equal(
		sm_model_session_severity(first, find(first, "inner")), 50 / 100., 1e-12);
	assert_float_equal(sm_sketch_mean(&find(first, "inner")->wall_s), 25e-9, 1e-12);
	assert_int_equal(find(first, "inner")->blocks.full, 2);
	assert_float_equal(find(first, "inner")->blocks.mean[0], 40e-9, 1e-15);
	sm_model_finish(&model);
}

/* A loader's wait is no operation: it belongs to the operation around it, and what runs inside the wait does not. */
static void the_wait_for_a_batch_is_of_the_operation_around_it(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	open_session(process, "all", 900, 2000);
	sm_make_begin(thread, 1000, SM_ROLE_OPERATION, "loading");
	sm_make_begin(thread, 1010, SM_ROLE_NEXT, "next");
	sm_make_begin(thread, 1020, SM_ROLE_OPERATION, "decode");
	sm_make_end(thread, 1050);
	sm_make_end(thread, 1080);
	sm_make_end(thread, 1100);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	expect(session(&model, "all"), "loading", 1, 0, 100, 70);
	expect(session(&model, "all"), "decode", 1, 0, 30, 30);
	for (size_t i = 0; i < model.operation_count; i++) {
		bool is_loading = strcmp(model.operations[i].name, "loading") == 0;
		assert_int_equal(model.operations[i].self_ns, is_loading ? 70 : 30);
	}
	sm_model_finish(&model);
}

/* Two threads at the same time: the sums add up, the severity is that of the busier one. Workers have none, strangers are
 * not in it. */
static void threads_and_workers_run_beside_each_other(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *main =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	open_session(main, "all", 1000, 1100);
	for (uint32_t tid = 10; tid < 12; tid++) {
		struct sm_make_thread *thread = sm_make_thread_add(main, tid);
		sm_make_begin(thread, 1000, SM_ROLE_OPERATION, "both");
		sm_make_end(thread, tid == 10 ? 1060 : 1080);
	}
	const struct sm_make_options others[] = {{.pid = 20, .ppid = 10}, {.pid = 30, .ppid = 1}};
	for (int i = 0; i < 2; i++) {
		struct sm_make_process *process = sm_make_process_add(run, &others[i]);
		open_session(process, "all", 1000, 1100); /* a child tells what its parent told */
		struct sm_make_thread *thread =
			sm_make_thread_add(process, (uint32_t)others[i].pid);
		sm_make_begin(thread, 1010, SM_ROLE_OPERATION, i ? "stranger" : "worker");
		sm_make_end(thread, 1050);
	}
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.session_count, 1);
	const struct sm_model_session *all = session(&model, "all");
	expect(all, "both", 2, 0, 140, 140);
	assert_float_equal(sm_model_session_severity(all, find(all, "both")), 0.8, 1e-12);
	expect(all, "worker", 1, 0, 40, 40);
	assert_true(isnan(sm_model_session_severity(all, find(all, "worker"))));
	assert_null(find(all, "stranger"));
	sm_model_finish(&model);
}

/* A session that nobody closed reaches to the last event, and so do the operations open in it. */
static void what_is_open_counts_up_to_what_was_seen_last(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10, .opened_ns = 500});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	open_session(process, "of an earlier run", 100, 400);
	open_session(process, "open", 1000, 0);
	sm_make_begin(thread, 1010, SM_ROLE_OPERATION, "outer");
	sm_make_begin(thread, 1020, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 1050);
	sm_make_mark(thread, 1090, SM_ROLE_OPERATION, "now");
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.session_count, 1);
	const struct sm_model_session *open = session(&model, "open");
	assert_true(open->open);
	assert_int_equal(open->end_ns - open->begin_ns, 90);
	expect(open, "outer", 0, 1, 80, 50);
	expect(open, "inner", 1, 0, 30, 30);
	sm_model_finish(&model);
}

/* Of a session of 100, 40 were lost: an operation that took half of what was seen has half of it. */
static void shares_are_of_what_was_recorded(void **unused)
{
	(void)unused;
	struct sm_model model = {0};
	struct sm_build *build = NULL;
	assert_int_equal(sm_build_create(&build, &model), 0);
	struct sm_trace_process process = {.pid = 10, .started_ns = 1, .ended_ns = 2000};
	assert_int_equal(sm_build_names_process(build, &process), 0);
	assert_int_equal(sm_build_sessions_begin(build, 0, 10, 1000, "id", "all"), 0);
	sm_build_sessions_end(build, 0, "id", 1100);
	const struct sm_trace_visitor visitor = sm_build_visitor(build);
	const int64_t losses[][2] = {{1080, 1200}, {1040, 1050}, {1045, 1060}, {1, 2000}};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(visitor.loss(build, 0, 5, losses[i][0], losses[i][1]), 0);
	}
	assert_int_equal(sm_build_sessions_complete(build), 0);
	assert_int_equal(model.sessions[0].lost_ns, 40);
	const struct sm_session_operation half = {.busiest_ns = 30};
	assert_float_equal(sm_model_session_severity(&model.sessions[0], &half), 0.5, 1e-12);
	sm_build_destroy(build);
	sm_model_finish(&model);
}

static void blocks_stay_equal_and_keep_their_order(void **unused)
{
	(void)unused;
	struct sm_blocks blocks = {0};
	for (int i = 0; i < 1000; i++) {
		sm_blocks_add(&blocks, i);
	}
	assert_int_equal(blocks.per_block, 16); /* 64 blocks of 16 would be 1024 numbers */
	assert_int_equal(blocks.full, 62);
	for (size_t i = 0; i < blocks.full; i++) {
		assert_float_equal(blocks.mean[i], 16. * (double)i + 7.5, 1e-9);
	}
	assert_int_equal(blocks.pending, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_overlap_and_cut_what_crosses_them),
		cmocka_unit_test(the_wait_for_a_batch_is_of_the_operation_around_it),
		cmocka_unit_test(threads_and_workers_run_beside_each_other),
		cmocka_unit_test(what_is_open_counts_up_to_what_was_seen_last),
		cmocka_unit_test(shares_are_of_what_was_recorded),
		cmocka_unit_test(blocks_stay_equal_and_keep_their_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
