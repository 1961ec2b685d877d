/* Columns first, compressor second: zstd on rows is twice as large and several times slower than on columns of one kind.
 *
 *   operations  kind and name together are one of a few dozen values, so a byte per event; its frame does the rest
 *   times       differences in nanoseconds, cut to 1, 2, 4 or 8 bytes; the sizes go into a column of their own, so that
 *               four are decoded at a time without a branch
 *   words       payloads of one operation resemble the one before (totals grow, tasks count up), so differences again
 */
#include "trace/trace_packer.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

enum {
	LEVEL = 1,		/* of zstd; 3 is 5 % smaller and three times slower */
	WORTH_COMPRESSING = 64, /* bytes; below, the frame costs more than it saves */
	TABLE_SLOTS = 1 << 17,	/* of the dictionary's hash table: twice what a block can need */
};

struct column {
	unsigned char *bytes; /* owned */
	size_t count, capacity;
};

struct sm_trace_packer {
	ZSTD_CCtx *zstd; /* owned */
	struct column columns[SM_TRACE_COLUMN_COUNT];
	struct column body;
	uint32_t *table;      /* owned; TABLE_SLOTS; place in the dictionary + 1 */
	uint32_t *operations; /* owned; the dictionary */
	uint32_t *last_at;    /* owned; per entry, where its last payload is in last_words */
	size_t operation_count, operation_capacity, last_at_capacity;
	uint64_t *last_words; /* owned */
	size_t last_count, last_capacity;
};

int sm_trace_packer_create(struct sm_trace_packer **ret_packer)
{
	struct sm_trace_packer *packer = sm_mem_calloc(1, sizeof(*packer));
	if (!packer) {
		return -ENOMEM;
	}
	packer->zstd = ZSTD_createCCtx();
	packer->table = sm_mem_calloc(TABLE_SLOTS, sizeof(*packer->table));
	if (!packer->zstd || !packer->table) {
		sm_trace_packer_destroy(packer);
		return -ENOMEM;
	}
	ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_contentSizeFlag, 0);
	*ret_packer = packer;
	return 0;
}

void sm_trace_packer_destroy(struct sm_trace_packer *packer)
{
	if (!packer) {
		return;
	}
	ZSTD_freeCCtx(packer->zstd);
	for (int i = 0; i < SM_TRACE_COLUMN_COUNT; i++) {
		sm_mem_free(packer->columns[i].bytes);
	}
	sm_mem_free(packer->body.bytes);
	sm_mem_free(packer->table);
	sm_mem_free(packer->operations);
	sm_mem_free(packer->last_at);
	sm_mem_free(packer->last_words);
	sm_mem_free(packer);
}

static int reserve(struct column *column, size_t bytes)
{
	return sm_mem_grow(&column->bytes, &column->capacity, bytes, 1);
}

/* --- the dictionary --- */

static uint32_t operation_of(const struct sm_trace_columns *columns, size_t row, size_t next_word)
{
	uint32_t operation = columns->kind[row] | columns->name[row] << 2;
	if (columns->kind[row] == SM_RING_PAYLOAD) {
		operation |= (uint32_t)(next_word - columns->payload_at[row]) << 10;
	}
	return operation;
}

static size_t slot_of(const struct sm_trace_packer *packer, uint32_t operation)
{
	size_t slot = operation * 2654435761U >> 15;
	while (packer->table[slot] && packer->operations[packer->table[slot] - 1] != operation) {
		slot = (slot + 1) & (TABLE_SLOTS - 1);
	}
	return slot;
}

static int add_operation(struct sm_trace_packer *packer, uint32_t operation)
{
	size_t want = packer->operation_count + 1;
	uint32_t words = (operation & 3) == SM_RING_PAYLOAD ? operation >> 10 : 0;
	int error = sm_mem_grow(&packer->operations, &packer->operation_capacity, want,
		sizeof(*packer->operations));
	error = error ? error
		      : sm_mem_grow(&packer->last_at, &packer->last_at_capacity, want,
				sizeof(*packer->last_at));
	error = error ? error
		      : sm_mem_grow(&packer->last_words, &packer->last_capacity,
				packer->last_count + words, sizeof(*packer->last_words));
	if (error) {
		return error;
	}
	if (words) {
		memset(packer->last_words + packer->last_count, 0,
			words * sizeof(*packer->last_words));
	}
	packer->last_at[packer->operation_count] = (uint32_t)packer->last_count;
	packer->last_count += words;
	packer->operations[packer->operation_count++] = operation;
	return 0;
}

