/* Any bytes as a `.stall` file: the reader must stay in bounds, hand on only what its header promises, and come to an end. */
#include "fuzz/stall_input.h"
#include "trace/trace_reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum; /* so that every byte handed on is really read */

static int see_run(void *context, const char *key, const char *value)
{
	sum += strlen(key) + strlen(value);
	return 0;
}

static int see_process(void *context, const struct sm_trace_process *process)
{
	sum += process->ordinal + strlen(process->program);
	return 0;
}

static int see_name(void *context, uint32_t process, const struct sm_trace_name *name)
{
	for (uint32_t i = 0; i <= name->length; i++) { /* the NUL behind it, too */
		sum += (unsigned char)name->text[i];
	}
	if (name->text[name->length]) {
		abort();
	}
	return 0;
}

/* Bytes of a payload lie inside `words`; times of one thread never run backwards. */
static int see_events(void *context, const struct sm_trace_events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		if (i && events->time_ns[i] < events->time_ns[i - 1]) {
			abort();
		}
		sum += events->name[i];
		if (events->kind[i] == SM_TRACE_PAYLOAD) {
			if (events->payload_at[i] > events->word_count) {
				abort();
			}
		}
	}
	for (size_t i = 0; i < events->word_count; i++) {
		sum += events->words[i];
	}
	return 0;
}

static int see_samples(void *context, const struct sm_trace_samples *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		sum += (uint64_t)samples->time_ns[i] + samples->metric[i] +
		       (uint64_t)samples->instance[i];
		sum += samples->value[i] > 0;
	}
	return 0;
}

static int see_function(void *context, const struct sm_trace_stack_function *function)
{
	sum += function->number + strlen(function->file) + strlen(function->name);
	return 0;
}

static int see_place(void *context, const struct sm_trace_stack_place *place)
{
	if (place->caller >= place->number) {
		abort(); /* a way that runs in circles */
	}
	return 0;
}

static int see_thread(void *context, const struct sm_trace_stack_thread *thread)
{
	sum += strlen(thread->name);
	return 0;
}

static int see_looks(void *context, const struct sm_trace_stack_samples *looks)
{
	for (size_t i = 0; i < looks->count; i++) {
		sum += (uint64_t)looks->time_ns[i] + looks->span_ns[i] + looks->thread[i] +
		       looks->place[i] + looks->looks[i] + looks->cpu_us[i] + looks->state[i];
	}
	return 0;
}

static int see_loss(
	void *context, uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns)
{
	sum += events;
	return 0;
}

static int see_note(void *context, const char *what, const char *why)
{
	sum += strlen(what) + strlen(why);
	return 0;
}

static int see_alert(void *context, const struct sm_trace_alert *alert)
{
	sum += strlen(alert->kind) + (alert->value > alert->threshold);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sm_trace_visitor visitor = {.run = see_run,
		.process = see_process,
		.name = see_name,
		.events = see_events,
		.samples = see_samples,
		.stack_function = see_function,
		.stack_place = see_place,
		.stack_thread = see_thread,
		.stack_samples = see_looks,
		.loss = see_loss,
		.note = see_note,
		.alert = see_alert};
	struct sm_trace_summary summary;
	struct stall_input input;
	stall_input_open(&input, data, size);
	(void)sm_trace_reader_visit(input.path, &visitor, &summary, NULL);
	stall_input_close(&input);
	return 0;
}
