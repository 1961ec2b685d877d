/* One block after the other, to the visitor. */
#include "trace/trace_telling.h"

#include "base/mem.h"
#include "trace/trace_unpacker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

struct sm_trace_local {	  /* a process of the file being read */
	uint32_t ordinal; /* in the run */
	int ring;	  /* its mapping that was left behind; -1: none */
	bool known;
};

int sm_trace_telling_init(struct sm_trace_telling *telling, const struct sm_trace_visitor *visitor)
{
	*telling = (struct sm_trace_telling){
		.visitor = visitor,
		.delivery = {.visitor = visitor, .summary = {.complete = true}},
	};
	telling->samples = sm_mem_alloc(sizeof(*telling->samples));
	return telling->samples ? sm_trace_unpacker_create(&telling->unpacker) : -ENOMEM;
}

void sm_trace_telling_finish(struct sm_trace_telling *telling)
{
	sm_mem_free(telling->locals);
	sm_mem_free(telling->samples);
	sm_mem_free(telling->stack_columns);
	sm_trace_stacks_finish(&telling->stacks_base);
	sm_mem_free(telling->plain);
	sm_trace_unpacker_destroy(telling->unpacker);
	sm_trace_columns_finish(&telling->columns);
	sm_trace_lines_finish(&telling->lines);
	sm_salvage_finish(&telling->salvage);
	sm_trace_delivery_finish(&telling->delivery);
}

void sm_trace_telling_begin_file(
	struct sm_trace_telling *telling, const struct sm_trace_file_header *header)
{
	telling->header = header;
	sm_trace_stacks_begin_file(&telling->stacks_base);
	if (telling->local_capacity) {
		memset(telling->locals, 0, telling->local_capacity * sizeof(*telling->locals));
	}
}

/* --- words --- */

int sm_trace_telling_run(struct sm_trace_telling *telling, const unsigned char *body, size_t bytes)
{
	const char *key, *value;
	int stop = telling->visitor->run ? sm_trace_lines_begin(&telling->lines, body, bytes) : 0;
	while (!stop && telling->visitor->run &&
		sm_trace_lines_next(&telling->lines, &key, &value)) {
		stop = telling->visitor->run(telling->visitor->context, key, value);
	}
	return stop;
}

int sm_trace_telling_note(struct sm_trace_telling *telling, const char *what, const char *why)
{
	const struct sm_trace_visitor *visitor = telling->visitor;
	return visitor->note ? visitor->note(visitor->context, what, why) : 0;
}

static int tell_notes(struct sm_trace_telling *telling, const unsigned char *body, size_t bytes)
{
	const char *key, *value;
	int stop = sm_trace_lines_begin(&telling->lines, body, bytes);
	while (!stop && sm_trace_lines_next(&telling->lines, &key, &value)) {
		stop = sm_trace_telling_note(telling, key, value);
	}
	return stop;
}

/* The process an ordinal of this file stands for; made up when its block was damaged. */
static int local_of(
	struct sm_trace_telling *telling, uint32_t process, struct sm_trace_local **ret_local)
{
	if (process > 1 << 20) {
		return -SM_ERR_FORMAT;
	}
	size_t had = telling->local_capacity;
	int error = sm_mem_grow(&telling->locals, &telling->local_capacity, (size_t)process + 1,
		sizeof(*telling->locals));
	if (error) {
		return error;
	}
	memset(telling->locals + had, 0,
		(telling->local_capacity - had) * sizeof(*telling->locals));
	struct sm_trace_local *local = &telling->locals[process];
	if (!local->known) {
		struct sm_trace_process shown = {
			.pid = -1,
			.ppid = -1,
			.rank = telling->header->rank,
			.started_ns = -1,
			.ended_ns = -1,
		};
		error = sm_trace_delivery_add(&telling->delivery, &shown, "", &local->ordinal);
		local->ring = -1;
		local->known = !error;
	}
	*ret_local = local;
	return error;
}

