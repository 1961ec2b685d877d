#include "trace/trace_delivery.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sm_trace_thread_state {
	int64_t last_ns;
	uint32_t losses; /* of its process, when it was last seen */
};

void sm_trace_delivery_finish(struct sm_trace_delivery *delivery)
{
	for (size_t i = 0; i < delivery->process_count; i++) {
		sm_mem_free(delivery->processes[i].program);
	}
	sm_mem_free(delivery->processes);
	sm_mem_free(delivery->states);
	sm_map_finish(&delivery->threads);
	sm_str_finish(&delivery->text);
	*delivery = (struct sm_trace_delivery){0};
}

static int64_t shifted(const struct sm_trace_delivery *delivery, int64_t time_ns)
{
	int64_t sum;
	if (__builtin_add_overflow(time_ns, delivery->offset_ns, &sum)) {
		return delivery->offset_ns < 0 ? INT64_MIN : INT64_MAX;
	}
	return sum;
}

/* --- processes and names --- */

int sm_trace_delivery_add(struct sm_trace_delivery *delivery, const struct sm_trace_process *shown,
	const char *unique, uint32_t *ret_ordinal)
{
	int error = sm_mem_grow(&delivery->processes, &delivery->process_capacity,
		delivery->process_count + 1, sizeof(*delivery->processes));
	char *program = error ? NULL : sm_mem_strdup(shown->program ? shown->program : "");
	if (!program) {
		return -ENOMEM;
	}
	struct sm_trace_known *known = &delivery->processes[delivery->process_count];
	*known = (struct sm_trace_known){.shown = *shown, .program = program};
	known->shown.program = program;
	known->shown.ordinal = (uint32_t)delivery->process_count++;
	snprintf(known->unique, sizeof(known->unique), "%s", unique);
	*ret_ordinal = known->shown.ordinal;
	return 0;
}

int sm_trace_delivery_show(struct sm_trace_delivery *delivery, uint32_t ordinal)
{
	const struct sm_trace_visitor *visitor = delivery->visitor;
	struct sm_trace_process shown = delivery->processes[ordinal].shown;
	if (!visitor->process) {
		return 0;
	}
	shown.started_ns = shown.started_ns < 0 ? -1 : shifted(delivery, shown.started_ns);
	shown.ended_ns = shown.ended_ns < 0 ? -1 : shifted(delivery, shown.ended_ns);
	return visitor->process(visitor->context, &shown);
}

struct sm_trace_known *sm_trace_delivery_find(
	struct sm_trace_delivery *delivery, const char *unique)
{
	for (size_t i = 0; unique[0] && i < delivery->process_count; i++) {
		if (!strcmp(delivery->processes[i].unique, unique)) {
			return &delivery->processes[i];
		}
	}
	return NULL;
}

static int tell_name(struct sm_trace_delivery *delivery, uint32_t ordinal,
	const struct sm_ring_name *entry, const char *text)
{
	sm_str_clear(&delivery->text);
	sm_str_add_bytes(&delivery->text, text, entry->length);
	if (delivery->text.failed) {
		delivery->text.failed = false;
		return -ENOMEM;
	}
	struct sm_trace_name name = {
		.id = entry->id,
		.kind = (enum sm_name_kind)entry->kind,
		.role = (enum sm_role)entry->role,
		.text = sm_str_text(&delivery->text),
		.length = entry->length,
	};
	return delivery->visitor->name(delivery->visitor->context, ordinal, &name);
}

int sm_trace_delivery_names(
	struct sm_trace_delivery *delivery, uint32_t ordinal, const void *entries, size_t bytes)
{
	const char *at = entries, *end = at + bytes;
	int stop = 0;
	while (delivery->visitor->name && !stop &&
		end - at >= (ptrdiff_t)sizeof(struct sm_ring_name)) {
		struct sm_ring_name entry;
		memcpy(&entry, at, sizeof(entry));
		size_t whole = sizeof(entry) + ((size_t)entry.length + 7) / 8 * 8;
		if (!entry.id || whole > (size_t)(end - at)) {
			return -SM_ERR_FORMAT;
		}
		stop = tell_name(delivery, ordinal, &entry, at + sizeof(entry));
		at += whole;
	}
	return stop;
}

/* --- losses --- */

