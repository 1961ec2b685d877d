#include "trace_listing.h"

#include "base/map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct listing_state {
	struct trace_listing *listing;
	struct sm_map last_ns, names;
};

static int on_run(void *context, const char *key, const char *value)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "run %s=%s\n", key, value);
	return 0;
}

static int on_process(void *context, const struct sm_trace_process *process)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words,
		"process %u pid %d ppid %d rank %d from %" PRId64 " to %" PRId64
		" complete %d %s\n",
		process->ordinal, process->pid, process->ppid, process->rank, process->started_ns,
		process->ended_ns, process->complete, process->program);
	return 0;
}

static int on_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	struct listing_state *state = context;
	sm_map_set(&state->names, (uint64_t)process << 32 | name->id, 1);
	sm_str_addf(&state->listing->words, "name %u/%u kind %d role %d %s", process, name->id,
		(int)name->kind, (int)name->role, name->text);
	if (strlen(name->text) < name->length) {
		sm_str_addf(&state->listing->words, "|%s", name->text + strlen(name->text) + 1);
	}
	sm_str_add(&state->listing->words, "\n");
	return 0;
}

static void list_event(
	struct sm_str *text, const struct sm_trace_events *events, size_t i, size_t *word)
{
	sm_str_addf(text, "%u/%u %" PRId64 " %d %u", events->process, events->tid,
		events->time_ns[i], events->kind[i], events->name[i]);
	if (events->kind[i] == SM_TRACE_PAYLOAD) {
		size_t end = events->word_count;
		for (size_t k = i + 1; k < events->count; k++) {
			if (events->kind[k] == SM_TRACE_PAYLOAD) {
				end = events->payload_at[k];
				break;
			}
		}
		for (; *word < end; ++*word) {
			sm_str_addf(text, " %" PRIx64, events->words[*word]);
		}
	}
	sm_str_add(text, "\n");
}

static int on_events(void *context, const struct sm_trace_events *events)
{
	struct listing_state *state = context;
	struct trace_listing *listing = state->listing;
	uint64_t key = (uint64_t)events->process << 32 | events->tid, last = 0;
	sm_map_find(&state->last_ns, key, &last);
	size_t word = 0;
	if (events->broken) {
		sm_str_addf(&listing->events, "%u/%u broken\n", events->process, events->tid);
	}
	for (size_t i = 0; i < events->count; i++) {
		listing->out_of_order |= events->time_ns[i] < (int64_t)last;
		last = (uint64_t)events->time_ns[i];
		bool uses = events->kind[i] == SM_TRACE_BEGIN || events->kind[i] == SM_TRACE_MARK;
		listing->unknown_name |=
			uses && !sm_map_find(&state->names,
					(uint64_t)events->process << 32 | events->name[i], NULL);
		list_event(&listing->events, events, i, &word);
	}
	listing->told_events += events->count;
	sm_map_set(&state->last_ns, key, last);
	return listing->stop_after && !--listing->stop_after ? 7 : 0;
}

static int on_samples(void *context, const struct sm_trace_samples *samples)
{
	struct listing_state *state = context;
	for (size_t i = 0; i < samples->count; i++) {
		sm_str_addf(&state->listing->words, "sample %" PRId64 " %u/%" PRId64 " %.17g\n",
			samples->time_ns[i], samples->metric[i], samples->instance[i],
			samples->value[i]);
	}
	return 0;
}

static int on_loss(
	void *context, uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	struct listing_state *state = context;
	state->listing->told_lost += events;
	sm_str_addf(&state->listing->words, "loss %u %" PRIu64 " from %" PRId64 " to %" PRId64 "\n",
		process, events, first_ns, last_ns);
	return 0;
}

static int on_note(void *context, const char *what, const char *why)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "note %s: %s\n", what, why);
	return 0;
}

static int on_begin(void *context, int64_t started_ns)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "begin %" PRId64 "\n", started_ns);
	return 0;
}

static int on_alert(void *context, const struct sm_trace_alert *alert)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "alert %" PRId64 " %s %s %.17g over %.17g\n",
		alert->time_ns, alert->kind, alert->begins ? "begins" : "ends", alert->value,
		alert->threshold);
	return 0;
}

static int on_function(void *context, const struct sm_trace_stack_function *function)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "function %u %s %s:%u\n", function->number,
		function->name, function->file, function->first_line);
	return 0;
}

static int on_place(void *context, const struct sm_trace_stack_place *place)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "place %u from %" PRId64 " function %u line %u\n",
		place->number, place->caller, place->function, place->line);
	return 0;
}

static int on_stack_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	struct listing_state *state = context;
	sm_str_addf(&state->listing->words, "thread %u %d/%u %s\n", thread->number, thread->pid,
		thread->tid, thread->name);
	return 0;
}

static int on_looks(void *context, const struct sm_trace_stack_samples *samples)
{
	struct listing_state *state = context;
	for (size_t i = 0; i < samples->count; i++) {
		sm_str_addf(&state->listing->words,
			"look %" PRId64 " thread %u place %u state %d looks %d cpu %u\n",
			samples->time_ns[i], samples->thread[i], samples->place[i],
			samples->state[i], samples->looks[i], samples->cpu_us[i]);
	}
	return 0;
}

struct trace_listing_visit trace_listing_begin(struct trace_listing *listing)
{
	struct listing_state *state = calloc(1, sizeof(*state));
	if (!state) {
		abort();
	}
	state->listing = listing;
	return (struct trace_listing_visit){
		.state = state,
		.visitor =
			{
				.context = state,
				.run = on_run,
				.process = on_process,
				.name = on_name,
				.events = on_events,
				.samples = on_samples,
				.loss = on_loss,
				.note = on_note,
				.stack_function = on_function,
				.stack_place = on_place,
				.stack_thread = on_stack_thread,
				.stack_samples = on_looks,
				.begin = on_begin,
				.alert = on_alert,
			},
	};
}

void trace_listing_end(struct trace_listing_visit *visit)
{
	sm_map_finish(&visit->state->last_ns);
	sm_map_finish(&visit->state->names);
	free(visit->state);
}

void trace_listing_read_into(struct trace_listing *listing, const char *path)
{
	struct trace_listing_visit visit = trace_listing_begin(listing);
	listing->code =
		sm_trace_reader_visit(path, &visit.visitor, &listing->summary, &listing->error);
	trace_listing_end(&visit);
}

struct trace_listing *trace_listing_read(const char *path)
{
	struct trace_listing *listing = calloc(1, sizeof(*listing));
	if (!listing) {
		abort();
	}
	trace_listing_read_into(listing, path);
	return listing;
}

void trace_listing_free(struct trace_listing *listing)
{
	sm_str_finish(&listing->words);
	sm_str_finish(&listing->events);
	free(listing);
}