static int known_local(
	struct sm_trace_telling *telling, uint32_t process, struct sm_trace_local **ret_local)
{
	bool shown = process < telling->local_capacity && telling->locals[process].known;
	int error = local_of(telling, process, ret_local);
	return error || shown ? error
			      : sm_trace_delivery_show(&telling->delivery, (*ret_local)->ordinal);
}

static int set_text(char **text, const char *value)
{
	char *copy = sm_mem_strdup(value);
	if (!copy) {
		return -ENOMEM;
	}
	sm_mem_free(*text);
	*text = copy;
	return 0;
}

static int learn(struct sm_trace_known *known, const char *key, const char *value)
{
	struct sm_trace_process *shown = &known->shown;
	int64_t number = sm_trace_lines_number(value, -1);
	if (!strcmp(key, "pid")) {
		shown->pid = (int32_t)number;
	} else if (!strcmp(key, "ppid")) {
		shown->ppid = (int32_t)number;
	} else if (!strcmp(key, "rank")) {
		shown->rank = (int32_t)number;
	} else if (!strcmp(key, "opened_mono_ns")) {
		shown->started_ns = number;
	} else if (!strcmp(key, "ended_ns")) {
		shown->ended_ns = number;
	} else if (!strcmp(key, "complete")) {
		shown->complete = number == 1;
	} else if (!strcmp(key, "lost_events")) {
		known->lost_said = number > 0 ? (uint64_t)number : 0;
	} else if (!strcmp(key, "unique")) {
		snprintf(known->unique, sizeof(known->unique), "%s", value);
	} else if (!strcmp(key, "program")) {
		int error = set_text(&known->program, value);
		shown->program = known->program;
		return error;
	}
	return 0;
}

static int tell_process(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	struct sm_trace_local *local;
	const char *key, *value;
	int error = local_of(telling, block->process, &local);
	error = error ? error : sm_trace_lines_begin(&telling->lines, body, block->stored_bytes);
	if (error) {
		return error;
	}
	struct sm_trace_known *known = &telling->delivery.processes[local->ordinal];
	while (!error && sm_trace_lines_next(&telling->lines, &key, &value)) {
		error = learn(known, key, value);
	}
	local->ring = sm_salvage_ring_of(&telling->salvage, known->unique);
	return error ? error : sm_trace_delivery_show(&telling->delivery, local->ordinal);
}

/* --- events --- */

uint64_t sm_trace_telling_key(uint32_t ordinal, uint64_t sequence)
{
	return (uint64_t)ordinal << 44 ^ sequence;
}

/* Goes behind what a reader of the mapping has told of this segment, and notes that all of the block is told now. */
static int skip_told(struct sm_trace_telling *telling, const unsigned char *body, uint32_t ordinal,
	struct sm_trace_raw_cursor *cursor)
{
	struct sm_trace_raw raw;
	uint64_t known = 0;
	memcpy(&raw, body, sizeof(raw));
	uint64_t key = sm_trace_telling_key(ordinal, raw.sequence);
	sm_map_find(telling->told, key, &known);
	sm_trace_columns_skip(cursor, known > raw.begin_bytes ? known - raw.begin_bytes : 0);
	return known < raw.end_bytes ? sm_map_set(telling->told, key, raw.end_bytes) : 0;
}

static int tell_raw(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body, uint32_t ordinal, uint64_t *told)
{
	struct sm_trace_raw_cursor cursor;
	uint32_t tid;
	int got = sm_trace_columns_begin_raw(&cursor, block, body);
	got = got || !telling->told ? got : skip_told(telling, body, ordinal, &cursor);
	while (!got && (got = sm_trace_columns_next_raw(
				&cursor, &telling->columns, SM_TRACE_BATCH, &tid)) > 0) {
		*told += telling->columns.count;
		got = sm_trace_delivery_events(&telling->delivery, ordinal, tid, &telling->columns);
	}
	return got ? got : cursor.damaged ? -SM_ERR_FORMAT : 0;
}

