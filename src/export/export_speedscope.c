/* A profile of each thread, its stacks in order of time, in speedscope's own format:
 * https://www.speedscope.app/file-format-schema.json, profiles of type "sampled".
 *
 * The first pass reads the table of stacks and keeps what was seen of each thread; what is
 * kept is bounded, for a page of a browser is to open it: past SEEN_MAX entries the export says so, and that `collapsed` has
 * no such bound. */
#include "base/json.h"
#include "base/mem.h"
#include "export/export.h"
#include "export/stack_words.h"
#include "trace/stack_tree.h"

#include <errno.h>
#include <stdlib.h>

enum { SEEN_MAX = 4 << 20, NAME_BYTES = 128 };
#define NS_PER_S 1e9

struct seen {
	int64_t time_ns;
	uint32_t thread, place;
	uint8_t state;
	int64_t weight_ns;
};

struct speedscope {
	struct sm_stack_tree tree;
	struct seen *seen; /* owned */
	size_t count, capacity;
};

static int take_function(void *context, const struct sm_trace_stack_function *function)
{
	struct speedscope *speedscope = context;
	return sm_stack_tree_add_function(&speedscope->tree, function);
}

static int take_place(void *context, const struct sm_trace_stack_place *place)
{
	struct speedscope *speedscope = context;
	return sm_stack_tree_add_place(&speedscope->tree, place);
}

static int take_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	struct speedscope *speedscope = context;
	return sm_stack_tree_add_thread(&speedscope->tree, thread);
}

static int take_samples(void *context, const struct sm_trace_stack_samples *samples)
{
	struct speedscope *speedscope = context;
	if (speedscope->count + samples->count > SEEN_MAX) {
		return -SM_ERR_LIMIT;
	}
	if (sm_mem_grow(&speedscope->seen, &speedscope->capacity,
		    speedscope->count + samples->count, sizeof(*speedscope->seen))) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < samples->count; i++) {
		speedscope->seen[speedscope->count++] = (struct seen){
			.time_ns = samples->time_ns[i],
			.thread = samples->thread[i],
			.place = samples->place[i],
			.state = samples->state[i] & SM_TRACE_STACK_STATE_MASK,
			.weight_ns = (int64_t)samples->interval_ns * samples->looks[i],
		};
	}
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct seen *a = left, *b = right;
	if (a->thread != b->thread) {
		return a->thread < b->thread ? -1 : 1;
	}
	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

/* --- frames: one for each place, behind them one for each state --- */

static void put_frames(struct sm_json *json, const struct sm_stack_tree *tree)
{
	sm_json_begin_object(json, "shared");
	sm_json_begin_array(json, "frames");
	for (uint32_t i = 0; i < tree->place_count; i++) {
		const struct sm_stack_tree_function *function = sm_stack_tree_function(tree, i);
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "name", function ? function->name : "(lost)");
		if (function && function->file[0]) {
			sm_json_string(json, "file", function->file);
			sm_json_int(json, "line", tree->place[i].line);
		}
		sm_json_end(json);
	}
	for (uint8_t state = 0; state < SM_TRACE_STACK_STATE_COUNT; state++) {
		char name[NAME_BYTES];
		snprintf(name, sizeof(name), "[%s]", sm_stack_words_state(state));
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "name", name);
		sm_json_end(json);
	}
	sm_json_end(json);
	sm_json_end(json);
}

static void put_stack(
	struct sm_json *json, const struct sm_stack_tree *tree, const struct seen *seen)
{
	uint32_t way[SM_STACK_TREE_DEPTH_MAX];
	int depth = sm_stack_tree_way(tree, seen->place, way);
	sm_json_begin_array(json, NULL);
	for (int i = 0; i < depth; i++) {
		sm_json_int(json, NULL, way[i]);
	}
	if (depth && sm_stack_words_state(seen->state)[0]) {
		sm_json_int(json, NULL, (int64_t)tree->place_count + seen->state);
	}
	sm_json_end(json);
}

static void put_weights(struct sm_json *json, const struct seen *seen, size_t count)
{
	sm_json_begin_array(json, "weights");
	for (size_t i = 0; i < count; i++) {
		sm_json_double(json, NULL, (double)seen[i].weight_ns / NS_PER_S);
	}
	sm_json_end(json);
}

static void put_thread(struct sm_json *json, const struct sm_stack_tree *tree,
	const struct seen *seen, size_t count)
{
	const struct sm_stack_tree_thread *thread = sm_stack_tree_thread(tree, seen->thread);
	char name[NAME_BYTES];
	int64_t all_ns = 0;
	for (size_t i = 0; i < count; i++) {
		all_ns += seen[i].weight_ns;
	}
	snprintf(name, sizeof(name), "%s, process %d, thread %u", thread ? thread->name : "(lost)",
		thread ? (int)thread->pid : 0, thread ? thread->tid : 0);
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "type", "sampled");
	sm_json_string(json, "name", name);
	sm_json_string(json, "unit", "seconds");
	sm_json_int(json, "startValue", 0);
	sm_json_double(json, "endValue", (double)all_ns / NS_PER_S);
	sm_json_begin_array(json, "samples");
	for (size_t i = 0; i < count; i++) {
		put_stack(json, tree, &seen[i]);
	}
	sm_json_end(json);
	put_weights(json, seen, count);
	sm_json_end(json);
}

static void put_threads(struct sm_json *json, const struct speedscope *speedscope)
{
	size_t end;
	sm_json_begin_array(json, "profiles");
	for (size_t i = 0; i < speedscope->count; i = end) {
		for (end = i + 1; end < speedscope->count &&
				  speedscope->seen[end].thread == speedscope->seen[i].thread;
			end++) {
			/* of the same thread */
		}
		put_thread(json, &speedscope->tree, &speedscope->seen[i], end - i);
	}
	sm_json_end(json);
}

static void put_all(FILE *out, const struct speedscope *speedscope)
{
	struct sm_json json;
	sm_json_init(&json, out, 0);
	sm_json_begin_object(&json, NULL);
	sm_json_string(&json, "$schema", "https://www.speedscope.app/file-format-schema.json");
	sm_json_string(&json, "exporter", "stallmeter");
	put_frames(&json, &speedscope->tree);
	put_threads(&json, speedscope);
	sm_json_end(&json);
	fputc('\n', out);
}

static int write_speedscope(const char *run_path, FILE *out, struct sm_error *reterr)
{
	struct speedscope speedscope = {.seen = NULL};
	const struct sm_trace_visitor visitor = {
		.context = &speedscope,
		.stack_function = take_function,
		.stack_place = take_place,
		.stack_thread = take_thread,
		.stack_samples = take_samples,
	};
	int error = sm_trace_reader_visit(run_path, &visitor, NULL, reterr);
	if (error == -SM_ERR_LIMIT) {
		sm_error_set(reterr, error, -1,
			"more looks than speedscope can open; 'collapsed' has no such bound");
	}
	if (!error) {
		if (speedscope.count) {
			qsort(speedscope.seen, speedscope.count, sizeof(*speedscope.seen), compare);
		}
		put_all(out, &speedscope);
	}
	if (!error && ferror(out)) {
		error = sm_error_set(reterr, -EIO, -1, "%s", sm_error_text(-EIO));
	}
	sm_stack_tree_finish(&speedscope.tree);
	sm_mem_free(speedscope.seen);
	return error;
}

const struct sm_exporter sm_export_speedscope = {
	.name = "speedscope",
	.suffix = ".speedscope.json",
	.summary = "Python stacks of every thread over time, for speedscope.app",
	.write = write_speedscope,
};
