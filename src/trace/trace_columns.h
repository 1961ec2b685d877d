/* Events of one thread as columns, and RAW bodies into them. */
#ifndef SM_TRACE_TRACE_COLUMNS_H
#define SM_TRACE_TRACE_COLUMNS_H

#include "ring/ring_reader.h"
#include "trace/trace_format.h"

#include <stdbool.h>

enum {
	/* Rows handed on at a time: columns of this length stay in the second-level cache of a core. */
	SM_TRACE_BATCH = 8192,
};

struct sm_trace_columns {
	int64_t *time_ns; /* owned, as the others; `capacity` rows */
	uint32_t *name;
	uint8_t *kind;	      /* enum sm_ring_word_kind */
	uint32_t *payload_at; /* of PAYLOAD rows */
	uint64_t *words;      /* owned; payloads */
	size_t count, capacity;
	size_t word_count, word_capacity;
};
#define SM_TRACE_COLUMNS_EMPTY ((struct sm_trace_columns){0})

int sm_trace_columns_reserve(
	struct sm_trace_columns *columns, size_t rows); /* 0 or -ENOMEM; keeps what is there */
int sm_trace_columns_reserve_words(struct sm_trace_columns *columns, size_t words);
void sm_trace_columns_finish(struct sm_trace_columns *columns); /* fine on an empty one */

/* Words of a segment, decoded batch by batch. */
struct sm_trace_raw_cursor {
	struct sm_ring_cursor ring;
	bool damaged; /* ended at words that make no sense */
};

void sm_trace_columns_begin_segment(struct sm_trace_raw_cursor *cursor,
	const struct sm_ring_segment *segment, uint32_t tick_shift, double ns_per_tick,
	const void *words, size_t bytes);
/* 0, or -SM_ERR_FORMAT for a body that cannot be one. */
int sm_trace_columns_begin_raw(
	struct sm_trace_raw_cursor *cursor, const struct sm_trace_block *block, const void *body);
/* Goes behind the first `bytes` of its words. */
void sm_trace_columns_skip(struct sm_trace_raw_cursor *cursor, uint64_t bytes);
/* The next rows, at most `rows`, replace what is in `columns`: all of one thread, THREAD and LOST only as the first.
 * 1: *ret_tid is theirs. 0: the end. -ENOMEM. */
int sm_trace_columns_next_raw(struct sm_trace_raw_cursor *cursor, struct sm_trace_columns *columns,
	size_t rows, uint32_t *ret_tid);

#endif
