/* Chrome's trace JSON, which chrome://tracing, Perfetto and speedscope open.
 *
 * One pass, one object a line. Spans become complete events ("X") when they end, with what was attached to them and, where
 * it was measured, how their time divides into CPU, waiting for a CPU and waiting for something else. Spans that never
 * ended become begin events ("B"); those whose end was lost last until the loss and say `end_lost`. Marks are instants,
 * counters and samples are counters; a sample that only grows is shown as its rate. A track's process is the pid, unless
 * two processes of the run share one: pids come again, and other hosts have the same. */
#include "base/metric.h"
#include "export/chrome_event.h"
#include "export/export.h"
#include "trace/trace_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct last_sample {
	int64_t time_ns;
	double value;
};

static void keep_mark(struct sm_open_thread *thread, int64_t time_ns, uint32_t name)
{
	thread->has_mark = true;
	thread->mark_ns = time_ns;
	thread->mark_name = name;
	thread->mark_arg = thread->arg_count;
}

static int end_span(struct sm_chrome *chrome, struct sm_open_thread *thread, int64_t time_ns)
{
	if (!thread->span_count) {
		return 0; /* began before the recording did, or its begin was lost */
	}
	int error = sm_chrome_event_span(
		chrome, thread, &thread->spans[thread->span_count - 1], time_ns, SM_CHROME_ENDED);
	sm_open_spans_pop(thread);
	return error;
}

/* What was open when the recording, or this thread's part of it, broke off. */
static int put_open_spans(struct sm_chrome *chrome, struct sm_open_thread *thread, int64_t end_ns,
	enum sm_chrome_end how)
{
	int error = sm_chrome_event_mark(chrome, thread);
	while (!error && thread->span_count) {
		error = sm_chrome_event_span(
			chrome, thread, &thread->spans[thread->span_count - 1], end_ns, how);
		sm_open_spans_pop(thread);
	}
	return error;
}

/* --- payloads --- */

static int put_counter(struct sm_chrome *chrome, const struct sm_open_thread *thread,
	int64_t time_ns, const uint64_t *words)
{
	double value;
	memcpy(&value, &words[1], sizeof(value));
	return sm_chrome_event_value(chrome,
		sm_chrome_event_name(chrome, thread->process, (uint32_t)words[0])->text,
		sm_chrome_event_track(chrome, thread->process), thread->tid, time_ns, value);
}

static int take_payload(struct sm_chrome *chrome, struct sm_open_thread *thread,
	const struct sm_trace_events *events, size_t row)
{
	uint32_t type = events->name[row];
	const uint64_t *words = events->words + events->payload_at[row];
	size_t count =
		events->word_count - events->payload_at[row]; /* at most; enough to be safe */
	if (type >= SM_TRACE_ARG && count >= 1) {
		return sm_open_spans_add_arg(
			thread, (uint8_t)(type - SM_TRACE_ARG), (int64_t)words[0]);
	}
	if (type == SM_TRACE_CAUSE && count >= sizeof(struct sm_trace_cause) / 8 &&
		thread->span_count) {
		struct sm_open_span *span = &thread->spans[thread->span_count - 1];
		memcpy(&span->cause, words, sizeof(span->cause));
		span->has_cause = true;
	}
	if (type == SM_TRACE_COUNTER && count >= 2) {
		return put_counter(chrome, thread, events->time_ns[row], words);
	}
	if (type == SM_TRACE_THREAD && count >= 1 && words[0] >> 32) {
		sm_chrome_event_metadata(chrome, "thread_name",
			sm_chrome_event_track(chrome, thread->process), thread->tid,
			sm_chrome_event_name(chrome, thread->process, (uint32_t)(words[0] >> 32))
				->text);
	}
	return 0;
}

/* --- what the visitor is told --- */

