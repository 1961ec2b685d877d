/* Stacks there and back: numbers over several files, a block that is cut, bodies that are none, no memory. */
#include "base/err.h"
#include "base/mem.h"
#include "make/sm_make_stacks.h"
#include "trace/stack_tree.h"
#include "trace/trace_stacks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the three above */
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-stacks-XXXXXX";

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

struct seen {
	struct sm_stack_tree tree;
	size_t looks, samples;
	uint64_t interval_ns;
	uint32_t torn;
	int64_t times[16];
	uint32_t places[16], threads[16];
	uint8_t states[16];
};

static int take_function(void *context, const struct sm_trace_stack_function *function)
{
	struct seen *seen = context;
	return sm_stack_tree_add_function(&seen->tree, function);
}

static int take_place(void *context, const struct sm_trace_stack_place *place)
{
	struct seen *seen = context;
	return sm_stack_tree_add_place(&seen->tree, place);
}

static int take_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	struct seen *seen = context;
	return sm_stack_tree_add_thread(&seen->tree, thread);
}

static int take_samples(void *context, const struct sm_trace_stack_samples *samples)
{
	struct seen *seen = context;
	seen->interval_ns = samples->interval_ns;
	seen->torn += samples->torn;
	for (size_t i = 0; i < samples->count; i++) {
		seen->looks += samples->looks[i];
		seen->times[seen->samples % 16] = samples->time_ns[i];
		seen->places[seen->samples % 16] = samples->place[i];
		seen->threads[seen->samples % 16] = samples->thread[i];
		seen->states[seen->samples++ % 16] = samples->state[i];
	}
	return 0;
}

static struct sm_trace_visitor visitor_of(struct seen *seen)
{
	return (struct sm_trace_visitor){
		.context = seen,
		.stack_function = take_function,
		.stack_place = take_place,
		.stack_thread = take_thread,
		.stack_samples = take_samples,
	};
}

static void make_run(const char *path, const char *name)
{
	struct sm_make_run *run = sm_make_run_create(path);
	struct sm_make_stacks *stacks = sm_make_stacks_begin(run);
	uint32_t outer = sm_make_function(stacks, "/job/train.py", "<module>", 1);
	uint32_t inner = sm_make_function(stacks, "/job/data.py", name, 7);
	int64_t base = sm_make_place(stacks, -1, outer, 40);
	uint32_t place = sm_make_place(stacks, base, inner, 9);
	uint32_t thread = sm_make_stack_thread(stacks, 100, 101, "pt_data_worker");
	sm_make_look(
		stacks, 5000, thread, place, SM_TRACE_STACK_RUNNING | SM_TRACE_STACK_IN_CALL, 1);
	sm_make_look(stacks, 4000, thread, (uint32_t)base, SM_TRACE_STACK_LOCK, 500);
	sm_make_stacks_end(stacks, 10000000, 3);
	sm_make_run_finish(run);
}

static void test_there_and_back(void **state)
{
	char path[64];
	struct seen seen = {.looks = 0};
	struct sm_trace_summary summary;
	uint32_t way[SM_STACK_TREE_DEPTH_MAX];
	snprintf(path, sizeof(path), "%s/one", folder);
	make_run(path, "load");
	const struct sm_trace_visitor visitor = visitor_of(&seen);
	assert_int_equal(sm_trace_reader_visit(path, &visitor, &summary, NULL), 0);
	assert_true(summary.complete);
	assert_int_equal(summary.blocks_damaged, 0);
	assert_int_equal(seen.looks, 501);
	assert_int_equal(seen.interval_ns, 10000000);
	assert_int_equal(seen.torn, 3);
	assert_int_equal(seen.times[1], 4000);
	assert_int_equal(seen.states[0], SM_TRACE_STACK_RUNNING | SM_TRACE_STACK_IN_CALL);
	assert_int_equal(sm_stack_tree_way(&seen.tree, seen.places[0], way), 2);
	assert_string_equal(sm_stack_tree_function(&seen.tree, way[1])->name, "load");
	assert_int_equal(seen.tree.place[way[0]].line, 40);
	assert_string_equal(
		sm_stack_tree_thread(&seen.tree, seen.threads[0])->name, "pt_data_worker");
	sm_stack_tree_finish(&seen.tree);
}

