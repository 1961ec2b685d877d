/* The reverse of trace_packer.c, and the inner loop of every report.
 *
 * All sizes are checked before the first row is decoded: the column of sizes says how long the column of numbers must
 * be, the dictionary how long a payload is. So the loops over rows need no check, and they read up to 7 bytes behind a
 * number, which is what the slack behind each column is for. */
#include "trace/trace_unpacker.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

enum { DICTIONARY_MAX = SM_TRACE_BLOCK_EVENTS_MAX };

struct column {
	const unsigned char *bytes; /* borrowed: from the body, or from `plain` */
	size_t count;
	unsigned char *plain; /* owned */
	size_t capacity;
};

struct sm_trace_unpacker {
	ZSTD_DCtx *zstd; /* owned */
	struct column columns[SM_TRACE_COLUMN_COUNT];
	uint32_t names[DICTIONARY_MAX]; /* of BEGIN and MARK the name, of PAYLOAD the type */
	uint8_t kinds[DICTIONARY_MAX];
	uint16_t word_counts[DICTIONARY_MAX];
	uint32_t last_at[DICTIONARY_MAX];
	uint64_t *last_words; /* owned */
	size_t last_capacity, operation_count;
	bool has_payloads;
	bool has_long_gaps;    /* times of 8 bytes, whose sums might wrap */
	size_t row, row_count; /* how far we are */
	size_t word, word_count;
	const unsigned char *times, *words;
	int64_t time_ns; /* of the row before */
};

int sm_trace_unpacker_create(struct sm_trace_unpacker **ret_unpacker)
{
	struct sm_trace_unpacker *unpacker = sm_mem_calloc(1, sizeof(*unpacker));
	if (!unpacker) {
		return -ENOMEM;
	}
	unpacker->zstd = ZSTD_createDCtx();
	if (!unpacker->zstd) {
		sm_trace_unpacker_destroy(unpacker);
		return -ENOMEM;
	}
	*ret_unpacker = unpacker;
	return 0;
}

void sm_trace_unpacker_destroy(struct sm_trace_unpacker *unpacker)
{
	if (!unpacker) {
		return;
	}
	ZSTD_freeDCtx(unpacker->zstd);
	for (int i = 0; i < SM_TRACE_COLUMN_COUNT; i++) {
		sm_mem_free(unpacker->columns[i].plain);
	}
	sm_mem_free(unpacker->last_words);
	sm_mem_free(unpacker);
}

/* --- a body's columns --- */

static int get_column(struct sm_trace_unpacker *unpacker, struct column *column,
	const struct sm_trace_column_size *size, const unsigned char *stored)
{
	column->count = size->plain;
	column->bytes = stored;
	if (size->stored == size->plain) {
		return 0;
	}
	int error = sm_mem_grow(&column->plain, &column->capacity,
		size->plain + (size_t)SM_TRACE_UNPACKER_SLACK, 1);
	if (error) {
		return error;
	}
	size_t got = ZSTD_decompressDCtx(
		unpacker->zstd, column->plain, size->plain, stored, size->stored);
	if (ZSTD_isError(got) || got != size->plain) {
		return -SM_ERR_FORMAT;
	}
	memset(column->plain + got, 0, SM_TRACE_UNPACKER_SLACK);
	column->bytes = column->plain;
	return 0;
}

static int get_columns(struct sm_trace_unpacker *unpacker, const struct sm_trace_block *block,
	const struct sm_trace_packed *packed, const unsigned char *body)
{
	size_t at = sizeof(*packed), plain = sizeof(*packed);
	for (int i = 0; i < SM_TRACE_COLUMN_COUNT; i++) {
		const struct sm_trace_column_size *size = &packed->columns[i];
		plain += size->plain;
		if (size->stored > block->stored_bytes - at || size->stored > size->plain ||
			plain > block->plain_bytes) {
			return -SM_ERR_FORMAT;
		}
		int error = get_column(unpacker, &unpacker->columns[i], size, body + at);
		if (error) {
			return error;
		}
		at += size->stored;
	}
	return at == block->stored_bytes ? 0 : -SM_ERR_FORMAT;
}