static int tell_packed(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body, uint32_t ordinal, uint64_t *told)
{
	int got = sm_trace_unpacker_begin(telling->unpacker, block, body);
	while (!got && (got = sm_trace_unpacker_next(
				telling->unpacker, &telling->columns, SM_TRACE_BATCH)) > 0) {
		*told += telling->columns.count;
		got = sm_trace_delivery_events(
			&telling->delivery, ordinal, block->tid, &telling->columns);
	}
	return got;
}

/* Where the mapping's words begin and end is at the same place in both bodies. */
static int note_segment(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body, int ring)
{
	struct sm_trace_raw raw;
	_Static_assert(offsetof(struct sm_trace_raw, end_bytes) ==
			       offsetof(struct sm_trace_packed, end_bytes),
		"one front for both");
	if (ring < 0 || block->stored_bytes < sizeof(raw)) {
		return 0;
	}
	memcpy(&raw, body, sizeof(raw));
	return sm_salvage_note(&telling->salvage, ring, raw.sequence, raw.end_bytes);
}

static int tell_events(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	struct sm_trace_local *local;
	uint64_t told = 0;
	int error = known_local(telling, block->process, &local);
	if (error) {
		return error;
	}
	uint32_t ordinal = local->ordinal;
	error = note_segment(telling, block, body, local->ring);
	if (error) {
		return error;
	}
	if (!telling->visitor->events && !telling->visitor->loss) {
		telling->delivery.summary.events += block->count;
		return 0; /* nobody looks inside */
	}
	if (block->codec == SM_TRACE_RAW) {
		error = tell_raw(telling, block, body, ordinal, &told);
	} else if (block->codec == SM_TRACE_PACKED) {
		error = tell_packed(telling, block, body, ordinal, &told);
	} else {
		error = -SM_ERR_FORMAT; /* a coding of a later version */
	}
	if (error != -SM_ERR_FORMAT) {
		return error;
	}
	telling->delivery.summary.blocks_damaged++;
	uint64_t rest = block->count > told ? block->count - told : 0;
	return sm_trace_delivery_loss(
		&telling->delivery, ordinal, rest, block->first_ns, block->last_ns);
}

/* --- samples --- */

/* A body as it was before zstd, if that had it. */
static int unfold(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body, const unsigned char **ret_plain, size_t *ret_bytes)
{
	if (block->codec == SM_TRACE_PLAIN) {
		*ret_plain = body;
		*ret_bytes = block->stored_bytes;
		return 0;
	}
	if (block->codec != SM_TRACE_ZSTD) {
		return -SM_ERR_FORMAT;
	}
	int error = sm_mem_grow(
		&telling->plain, &telling->plain_capacity, (size_t)block->plain_bytes + 1, 1);
	if (error) {
		return error;
	}
	size_t got = ZSTD_decompress(telling->plain, block->plain_bytes, body, block->stored_bytes);
	*ret_plain = telling->plain;
	*ret_bytes = got;
	return ZSTD_isError(got) ? -SM_ERR_FORMAT : 0;
}

static int open_samples(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	const unsigned char *plain;
	size_t bytes;
	int error = unfold(telling, block, body, &plain, &bytes);
	return error ? error
		     : sm_trace_samples_decode(telling->samples, plain, bytes, block->count);
}

static int tell_samples(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	const struct sm_trace_visitor *visitor = telling->visitor;
	struct sm_trace_samples_columns *columns = telling->samples;
	if (!visitor->samples) {
		return 0;
	}
	int error = open_samples(telling, block, body);
	if (error == -SM_ERR_FORMAT) {
		telling->delivery.summary.blocks_damaged++;
		return 0;
	}
	if (error) {
		return error;
	}
	for (size_t i = 0; i < columns->count; i++) {
		columns->time_ns[i] = (int64_t)((uint64_t)columns->time_ns[i] +
						(uint64_t)telling->delivery.offset_ns);
	}
	struct sm_trace_samples samples = {
		.count = columns->count,
		.time_ns = columns->time_ns,
		.metric = columns->metric,
		.instance = columns->instance,
		.value = columns->value,
	};
	return visitor->samples(visitor->context, &samples);
}