int sm_trace_delivery_loss(struct sm_trace_delivery *delivery, uint32_t ordinal, uint64_t events,
	int64_t first_ns, int64_t last_ns)
{
	const struct sm_trace_visitor *visitor = delivery->visitor;
	delivery->summary.events_lost += events;
	delivery->processes[ordinal].losses++;
	return visitor->loss ? visitor->loss(visitor->context, ordinal, events,
				       shifted(delivery, first_ns), shifted(delivery, last_ns))
			     : 0;
}

void sm_trace_delivery_break_all(struct sm_trace_delivery *delivery)
{
	for (size_t i = 0; i < delivery->process_count; i++) {
		delivery->processes[i].losses++;
	}
}

int sm_trace_delivery_rest_of_losses(struct sm_trace_delivery *delivery)
{
	int stop = 0;
	for (uint32_t i = 0; !stop && i < delivery->process_count; i++) {
		struct sm_trace_known *known = &delivery->processes[i];
		if (known->lost_said > known->lost_told) {
			uint64_t rest = known->lost_said - known->lost_told;
			known->lost_told = known->lost_said;
			stop = sm_trace_delivery_loss(
				delivery, i, rest, known->shown.started_ns, known->shown.ended_ns);
		}
	}
	return stop;
}

/* --- events --- */

static struct sm_trace_thread_state *state_of(
	struct sm_trace_delivery *delivery, uint32_t ordinal, uint32_t tid)
{
	uint64_t key = (uint64_t)ordinal << 32 | tid, place;
	if (sm_map_find(&delivery->threads, key, &place)) {
		return &delivery->states[place];
	}
	if (sm_mem_grow(&delivery->states, &delivery->state_capacity, delivery->state_count + 1,
		    sizeof(*delivery->states)) ||
		sm_map_set(&delivery->threads, key, delivery->state_count)) {
		return NULL;
	}
	struct sm_trace_thread_state *state = &delivery->states[delivery->state_count++];
	*state = (struct sm_trace_thread_state){.last_ns = INT64_MIN};
	return state;
}

static void shift_times(const struct sm_trace_delivery *delivery, struct sm_trace_columns *columns)
{
	for (size_t i = 0; delivery->offset_ns && i < columns->count; i++) {
		columns->time_ns[i] = shifted(delivery, columns->time_ns[i]);
	}
}

/* Two segments convert their ticks from two instants, which differ by some ten nanoseconds. */
static void keep_order(struct sm_trace_columns *columns, int64_t last_ns)
{
	for (size_t i = 0; i < columns->count && columns->time_ns[i] < last_ns; i++) {
		columns->time_ns[i] = last_ns;
	}
}

/* LOST only stands in front of a batch. */
static int tell_lost_word(struct sm_trace_delivery *delivery, uint32_t ordinal,
	const struct sm_trace_columns *columns)
{
	if (columns->kind[0] != SM_RING_PAYLOAD || columns->name[0] != SM_RING_LOST ||
		!columns->word_count) {
		return 0;
	}
	uint64_t events = columns->words[0];
	delivery->processes[ordinal].lost_told += events;
	delivery->summary.events_lost += events;
	const struct sm_trace_visitor *visitor = delivery->visitor;
	return visitor->loss ? visitor->loss(visitor->context, ordinal, events, columns->time_ns[0],
				       columns->time_ns[0])
			     : 0;
}

int sm_trace_delivery_events(struct sm_trace_delivery *delivery, uint32_t ordinal, uint32_t tid,
	struct sm_trace_columns *columns)
{
	const struct sm_trace_visitor *visitor = delivery->visitor;
	struct sm_trace_thread_state *state = state_of(delivery, ordinal, tid);
	if (!state) {
		return -ENOMEM;
	}
	shift_times(delivery, columns);
	keep_order(columns, state->last_ns);
	state->last_ns = columns->time_ns[columns->count - 1];
	uint32_t losses = delivery->processes[ordinal].losses;
	bool lost_word = columns->kind[0] == SM_RING_PAYLOAD && columns->name[0] == SM_RING_LOST;
	struct sm_trace_events events = {
		.process = ordinal,
		.tid = tid,
		.count = columns->count,
		.time_ns = columns->time_ns,
		.name = columns->name,
		.kind = columns->kind,
		.payload_at = columns->payload_at,
		.words = columns->words,
		.word_count = columns->word_count,
		.broken = lost_word || state->losses != losses,
	};
	state->losses = losses;
	delivery->summary.events += columns->count;
	int stop = tell_lost_word(delivery, ordinal, columns);
	return stop || !visitor->events ? stop : visitor->events(visitor->context, &events);
}