static void test_numbers_go_on_over_files(void **state)
{
	char from[80], to[80], path[64];
	struct seen seen = {.looks = 0};
	uint32_t way[SM_STACK_TREE_DEPTH_MAX];
	snprintf(path, sizeof(path), "%s/two", folder);
	make_run(path, "first");
	snprintf(from, sizeof(from), "%s/rank0.stall", path);
	snprintf(to, sizeof(to), "%s/rank1.stall", path);
	assert_int_equal(rename(from, to), 0);
	make_run(path, "second");
	const struct sm_trace_visitor visitor = visitor_of(&seen);
	assert_int_equal(sm_trace_reader_visit(path, &visitor, NULL, NULL), 0);
	assert_int_equal(seen.samples, 4);
	assert_int_equal(seen.tree.function_count, 4);
	assert_int_equal(sm_stack_tree_way(&seen.tree, seen.places[2], way), 2);
	assert_string_equal(sm_stack_tree_function(&seen.tree, way[1])->name, "first");
	sm_stack_tree_finish(&seen.tree);
}

static void test_a_table_that_is_lost_leaves_stacks_unknown(void **state)
{
	struct sm_stack_tree tree = {0};
	uint32_t way[SM_STACK_TREE_DEPTH_MAX];
	const struct sm_trace_stack_place late = {
		.number = 7, .caller = 3, .function = 5, .line = 1};
	assert_int_equal(sm_stack_tree_add_place(&tree, &late), 0);
	assert_int_equal(sm_stack_tree_way(&tree, 7, way), 0);
	assert_int_equal(sm_stack_tree_way(&tree, 3, way), 0);
	assert_int_equal(sm_stack_tree_way(&tree, 99, way), 0);
	assert_null(sm_stack_tree_thread(&tree, 0));
	sm_stack_tree_finish(&tree);
}

static void test_bodies_that_are_none(void **state)
{
	struct sm_str body = SM_STR_EMPTY;
	struct seen seen = {.looks = 0};
	const struct sm_trace_visitor visitor = visitor_of(&seen);
	const struct sm_trace_stacks_head head = {
		.function_count = 1, .place_count = 1, .thread_count = 1};
	sm_str_add_bytes(&body, (const char *)&head, sizeof(head));
	sm_trace_stacks_add_function(&body, "file", "name", 3);
	sm_trace_stacks_add_place(&body, 0, 0, 3);
	sm_trace_stacks_add_thread(&body, 1, 2, "t");
	for (size_t bytes = 0; bytes <= body.length; bytes++) {
		struct sm_trace_stacks_base base = {0};
		int r = sm_trace_stacks_tell(
			&visitor, &base, (const unsigned char *)body.text, bytes);
		assert_int_equal(r, bytes == body.length ? 0 : -SM_ERR_FORMAT);
		sm_trace_stacks_finish(&base);
	}
	sm_str_finish(&body);
	sm_stack_tree_finish(&seen.tree);
}

static void test_a_place_is_never_its_own_caller(void **state)
{
	struct sm_str body = SM_STR_EMPTY;
	struct seen seen = {.looks = 0};
	struct sm_trace_stacks_base base = {0};
	const struct sm_trace_visitor visitor = visitor_of(&seen);
	const struct sm_trace_stacks_head head = {.place_count = 1};
	sm_str_add_bytes(&body, (const char *)&head, sizeof(head));
	sm_trace_stacks_add_place(&body, 1, 0, 3);
	assert_int_equal(sm_trace_stacks_tell(
				 &visitor, &base, (const unsigned char *)body.text, body.length),
		-SM_ERR_FORMAT);
	sm_trace_stacks_finish(&base);
	sm_str_finish(&body);
}

static void test_no_memory_is_an_error(void **state)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/none", folder);
	make_run(path, "load");
	int r = -ENOMEM;
	for (int64_t n = 1; r == -ENOMEM && n < 200; n++) {
		struct seen seen = {.looks = 0};
		const struct sm_trace_visitor visitor = visitor_of(&seen);
		sm_mem_fail_at(n);
		r = sm_trace_reader_visit(path, &visitor, NULL, NULL);
		sm_mem_fail_at(0);
		sm_stack_tree_finish(&seen.tree);
	}
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_numbers_go_on_over_files),
		cmocka_unit_test(test_a_table_that_is_lost_leaves_stacks_unknown),
		cmocka_unit_test(test_bodies_that_are_none),
		cmocka_unit_test(test_a_place_is_never_its_own_caller),
		cmocka_unit_test(test_no_memory_is_an_error),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
