/* Looks fall into the spans they were taken in, whatever order their blocks have. */
#include "analyze/analysis.h"
#include "make/sm_make_stacks.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the three above */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000LL

static char folder[] = "/tmp/sm-build-stacks-XXXXXX";
static struct sm_model model;

enum { STEPS = 40, MAIN = 100, WORKER = 101, SILENT = 102 };

static struct {
	uint32_t main_wait, main_loop, decode, open, forked_collate, helper;
	uint32_t trainer, worker, silent;
} made;

static void make_places(struct sm_make_stacks *stacks)
{
	const char *torch = "/env/lib/python3.12/site-packages/torch/utils/data";
	char file[160];
	uint32_t module = sm_make_function(stacks, "/job/train.py", "<module>", 1);
	uint32_t load = sm_make_function(stacks, "/job/data.py", "Set.__getitem__", 20);
	uint32_t resize = sm_make_function(
		stacks, "/env/lib/python3.12/site-packages/PIL/Image.py", "Image.resize", 2200);
	uint32_t inner = sm_make_function(
		stacks, "/env/lib/python3.12/site-packages/PIL/Image.py", "Image._resize", 2300);
	snprintf(file, sizeof(file), "%s/_utils/worker.py", torch);
	uint32_t work = sm_make_function(stacks, file, "_worker_loop", 200);
	snprintf(file, sizeof(file), "%s/_utils/collate.py", torch);
	uint32_t collate = sm_make_function(stacks, file, "default_collate", 100);
	snprintf(file, sizeof(file), "%s/dataloader.py", torch);
	uint32_t next = sm_make_function(stacks, file, "__next__", 600);
	int64_t base = sm_make_place(stacks, -1, module, 60);
	int64_t start = sm_make_place(stacks, base, next, 650);
	int64_t loop = sm_make_place(stacks, start, work, 250);
	int64_t fetch = sm_make_place(stacks, loop, load, 24);
	int64_t call = sm_make_place(stacks, fetch, resize, 2292);
	made.main_wait = (uint32_t)start;
	made.main_loop = (uint32_t)base;
	made.open = sm_make_place(stacks, loop, load, 22);
	made.decode = sm_make_place(stacks, call, inner, 2310);
	made.forked_collate = sm_make_place(stacks, loop, collate, 120);
	made.helper = sm_make_place(stacks, base, load, 99);
	made.trainer = sm_make_stack_thread(stacks, MAIN, MAIN, "python");
	made.worker = sm_make_stack_thread(stacks, WORKER, WORKER, "pt_data_worker");
	made.silent = sm_make_stack_thread(stacks, MAIN, SILENT, "python");
}

/* A step is 10 ms: the worker fetches for 6 (of which decoding 4, opening 2), collates for 2, and idles for 2. */
static void make_looks(struct sm_make_stacks *stacks, int64_t at)
{
	const uint8_t in_call = SM_TRACE_STACK_RUNNING | SM_TRACE_STACK_IN_CALL;
	for (int i = 0; i < 4; i++) {
		sm_make_look(stacks, at + i * MS + MS / 2, made.worker, made.decode, in_call, 1);
	}
	sm_make_look(stacks, at + 4 * MS + MS / 2, made.worker, made.open, SM_TRACE_STACK_FILE, 2);
	sm_make_look(stacks, at + 6 * MS + MS / 2, made.worker, made.forked_collate, in_call, 1);
	sm_make_look(stacks, at + 7 * MS + MS / 2, made.worker, made.forked_collate, in_call, 1);
	sm_make_look(
		stacks, at + 8 * MS + MS / 2, made.worker, made.main_loop, SM_TRACE_STACK_IDLE, 2);
	sm_make_look(stacks, at + MS / 2, made.trainer, made.main_wait, SM_TRACE_STACK_SOCKET, 7);
	sm_make_look(stacks, at + 8 * MS + MS / 2, made.trainer, made.main_loop,
		SM_TRACE_STACK_RUNNING, 1);
	sm_make_look(stacks, at + MS / 2, made.silent, made.helper, SM_TRACE_STACK_SLEEP, 10);
}