static int get_dictionary(struct sm_trace_unpacker *unpacker)
{
	const struct column *column = &unpacker->columns[SM_TRACE_COLUMN_DICTIONARY];
	size_t count = column->count / 4, words = 0;
	if (!count || count > DICTIONARY_MAX || column->count % 4) {
		return -SM_ERR_FORMAT;
	}
	unpacker->has_payloads = false;
	for (size_t i = 0; i < count; i++) {
		uint32_t operation;
		memcpy(&operation, column->bytes + 4 * i, sizeof(operation));
		bool is_payload = (operation & 3) == SM_RING_PAYLOAD;
		unpacker->kinds[i] = operation & 3;
		unpacker->names[i] = is_payload ? operation >> 2 & 0xff : operation >> 2;
		unpacker->word_counts[i] = is_payload ? operation >> 10 & 0x1fff : 0;
		unpacker->last_at[i] = (uint32_t)words;
		unpacker->has_payloads |= is_payload;
		words += unpacker->word_counts[i];
	}
	for (size_t i = count; i < 256; i++) { /* what no sound row uses */
		unpacker->kinds[i] = SM_RING_END;
		unpacker->names[i] = unpacker->word_counts[i] = 0;
	}
	if (words > unpacker->word_count) {
		return -SM_ERR_FORMAT; /* every entry is used once, or it would not be there */
	}
	unpacker->operation_count = count;
	int error = sm_mem_grow(&unpacker->last_words, &unpacker->last_capacity, words + 1,
		sizeof(*unpacker->last_words));
	if (!error) {
		memset(unpacker->last_words, 0, (words + 1) * sizeof(*unpacker->last_words));
	}
	return error;
}

/* Whether `sizes` are those of `count` numbers that fill `numbers`. */
static bool sizes_fit(const struct column *sizes, const struct column *numbers, size_t count)
{
	if (sizes->count != (count + 3) / 4) {
		return false;
	}
	size_t bytes = 0;
	for (size_t i = 0; i < count / 4; i++) {
		unsigned code = sizes->bytes[i];
		bytes += (1U << (code & 3)) + (1U << (code >> 2 & 3)) + (1U << (code >> 4 & 3)) +
			 (1U << (code >> 6));
	}
	for (size_t i = 0; i < count % 4; i++) {
		bytes += (size_t)1 << (sizes->bytes[count / 4] >> (2 * i) & 3);
	}
	return bytes == numbers->count;
}

static bool has_code_3(const struct column *sizes)
{
	unsigned any = 0;
	for (size_t i = 0; i < sizes->count; i++) {
		any |= sizes->bytes[i] & sizes->bytes[i] >> 1 & 0x55;
	}
	return any;
}

static bool columns_fit(const struct sm_trace_unpacker *unpacker)
{
	const struct column *columns = unpacker->columns;
	size_t high = unpacker->operation_count > 256 ? unpacker->row_count : 0;
	return columns[SM_TRACE_COLUMN_OPERATIONS].count == unpacker->row_count &&
	       columns[SM_TRACE_COLUMN_OPERATIONS_HIGH].count == high &&
	       sizes_fit(&columns[SM_TRACE_COLUMN_TIME_SIZES], &columns[SM_TRACE_COLUMN_TIMES],
		       unpacker->row_count) &&
	       sizes_fit(&columns[SM_TRACE_COLUMN_WORD_SIZES], &columns[SM_TRACE_COLUMN_WORDS],
		       unpacker->word_count);
}

int sm_trace_unpacker_begin(
	struct sm_trace_unpacker *unpacker, const struct sm_trace_block *block, const void *body)
{
	struct sm_trace_packed packed;
	unpacker->row = unpacker->row_count = 0;
	if (block->stored_bytes < sizeof(packed) || block->count > SM_TRACE_BLOCK_EVENTS_MAX ||
		block->first_ns < 0 || block->first_ns > INT64_MAX / 2) {
		return -SM_ERR_FORMAT;
	}
	memcpy(&packed, body, sizeof(packed));
	unpacker->word_count = packed.word_count;
	int error = get_columns(unpacker, block, &packed, body);
	error = error ? error : get_dictionary(unpacker);
	if (error) {
		return error;
	}
	unpacker->row_count = (size_t)block->count;
	if (!columns_fit(unpacker)) {
		unpacker->row_count = 0;
		return -SM_ERR_FORMAT;
	}
	unpacker->has_long_gaps = has_code_3(&unpacker->columns[SM_TRACE_COLUMN_TIME_SIZES]);
	unpacker->word = 0;
	unpacker->time_ns = block->first_ns;
	unpacker->times = unpacker->columns[SM_TRACE_COLUMN_TIMES].bytes;
	unpacker->words = unpacker->columns[SM_TRACE_COLUMN_WORDS].bytes;
	return 0;
}

/* --- rows --- */

static const uint64_t masks[4] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};

static uint64_t load(const unsigned char *at, unsigned code)
{
	uint64_t number;
	memcpy(&number, at, sizeof(number));
	return number & masks[code];
}