/* --- stacks --- */

static bool wants_stacks(const struct sm_trace_visitor *visitor)
{
	return visitor->stack_function || visitor->stack_place || visitor->stack_thread;
}

static int count_damage(struct sm_trace_telling *telling, int error)
{
	if (error == -SM_ERR_FORMAT) {
		telling->delivery.summary.blocks_damaged++;
		return 0;
	}
	return error;
}

static int tell_stacks(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	const unsigned char *plain;
	size_t bytes;
	if (!wants_stacks(telling->visitor)) {
		return 0;
	}
	int error = unfold(telling, block, body, &plain, &bytes);
	error = error ? error
		      : sm_trace_stacks_tell(telling->visitor, &telling->stacks_base, plain, bytes);
	return count_damage(telling, error);
}

static int tell_stack_samples(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	const unsigned char *plain;
	size_t bytes;
	if (!telling->visitor->stack_samples) {
		return 0;
	}
	if (!telling->stack_columns) {
		telling->stack_columns = sm_mem_alloc(sizeof(*telling->stack_columns));
	}
	int error = telling->stack_columns ? unfold(telling, block, body, &plain, &bytes) : -ENOMEM;
	error = error ? error
		      : sm_trace_stacks_tell_samples(telling->visitor, &telling->stacks_base,
				telling->stack_columns, plain, bytes, block->count,
				telling->delivery.offset_ns);
	return count_damage(telling, error);
}

/* --- alerts --- */

static int tell_alert(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	const struct sm_trace_visitor *visitor = telling->visitor;
	struct sm_trace_alert alert;
	int error = visitor->alert
			    ? sm_trace_lines_begin(&telling->lines, body, block->stored_bytes)
			    : 0;
	if (error || !visitor->alert || !sm_trace_alert_read(&alert, &telling->lines)) {
		return error;
	}
	alert.time_ns =
		(int64_t)((uint64_t)block->first_ns + (uint64_t)telling->delivery.offset_ns);
	return visitor->alert(visitor->context, &alert);
}

/* --- blocks --- */

static int tell_names(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	struct sm_trace_local *local;
	int error = known_local(telling, block->process, &local);
	error = error ? error
		      : sm_trace_delivery_names(
				&telling->delivery, local->ordinal, body, block->stored_bytes);
	if (error == -SM_ERR_FORMAT) {
		telling->delivery.summary.blocks_damaged++;
		return 0;
	}
	return error;
}

static int tell_loss(struct sm_trace_telling *telling, const struct sm_trace_block *block)
{
	struct sm_trace_local *local;
	int error = known_local(telling, block->process, &local);
	return error ? error
		     : sm_trace_delivery_loss(&telling->delivery, local->ordinal, block->count,
			       block->first_ns, block->last_ns);
}

int sm_trace_telling_block(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body)
{
	switch (block->type) {
	case SM_TRACE_PROCESS:
		return tell_process(telling, block, body);
	case SM_TRACE_NAMES:
		return tell_names(telling, block, body);
	case SM_TRACE_EVENTS:
		return tell_events(telling, block, body);
	case SM_TRACE_SAMPLES:
		return tell_samples(telling, block, body);
	case SM_TRACE_LOSS:
		return tell_loss(telling, block);
	case SM_TRACE_STACKS:
		return tell_stacks(telling, block, body);
	case SM_TRACE_STACK_SAMPLES:
		return tell_stack_samples(telling, block, body);
	case SM_TRACE_NOTE:
		return tell_notes(telling, body, block->stored_bytes);
	case SM_TRACE_ALERT:
		return tell_alert(telling, block, body);
	default:
		return 0; /* RUN was told before; the index is not needed; later versions have more */
	}
}

/* A body is gone; its header still says what was in it. */
int sm_trace_telling_damage(struct sm_trace_telling *telling, const struct sm_trace_block *block)
{
	if (block->type == SM_TRACE_EVENTS) {
		return tell_loss(telling, block);
	}
	sm_trace_delivery_break_all(&telling->delivery);
	return 0;
}