static void make_worker(struct sm_make_thread *worker, int64_t at, int64_t step)
{
	sm_make_begin(worker, at, SM_ROLE_BATCH, "fetch");
	sm_make_arg(worker, SM_KEY_WORKER, 0);
	sm_make_arg(worker, SM_KEY_SEQUENCE, step);
	sm_make_begin(worker, at + 1000, SM_ROLE_SAMPLE, "Set");
	sm_make_end(worker, at + 6 * MS);
	sm_make_begin(worker, at + 6 * MS, SM_ROLE_COLLATE, "default_collate");
	sm_make_end(worker, at + 8 * MS - 1000);
	sm_make_end(worker, at + 8 * MS);
}

static void make_main(struct sm_make_thread *trainer, int64_t at, int64_t step)
{
	sm_make_mark(trainer, at - 1000, SM_ROLE_PUT, "put");
	sm_make_arg(trainer, SM_KEY_LOADER, 0);
	sm_make_arg(trainer, SM_KEY_ITERATION, 0);
	sm_make_arg(trainer, SM_KEY_TASK, step);
	sm_make_arg(trainer, SM_KEY_WORKER, 0);
	sm_make_begin(trainer, at, SM_ROLE_NEXT, "next");
	sm_make_arg(trainer, SM_KEY_LOADER, 0);
	sm_make_arg(trainer, SM_KEY_ITERATION, 0);
	sm_make_arg(trainer, SM_KEY_TASK, step);
	sm_make_arg(trainer, SM_KEY_COUNT, 4);
	sm_make_end(trainer, at + 8 * MS + MS / 4);
}

static void make_run(bool stacks_first)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/%d", folder, stacks_first);
	struct sm_make_run *run = sm_make_run_create(path);
	struct sm_make_stacks *stacks = sm_make_stacks_begin(run);
	struct sm_make_process *main_process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = MAIN});
	struct sm_make_process *child =
		sm_make_process_add(run, &(struct sm_make_options){.pid = WORKER, .ppid = MAIN});
	struct sm_make_thread *trainer = sm_make_thread_add(main_process, MAIN);
	struct sm_make_thread *worker = sm_make_thread_add(child, WORKER);
	sm_make_fact(main_process,
		"loader\nordinal=0\nname=train\nnum_workers=1\nbatch_size=4\nprefetch_factor=2");
	sm_make_fact(main_process, "worker\nloader=0\niteration=0\nindex=0\npid=101");
	make_places(stacks);
	for (int64_t step = 0; step < STEPS; step++) {
		int64_t at = 10 * MS * (step + 1);
		make_looks(stacks, at);
		make_worker(worker, at, step);
		make_main(trainer, at, step);
	}
	if (stacks_first) {
		sm_make_stacks_end(stacks, MS, 5);
		sm_make_run_finish(run);
	} else {
		sm_make_process_ended(main_process, 1000 * MS, 0, true);
		sm_make_process_ended(child, 1000 * MS, 0, true);
		sm_make_stacks_end(stacks, MS, 5);
		sm_make_run_finish(run);
	}
	assert_int_equal(sm_model_build(&model, path, NULL, NULL), 0);
}

static const struct sm_hot_line *find(const char *function, int line)
{
	const struct sm_hot_line *found = NULL;
	for (size_t i = 0; i < model.hot_line_count; i++) {
		const struct sm_hot_line *one = &model.hot_lines[i];
		if (!strcmp(one->function, function) && one->line == line) {
			assert_null(found);
			found = one;
		}
	}
	return found;
}