static void next_times(struct sm_trace_unpacker *unpacker, int64_t *times, size_t rows)
{
	const unsigned char *sizes =
		unpacker->columns[SM_TRACE_COLUMN_TIME_SIZES].bytes + unpacker->row / 4;
	const unsigned char *at = unpacker->times;
	uint64_t time = (uint64_t)unpacker->time_ns;
	for (size_t i = 0; i + 4 <= rows; i += 4) {
		unsigned code = *sizes++;
		unsigned a = code & 3, b = code >> 2 & 3, c = code >> 4 & 3, d = code >> 6;
		const unsigned char *second = at + (1U << a), *third = second + (1U << b),
				    *fourth = third + (1U << c);
		uint64_t one = load(at, a), two = one + load(second, b),
			 three = two + load(third, c), four = three + load(fourth, d);
		times[i] = (int64_t)(time + one);
		times[i + 1] = (int64_t)(time + two);
		times[i + 2] = (int64_t)(time + three);
		times[i + 3] = (int64_t)(time + four);
		time += four;
		at = fourth + (1U << d);
	}
	for (size_t i = rows & ~(size_t)3; i < rows; i++) {
		unsigned code = *sizes >> (i % 4 * 2) & 3;
		time += load(at, code);
		times[i] = (int64_t)time;
		at += 1U << code;
	}
	unpacker->times = at;
	unpacker->time_ns = (int64_t)time;
}

static bool is_in_order(int64_t before_ns, const int64_t *times, size_t rows)
{
	bool in_order = times[0] >= before_ns;
	for (size_t i = 1; i < rows; i++) {
		in_order &= times[i] >= times[i - 1];
	}
	return in_order;
}

static void next_operations(
	const struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t rows)
{
	const unsigned char *restrict low =
		unpacker->columns[SM_TRACE_COLUMN_OPERATIONS].bytes + unpacker->row;
	uint32_t *restrict name = columns->name;
	uint8_t *restrict kind = columns->kind;
	for (size_t i = 0; i < rows; i++) {
		name[i] = unpacker->names[low[i]];
		kind[i] = unpacker->kinds[low[i]];
	}
}

static size_t operation_at(const struct sm_trace_unpacker *unpacker, size_t row)
{
	size_t place = unpacker->columns[SM_TRACE_COLUMN_OPERATIONS].bytes[row];
	if (unpacker->operation_count > 256) {
		place |= (size_t)unpacker->columns[SM_TRACE_COLUMN_OPERATIONS_HIGH].bytes[row] << 8;
	}
	return place;
}

static int next_wide_operations(
	const struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		size_t place = operation_at(unpacker, unpacker->row + i);
		if (place >= unpacker->operation_count) {
			return -SM_ERR_FORMAT;
		}
		columns->name[i] = unpacker->names[place];
		columns->kind[i] = unpacker->kinds[place];
	}
	return 0;
}

static uint64_t unzigzag(uint64_t number)
{
	return number >> 1 ^ (0 - (number & 1));
}

static int next_payload(
	struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t row)
{
	size_t place = operation_at(unpacker, unpacker->row + row);
	size_t count = unpacker->word_counts[place];
	uint64_t *last = unpacker->last_words + unpacker->last_at[place];
	const unsigned char *sizes = unpacker->columns[SM_TRACE_COLUMN_WORD_SIZES].bytes;
	if (count > unpacker->word_count - unpacker->word) {
		return -SM_ERR_FORMAT;
	}
	int error = sm_trace_columns_reserve_words(columns, columns->word_count + count);
	if (error) {
		return error;
	}
	columns->payload_at[row] = (uint32_t)columns->word_count;
	for (size_t i = 0; i < count; i++, unpacker->word++) {
		unsigned code = sizes[unpacker->word / 4] >> (unpacker->word % 4 * 2) & 3;
		last[i] += unzigzag(load(unpacker->words, code));
		unpacker->words += 1U << code;
		columns->words[columns->word_count++] = last[i];
	}
	return 0;
}

static int next_payloads(
	struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t rows)
{
	for (size_t i = 0; i < rows; i++) {
		int error = columns->kind[i] == SM_RING_PAYLOAD ? next_payload(unpacker, columns, i)
								: 0;
		if (error) {
			return error;
		}
	}
	return 0;
}

int sm_trace_unpacker_next(
	struct sm_trace_unpacker *unpacker, struct sm_trace_columns *columns, size_t rows)
{
	assert(rows % 4 == 0);
	size_t left = unpacker->row_count - unpacker->row;
	size_t take = left < rows ? left : rows;
	int error = sm_trace_columns_reserve(columns, rows);
	columns->count = columns->word_count = 0;
	if (error || !take) {
		return error;
	}
	int64_t before_ns = unpacker->time_ns;
	next_times(unpacker, columns->time_ns, take);
	if (unpacker->has_long_gaps && !is_in_order(before_ns, columns->time_ns, take)) {
		error = -SM_ERR_FORMAT;
	}
	if (unpacker->operation_count <= 256) {
		next_operations(unpacker, columns, take);
	} else if (!error) {
		error = next_wide_operations(unpacker, columns, take);
	}
	if (!error && unpacker->has_payloads) {
		error = next_payloads(unpacker, columns, take);
	}
	if (error) {
		unpacker->row_count = unpacker->row;
		return error;
	}
	unpacker->row += take;
	columns->count = take;
	return 1;
}
