/* A segment's words into columns.
 *
 * Nearly all words are short, so these have a loop of their own that only stores units of time; a second loop, which
 * the compiler can vectorise, makes nanoseconds of them. Long words, and everything odd, go through the ring's cursor. */
#include "trace/trace_columns.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

static int resize(void *array_pointer, size_t rows, size_t row_bytes)
{
	void *old = NULL;
	memcpy(&old, array_pointer, sizeof(old));
	void *grown = sm_mem_realloc(old, rows * row_bytes);
	if (grown) {
		memcpy(array_pointer, &grown, sizeof(grown));
	}
	return grown ? 0 : -ENOMEM;
}

int sm_trace_columns_reserve(struct sm_trace_columns *columns, size_t rows)
{
	if (rows <= columns->capacity) {
		return 0;
	}
	int error = resize(&columns->time_ns, rows, sizeof(*columns->time_ns));
	error = error ? error : resize(&columns->name, rows, sizeof(*columns->name));
	error = error ? error : resize(&columns->kind, rows, sizeof(*columns->kind));
	error = error ? error : resize(&columns->payload_at, rows, sizeof(*columns->payload_at));
	columns->capacity = error ? columns->capacity : rows;
	return error;
}

int sm_trace_columns_reserve_words(struct sm_trace_columns *columns, size_t words)
{
	return sm_mem_grow(
		&columns->words, &columns->word_capacity, words, sizeof(*columns->words));
}

void sm_trace_columns_finish(struct sm_trace_columns *columns)
{
	sm_mem_free(columns->time_ns);
	sm_mem_free(columns->name);
	sm_mem_free(columns->kind);
	sm_mem_free(columns->payload_at);
	sm_mem_free(columns->words);
	*columns = SM_TRACE_COLUMNS_EMPTY;
}

void sm_trace_columns_begin_segment(struct sm_trace_raw_cursor *cursor,
	const struct sm_ring_segment *segment, uint32_t tick_shift, double ns_per_tick,
	const void *words, size_t bytes)
{
	cursor->damaged = false;
	sm_ring_cursor_init_rate(&cursor->ring, tick_shift, ns_per_tick, segment, words, bytes);
}

int sm_trace_columns_begin_raw(
	struct sm_trace_raw_cursor *cursor, const struct sm_trace_block *block, const void *body)
{
	struct sm_trace_raw raw;
	if (block->stored_bytes < sizeof(raw)) {
		return -SM_ERR_FORMAT;
	}
	memcpy(&raw, body, sizeof(raw));
	if (raw.mono_ns < 0 || raw.mono_ns > INT64_MAX / 2) {
		return -SM_ERR_FORMAT;
	}
	struct sm_ring_segment segment = {
		.tid = block->tid,
		.ticks = raw.ticks,
		.mono_ns = raw.mono_ns,
	};
	sm_trace_columns_begin_segment(cursor, &segment, raw.tick_shift, raw.ns_per_tick,
		(const char *)body + sizeof(raw), block->stored_bytes - sizeof(raw));
	return 0;
}

void sm_trace_columns_skip(struct sm_trace_raw_cursor *cursor, uint64_t bytes)
{
	struct sm_ring_cursor *ring = &cursor->ring;
	const unsigned char *end = ring->end;
	struct sm_ring_word word;
	if (!bytes) {
		return;
	}
	ring->end = bytes < (uint64_t)(end - ring->at) ? ring->at + bytes : end;
	do {
		sm_ring_cursor_pass_short(ring);
	} while (sm_ring_cursor_next(ring, &word) > 0);
	ring->end = end;
}

/* Short words up to the next one that is not, or `rows`. Times are still units. */
static void take_short_words(
	struct sm_ring_cursor *ring, struct sm_trace_columns *columns, size_t rows)
{
	int64_t *restrict time = columns->time_ns;
	uint32_t *restrict name = columns->name;
	uint8_t *restrict kind = columns->kind;
	const unsigned char *restrict at = ring->at;
	uint64_t units = ring->units;
	size_t count = columns->count;
	size_t most = (size_t)(ring->end - at) / 4;
	size_t stop = rows - count < most ? rows : count + most;
	for (; count < stop; count++, at += 4) {
		uint32_t word;
		memcpy(&word, at, sizeof(word));
		if (!word || (word & 1)) {
			break;
		}
		uint32_t ends = word >> 1 & 1;
		units += ((word >> 12) - units) & 0xfffff;
		time[count] = (int64_t)units;
		kind[count] = (uint8_t)ends;
		name[count] = (word >> 2 & (SM_RING_SHORT_NAMES - 1)) & (ends - 1);
	}
	columns->count = count;
	ring->at = at;
	ring->units = units;
}

static void make_nanoseconds(
	const struct sm_ring_cursor *ring, struct sm_trace_columns *columns, size_t from)
{
	const struct sm_ring_cursor cursor = *ring;
	int64_t *time = columns->time_ns;
	size_t count = columns->count;
	for (size_t i = from; i < count; i++) {
		time[i] = sm_ring_cursor_ns(&cursor, (uint64_t)time[i]);
	}
}

static int add_payload(struct sm_trace_columns *columns, const struct sm_ring_word *word)
{
	int error =
		sm_trace_columns_reserve_words(columns, columns->word_count + word->payload_words);
	if (error) {
		return error;
	}
	if (word->payload_words) {
		memcpy(columns->words + columns->word_count, word->payload,
			(size_t)word->payload_words * sizeof(*columns->words));
	}
	columns->payload_at[columns->count] = (uint32_t)columns->word_count;
	columns->word_count += word->payload_words;
	return 0;
}

static int add_word(struct sm_trace_columns *columns, const struct sm_ring_word *word)
{
	int error = word->kind == SM_RING_PAYLOAD ? add_payload(columns, word) : 0;
	if (!error) {
		columns->time_ns[columns->count] = word->time_ns;
		columns->name[columns->count] = word->name;
		columns->kind[columns->count] = word->kind;
		columns->count++;
	}
	return error;
}

static bool begins_a_batch(const struct sm_ring_word *word)
{
	return word->kind == SM_RING_PAYLOAD &&
	       (word->name == SM_RING_THREAD || word->name == SM_RING_LOST);
}

int sm_trace_columns_next_raw(struct sm_trace_raw_cursor *cursor, struct sm_trace_columns *columns,
	size_t rows, uint32_t *ret_tid)
{
	int error = sm_trace_columns_reserve(columns, rows);
	columns->count = columns->word_count = 0;
	*ret_tid = cursor->ring.tid;
	while (!error && columns->count < rows) {
		size_t from = columns->count;
		take_short_words(&cursor->ring, columns, rows);
		make_nanoseconds(&cursor->ring, columns, from);
		if (columns->count == rows) {
			break;
		}
		struct sm_ring_cursor before = cursor->ring;
		struct sm_ring_word word;
		int got = sm_ring_cursor_next(&cursor->ring, &word);
		cursor->damaged |= got < 0;
		if (got > 0 && begins_a_batch(&word) && columns->count) {
			cursor->ring = before;
			break;
		}
		if (got <= 0) {
			break;
		}
		*ret_tid = cursor->ring.tid;
		error = add_word(columns, &word);
	}
	return error ? error : columns->count > 0;
}