static int take_event(struct sm_chrome *chrome, struct sm_open_thread *thread,
	const struct sm_trace_events *events, size_t row)
{
	int64_t time_ns = events->time_ns[row];
	bool is_payload = events->kind[row] == SM_TRACE_PAYLOAD;
	bool is_arg = is_payload && events->name[row] >= SM_TRACE_ARG;
	int error = is_arg ? 0 : sm_chrome_event_mark(chrome, thread);
	if (error) {
		return error;
	}
	switch ((enum sm_trace_event_kind)events->kind[row]) {
	case SM_TRACE_BEGIN:
		return sm_open_spans_push(thread, time_ns, events->name[row]);
	case SM_TRACE_END:
		return end_span(chrome, thread, time_ns);
	case SM_TRACE_MARK:
		keep_mark(thread, time_ns, events->name[row]);
		return 0;
	case SM_TRACE_PAYLOAD:
		return take_payload(chrome, thread, events, row);
	}
	return 0;
}

static int take_events(void *context, const struct sm_trace_events *events)
{
	struct sm_chrome *chrome = context;
	struct sm_open_thread *thread =
		sm_open_spans_of(&chrome->open, events->process, events->tid);
	if (!thread) {
		return -ENOMEM;
	}
	int error = events->broken
			    ? put_open_spans(chrome, thread, events->time_ns[0], SM_CHROME_END_LOST)
			    : 0;
	for (size_t i = 0; !error && i < events->count; i++) {
		error = take_event(chrome, thread, events, i);
	}
	return error;
}

static int take_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	struct sm_chrome *chrome = context;
	if (name->kind == SM_NAME_FACT) {
		return 0;
	}
	struct sm_chrome_name *known = sm_arena_alloc(&chrome->arena, sizeof(*known));
	char *text = sm_arena_strdup(&chrome->arena, name->text);
	if (!known || !text) {
		return -ENOMEM;
	}
	*known = (struct sm_chrome_name){text, name->role};
	return sm_map_set(
		&chrome->names, (uint64_t)process << 32 | name->id, (uint64_t)(uintptr_t)known);
}

static int take_track(struct sm_chrome *chrome, const struct sm_trace_process *process)
{
	uint64_t owner, pid = process->pid > 0 ? (uint64_t)process->pid : UINT64_MAX;
	if (pid == UINT64_MAX ||
		(sm_map_find(&chrome->pids, pid, &owner) && owner != process->ordinal)) {
		pid = (uint64_t)SM_CHROME_SECOND_OF_A_PID + process->ordinal;
	}
	int error = sm_map_set(&chrome->pids, pid, process->ordinal);
	return error ? error : sm_map_set(&chrome->tracks, process->ordinal, pid);
}

static int take_process(void *context, const struct sm_trace_process *process)
{
	struct sm_chrome *chrome = context;
	char name[320];
	if (sm_map_find(&chrome->tracks, process->ordinal, NULL)) {
		return 0; /* told before */
	}
	int error = take_track(chrome, process);
	if (error) {
		return error;
	}
	if (process->rank >= 0) {
		snprintf(name, sizeof(name), "rank %d: %s", process->rank, process->program);
	} else {
		snprintf(name, sizeof(name), "%s", process->program);
	}
	sm_chrome_event_metadata(
		chrome, "process_name", sm_chrome_event_track(chrome, process->ordinal), 0, name);
	return ferror(chrome->json.out) ? -EIO : 0;
}

/* A level as it is; of what only grows the rate since the sample before. */
static bool rate_or_level(struct sm_chrome *chrome, const struct sm_metric_info *metric,
	int64_t instance, int64_t time_ns, double *value)
{
	if (metric->kind == SM_GAUGE) {
		return true;
	}
	uint64_t key = (uint64_t)metric->id << 48 ^ (uint64_t)instance, place;
	struct last_sample now = {time_ns, *value}, *last;
	if (!sm_map_find(&chrome->samples, key, &place)) {
		last = sm_arena_alloc(&chrome->arena, sizeof(*last));
		if (last && !sm_map_set(&chrome->samples, key, (uint64_t)(uintptr_t)last)) {
			*last = now;
		}
		return false;
	}
	last = (struct last_sample *)(uintptr_t)place;
	bool moved = time_ns > last->time_ns && *value >= last->value;
	if (moved) {
		*value = (*value - last->value) / (1e-9 * (double)(time_ns - last->time_ns));
	}
	*last = now;
	return moved;
}