static void check_lines(void)
{
	const struct sm_hot_line *decode = find("Set.__getitem__", 24);
	assert_non_null(decode);
	assert_string_equal(decode->file, "/job/data.py");
	assert_string_equal(decode->calls, "Image.resize");
	assert_int_equal(decode->stage, SM_STAGE_FETCH);
	assert_int_equal(decode->loader, 0);
	assert_int_equal(decode->looks, 4 * STEPS);
	assert_float_equal(decode->wall_s, 0.004 * STEPS, 1e-6);
	assert_float_equal(decode->in_call_s, 0.004 * STEPS, 1e-6);
	assert_float_equal(decode->cpu_s, 0.0032 * STEPS, 1e-6);
	assert_float_equal(decode->part, 4.0 / 6, 1e-6);
	const struct sm_hot_line *open = find("Set.__getitem__", 22);
	assert_string_equal(open->calls, "");
	assert_float_equal(open->part, 2.0 / 6, 1e-6);
	assert_float_equal(open->awake_s, 0, 1e-9);
}

static void test_looks_fall_into_their_spans(void **state)
{
	make_run(true);
	check_lines();
	sm_model_finish(&model);
	make_run(false);
	check_lines();
	sm_model_finish(&model);
}

static void test_a_forked_worker_is_not_charged_to_the_loop_that_forked_it(void **state)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/1", folder);
	assert_int_equal(sm_model_build(&model, path, NULL, NULL), 0);
	const struct sm_hot_line *collate = find("default_collate", 120);
	assert_non_null(collate);
	assert_int_equal(collate->stage, SM_STAGE_COLLATE);
	assert_float_equal(collate->part, 1, 1e-6);
	sm_model_finish(&model);
}

static void test_what_is_no_stage_belongs_to_no_loader(void **state)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/1", folder);
	assert_int_equal(sm_model_build(&model, path, NULL, NULL), 0);
	const struct sm_hot_line *silent = find("Set.__getitem__", 99);
	assert_int_equal(silent->stage, SM_STAGE_COUNT);
	assert_int_equal(silent->loader, -1);
	assert_int_equal(silent->looks, 10 * STEPS);
	assert_int_equal(model.stacks.torn, 5);
	assert_int_equal(model.stacks.looks, (4 + 2 + 2 + 2 + 7 + 1 + 10) * STEPS);
	assert_float_equal(model.stacks.shortest_s, 0.001, 1e-9);
	sm_model_finish(&model);
}

static void test_shares_of_lines_are_parts_of_their_stage(void **state)
{
	struct sm_analysis analysis;
	char path[64];
	double fetch = 0, lines = 0;
	snprintf(path, sizeof(path), "%s/1", folder);
	assert_int_equal(sm_model_build(&model, path, NULL, NULL), 0);
	assert_int_equal(sm_analysis_build(&analysis, &model, NULL), 0);
	for (size_t i = 0; i < analysis.loaders[0].stage_count; i++) {
		const struct sm_stage_row *row = &analysis.loaders[0].stages[i];
		fetch += row->stage == SM_STAGE_FETCH ? row->share : 0;
	}
	for (size_t i = 0; i < analysis.hot_line_count; i++) {
		const struct sm_hot_row *row = &analysis.hot_lines[i];
		assert_true(!i || row->share <= analysis.hot_lines[i - 1].share);
		lines += row->line->stage == SM_STAGE_FETCH ? row->share : 0;
	}
	assert_true(fetch > 0.3);
	assert_float_equal(lines, fetch, 1e-6);
	assert_string_equal(analysis.hot_lines[0].line->calls, "Image.resize");
	sm_model_finish(&model);
}

static int make_folder(void **state)
{
	return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
	char command[64];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks_fall_into_their_spans),
		cmocka_unit_test(test_a_forked_worker_is_not_charged_to_the_loop_that_forked_it),
		cmocka_unit_test(test_what_is_no_stage_belongs_to_no_loader),
		cmocka_unit_test(test_shares_of_lines_are_parts_of_their_stage),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