static void forget_operations(struct sm_trace_packer *packer)
{
	for (size_t i = packer->operation_count; i--;) {
		packer->table[slot_of(packer, packer->operations[i])] = 0; /* newest first */
	}
	packer->operation_count = packer->last_count = 0;
}

static int find_operation(struct sm_trace_packer *packer, uint32_t operation, uint32_t *ret_place)
{
	size_t slot = slot_of(packer, operation);
	if (!packer->table[slot]) {
		int error = add_operation(packer, operation);
		if (error) {
			return error;
		}
		packer->table[slot] = (uint32_t)packer->operation_count;
	}
	*ret_place = packer->table[slot] - 1;
	return 0;
}

/* --- the columns --- */

static void put_number(struct column *sizes, struct column *numbers, size_t place, uint64_t number)
{
	unsigned code = number < 1 << 8 ? 0 : number < 1 << 16 ? 1 : number < 1ULL << 32 ? 2 : 3;
	if (place % 4 == 0) {
		sizes->bytes[sizes->count++] = 0;
	}
	sizes->bytes[sizes->count - 1] |= (unsigned char)(code << (place % 4 * 2));
	memcpy(numbers->bytes + numbers->count, &number, sizeof(number));
	numbers->count += (size_t)1 << code;
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static void put_words(struct sm_trace_packer *packer, const struct sm_trace_columns *columns,
	size_t row, uint32_t place, size_t *word)
{
	uint32_t count = packer->operations[place] >> 10;
	if (!count) {
		return;
	}
	uint64_t *last = packer->last_words + packer->last_at[place];
	const uint64_t *words = columns->words + columns->payload_at[row];
	for (uint32_t i = 0; i < count; i++, ++*word) {
		put_number(&packer->columns[SM_TRACE_COLUMN_WORD_SIZES],
			&packer->columns[SM_TRACE_COLUMN_WORDS], *word, zigzag(words[i] - last[i]));
		last[i] = words[i];
	}
}

static int reserve_all(struct sm_trace_packer *packer, const struct sm_trace_columns *columns)
{
	size_t rows = columns->count, words = columns->word_count;
	const size_t bytes[SM_TRACE_COLUMN_COUNT] = {
		[SM_TRACE_COLUMN_DICTIONARY] = rows * 4,
		[SM_TRACE_COLUMN_OPERATIONS] = rows,
		[SM_TRACE_COLUMN_OPERATIONS_HIGH] = rows,
		[SM_TRACE_COLUMN_TIME_SIZES] = rows / 4 + 1,
		[SM_TRACE_COLUMN_TIMES] = rows * 8 + 8,
		[SM_TRACE_COLUMN_WORD_SIZES] = words / 4 + 1,
		[SM_TRACE_COLUMN_WORDS] = words * 8 + 8,
	};
	for (int i = 0; i < SM_TRACE_COLUMN_COUNT; i++) {
		packer->columns[i].count = 0;
		int error = reserve(&packer->columns[i], bytes[i]);
		if (error) {
			return error;
		}
	}
	return 0;
}

/* Payload words lie one behind the other, so a row's payload ends where the next one's begins. */
static int fill_columns(struct sm_trace_packer *packer, const struct sm_trace_columns *columns)
{
	unsigned char *low = packer->columns[SM_TRACE_COLUMN_OPERATIONS].bytes;
	unsigned char *high = packer->columns[SM_TRACE_COLUMN_OPERATIONS_HIGH].bytes;
	int64_t last_ns = columns->time_ns[0];
	size_t word = 0, next_payload = 0;
	for (size_t row = 0; row < columns->count; row++) {
		size_t end = 0;
		if (columns->kind[row] == SM_RING_PAYLOAD) {
			next_payload = next_payload > row ? next_payload : row + 1;
			while (next_payload < columns->count &&
				columns->kind[next_payload] != SM_RING_PAYLOAD) {
				next_payload++;
			}
			end = next_payload < columns->count ? columns->payload_at[next_payload]
							    : columns->word_count;
		}
		uint32_t place;
		int error = find_operation(packer, operation_of(columns, row, end), &place);
		if (error) {
			return error;
		}
		low[row] = (unsigned char)place;
		high[row] = (unsigned char)(place >> 8);
		put_number(&packer->columns[SM_TRACE_COLUMN_TIME_SIZES],
			&packer->columns[SM_TRACE_COLUMN_TIMES], row,
			(uint64_t)columns->time_ns[row] - (uint64_t)last_ns);
		last_ns = columns->time_ns[row];
		if (columns->kind[row] == SM_RING_PAYLOAD) {
			put_words(packer, columns, row, place, &word);
		}
	}
	struct column *dictionary = &packer->columns[SM_TRACE_COLUMN_DICTIONARY];
	dictionary->count = packer->operation_count * sizeof(*packer->operations);
	memcpy(dictionary->bytes, packer->operations, dictionary->count);
	packer->columns[SM_TRACE_COLUMN_OPERATIONS].count = columns->count;
	packer->columns[SM_TRACE_COLUMN_OPERATIONS_HIGH].count =
		packer->operation_count > 256 ? columns->count : 0;
	return 0;
}

/* --- the body --- */

static int add_column(struct sm_trace_packer *packer, const struct column *column,
	struct sm_trace_column_size *ret_size)
{
	struct column *body = &packer->body;
	size_t bound = ZSTD_compressBound(column->count), stored = column->count;
	int error = reserve(body, body->count + bound + column->count);
	if (error) {
		return error;
	}
	bool smaller = false;
	if (column->count >= WORTH_COMPRESSING) {
		stored = ZSTD_compress2(packer->zstd, body->bytes + body->count, bound,
			column->bytes, column->count);
		smaller = !ZSTD_isError(stored) && stored < column->count - column->count / 16;
	}
	if (!smaller) {
		stored = column->count;
		memcpy(body->bytes + body->count, column->bytes, stored);
	}
	body->count += stored;
	*ret_size = (struct sm_trace_column_size){(uint32_t)column->count, (uint32_t)stored};
	return 0;
}

static int build_body(struct sm_trace_packer *packer, struct sm_trace_packed *packed)
{
	packer->body.count = sizeof(*packed);
	int error = reserve(&packer->body, sizeof(*packed));
	for (int i = 0; !error && i < SM_TRACE_COLUMN_COUNT; i++) {
		error = add_column(packer, &packer->columns[i], &packed->columns[i]);
	}
	if (!error) {
		memcpy(packer->body.bytes, packed, sizeof(*packed));
	}
	return error;
}

int sm_trace_packer_encode(struct sm_trace_packer *packer, const struct sm_trace_columns *columns,
	const struct sm_trace_raw *segment, struct sm_trace_block *block, const void **ret_body,
	size_t *ret_bytes)
{
	assert(columns->count && columns->count <= SM_TRACE_BLOCK_EVENTS_MAX);
	struct sm_trace_packed packed = {
		.sequence = segment->sequence,
		.begin_bytes = segment->begin_bytes,
		.end_bytes = segment->end_bytes,
		.word_count = (uint32_t)columns->word_count,
	};
	int error = reserve_all(packer, columns);
	error = error ? error : fill_columns(packer, columns);
	forget_operations(packer);
	error = error ? error : build_body(packer, &packed);
	if (error) {
		return error;
	}
	size_t plain = sizeof(packed);
	for (int i = 0; i < SM_TRACE_COLUMN_COUNT; i++) {
		plain += packed.columns[i].plain;
	}
	if (plain > SM_TRACE_BLOCK_BYTES_MAX) {
		return -SM_ERR_LIMIT;
	}
	block->codec = SM_TRACE_PACKED;
	block->plain_bytes = (uint32_t)plain;
	block->count = columns->count;
	block->first_ns = columns->time_ns[0];
	block->last_ns = columns->time_ns[columns->count - 1];
	*ret_body = packer->body.bytes;
	*ret_bytes = packer->body.count;
	return 0;
}