static void put_sample(struct sm_chrome *chrome, const struct sm_metric_info *metric,
	int64_t instance, int64_t time_ns, double value)
{
	char name[96];
	bool alone = metric->scope == SM_SCOPE_SYSTEM || metric->scope == SM_SCOPE_GROUP ||
		     metric->scope == SM_SCOPE_SELF || metric->scope == SM_SCOPE_PROCESS;
	const char *per = metric->kind == SM_CUMULATIVE ? "/s" : "";
	if (alone) {
		snprintf(name, sizeof(name), "%s (%s%s)", metric->name, metric->unit, per);
	} else {
		snprintf(name, sizeof(name), "%s %" PRId64 " (%s%s)", metric->name, instance,
			metric->unit, per);
	}
	sm_chrome_event_value(chrome, name,
		metric->scope == SM_SCOPE_PROCESS ? instance : SM_CHROME_MACHINE, 0, time_ns,
		value);
}

static int take_samples(void *context, const struct sm_trace_samples *samples)
{
	struct sm_chrome *chrome = context;
	for (size_t i = 0; i < samples->count; i++) {
		const struct sm_metric_info *metric = sm_metric_find(samples->metric[i]);
		double value = samples->value[i];
		if (metric && rate_or_level(chrome, metric, samples->instance[i],
				      samples->time_ns[i], &value)) {
			put_sample(
				chrome, metric, samples->instance[i], samples->time_ns[i], value);
		}
	}
	return ferror(chrome->json.out) ? -EIO : 0;
}

static int take_loss(
	void *context, uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	struct sm_chrome *chrome = context;
	char name[64];
	snprintf(name, sizeof(name), "%" PRIu64 " events lost", events);
	return sm_chrome_event_instant(
		chrome, name, sm_chrome_event_track(chrome, process), first_ns > 0 ? first_ns : 0);
}

/* --- the whole --- */

static int begin_file(struct sm_chrome *chrome)
{
	sm_json_begin_object(&chrome->json, NULL);
	sm_json_string(&chrome->json, "displayTimeUnit", "ns");
	sm_json_begin_array(&chrome->json, "traceEvents");
	sm_chrome_event_metadata(chrome, "process_name", SM_CHROME_MACHINE, 0, "machine");
	return ferror(chrome->json.out) ? -EIO : 0;
}

static int end_file(struct sm_chrome *chrome)
{
	int error = 0;
	for (size_t i = 0; !error && i < chrome->open.count; i++) {
		error = put_open_spans(chrome, &chrome->open.threads[i], 0, SM_CHROME_NEVER_ENDED);
	}
	sm_json_end(&chrome->json);
	sm_json_end(&chrome->json);
	fputc('\n', chrome->json.out);
	return error ? error : ferror(chrome->json.out) ? -EIO : 0;
}

static int write_chrome(const char *run_path, FILE *out, struct sm_error *reterr)
{
	struct sm_chrome chrome = {.open = SM_OPEN_SPANS_EMPTY};
	struct sm_trace_visitor visitor = {
		.context = &chrome,
		.process = take_process,
		.name = take_name,
		.events = take_events,
		.samples = take_samples,
		.loss = take_loss,
	};
	sm_json_init(&chrome.json, out, 0);
	int error = begin_file(&chrome);
	error = error ? sm_error_set(reterr, error, -1, "%s", sm_error_text(error))
		      : sm_trace_reader_visit(run_path, &visitor, NULL, reterr);
	if (!error && (error = end_file(&chrome))) {
		sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	}
	sm_open_spans_finish(&chrome.open);
	sm_map_finish(&chrome.names);
	sm_map_finish(&chrome.samples);
	sm_map_finish(&chrome.pids);
	sm_map_finish(&chrome.tracks);
	sm_arena_finish(&chrome.arena);
	return error;
}

const struct sm_exporter sm_export_chrome = {
	.name = "chrome",
	.suffix = ".json",
	.summary = "trace JSON for chrome://tracing, ui.perfetto.dev and speedscope",
	.write = write_chrome,
};
