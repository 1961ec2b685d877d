/* One line per distinct stack, outermost frame first, and how long the threads that had it were seen there, in milliseconds:
 *
 *     pt_data_worker 4711;<module> (train.py:9);... ;Resize.forward (resize.py:88);[lock] 1230
 *
 * what flamegraph.pl, inferno and speedscope read. The first frame names the thread and its process. A last one in brackets
 * says that the thread did not run: what it waited for, or [runnable] without a CPU. */
#include "base/map.h"
#include "base/mem.h"
#include "export/export.h"
#include "export/stack_words.h"
#include "trace/stack_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct sum {
	uint32_t thread, place;
	uint8_t state;
	double seconds;
};

struct collapsed {
	struct sm_stack_tree tree;
	struct sum *sums; /* owned */
	size_t count, capacity;
	struct sm_map by_key;
};

static int take_function(void *context, const struct sm_trace_stack_function *function)
{
	struct collapsed *collapsed = context;
	return sm_stack_tree_add_function(&collapsed->tree, function);
}

static int take_place(void *context, const struct sm_trace_stack_place *place)
{
	struct collapsed *collapsed = context;
	return sm_stack_tree_add_place(&collapsed->tree, place);
}

static int take_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	struct collapsed *collapsed = context;
	return sm_stack_tree_add_thread(&collapsed->tree, thread);
}

static int add(struct collapsed *collapsed, const struct sum *sum)
{
	uint64_t key = (uint64_t)sum->thread << 40 ^ (uint64_t)sum->place << 4 ^ sum->state, place;
	if (sm_map_find(&collapsed->by_key, key, &place)) {
		collapsed->sums[place].seconds += sum->seconds;
		return 0;
	}
	if (sm_mem_grow(
		    &collapsed->sums, &collapsed->capacity, collapsed->count + 1, sizeof(*sum)) ||
		sm_map_set(&collapsed->by_key, key, collapsed->count)) {
		return -ENOMEM;
	}
	collapsed->sums[collapsed->count++] = *sum;
	return 0;
}

static int take_samples(void *context, const struct sm_trace_stack_samples *samples)
{
	int error = 0;
	for (size_t i = 0; !error && i < samples->count; i++) {
		const struct sum sum = {
			.thread = samples->thread[i],
			.place = samples->place[i],
			.state = samples->state[i] & SM_TRACE_STACK_STATE_MASK,
			.seconds = samples->looks[i] * 1e-9 * (double)samples->interval_ns,
		};
		error = add(context, &sum);
	}
	return error;
}

/* --- the lines --- */

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		fputc(*text == ';' || *text == '\n' ? ',' : *text, out);
	}
}

static void put_frame(FILE *out, const struct sm_stack_tree *tree, uint32_t place)
{
	const struct sm_stack_tree_function *function = sm_stack_tree_function(tree, place);
	fputc(';', out);
	put_text(out, function->name);
	if (function->file[0]) {
		fputs(" (", out);
		put_text(out, sm_stack_words_file(function->file));
		fprintf(out, ":%" PRIu32 ")", tree->place[place].line);
	}
}

static void put_line(FILE *out, const struct sm_stack_tree *tree, const struct sum *sum)
{
	uint32_t way[SM_STACK_TREE_DEPTH_MAX];
	const struct sm_stack_tree_thread *thread = sm_stack_tree_thread(tree, sum->thread);
	int depth = thread ? sm_stack_tree_way(tree, sum->place, way) : 0;
	const char *state = sm_stack_words_state(sum->state);
	if (!depth) {
		return;
	}
	put_text(out, thread->name);
	fprintf(out, " %" PRId32, thread->pid);
	for (int i = 0; i < depth; i++) {
		put_frame(out, tree, way[i]);
	}
	fprintf(out, "%s%s%s %.0f\n", state[0] ? ";[" : "", state, state[0] ? "]" : "",
		1e3 * sum->seconds);
}

static int compare(const void *left, const void *right)
{
	const struct sum *a = left, *b = right;
	if (a->thread != b->thread) {
		return a->thread < b->thread ? -1 : 1;
	}
	if (a->place != b->place) {
		return a->place < b->place ? -1 : 1;
	}
	return a->state - b->state;
}

static int write_collapsed(const char *run_path, FILE *out, struct sm_error *reterr)
{
	struct collapsed collapsed = {.sums = NULL};
	const struct sm_trace_visitor visitor = {
		.context = &collapsed,
		.stack_function = take_function,
		.stack_place = take_place,
		.stack_thread = take_thread,
		.stack_samples = take_samples,
	};
	int error = sm_trace_reader_visit(run_path, &visitor, NULL, reterr);
	if (!error && collapsed.count) {
		qsort(collapsed.sums, collapsed.count, sizeof(*collapsed.sums), compare);
	}
	for (size_t i = 0; !error && i < collapsed.count; i++) {
		put_line(out, &collapsed.tree, &collapsed.sums[i]);
	}
	if (!error && ferror(out)) {
		error = sm_error_set(reterr, -EIO, -1, "%s", sm_error_text(-EIO));
	}
	sm_stack_tree_finish(&collapsed.tree);
	sm_mem_free(collapsed.sums);
	sm_map_finish(&collapsed.by_key);
	return error;
}

const struct sm_exporter sm_export_collapsed = {
	.name = "collapsed",
	.suffix = ".txt",
	.summary = "Python stacks, one line each, for flamegraph.pl, inferno and speedscope",
	.write = write_collapsed,
};
