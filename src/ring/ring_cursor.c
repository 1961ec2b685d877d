/* Words into events: completes the cut times, follows THREAD and SYNC payloads, and turns ticks
 * into nanoseconds.
 *
 * A short word holds the low 20 bits of its time, a long one 40. The writer only makes a word short
 * when less than 2^20 units passed since the word before, so its time is the next one forward with
 * these low bits. A long word is taken as the nearest, forward or backward: two processors'
 * counters, or a segment header stamped between an event's clock and its store, can put it a little
 * before what we know. Such a step back is then flattened: time never runs backward.
 *
 * Nothing here trusts the words. Sums wrap instead of overflowing and products are clamped, so that
 * garbage gives garbage times, not undefined behaviour. */
#include "ring/ring_reader.h"

#include <math.h>
#include <string.h>

enum {
	SHORT_BITS = 20,
	SHORT_MASK = (1 << SHORT_BITS) - 1,
	LONG_BITS = 40,
	TICK_SHIFT_MAX = 16,
	STRIDE = 32, /* short words passed at once */
};

static uint32_t load32(const unsigned char *at)
{
	uint32_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

static uint64_t load64(const unsigned char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

static double rate_between(const struct sm_ring_instant *from, uint64_t ticks, int64_t mono_ns)
{
	if (ticks <= from->ticks || mono_ns <= from->mono_ns) {
		return NAN;
	}
	return ((double)mono_ns - (double)from->mono_ns) / (double)(ticks - from->ticks);
}

double sm_ring_cursor_rate(
	const struct sm_ring_header *header, const struct sm_ring_segment *segment)
{
	if (header->clock_kind == SM_RING_CLOCK_MONOTONIC) {
		return 1.0;
	}
	const struct sm_ring_instant *opened = &header->opened;
	double rate = rate_between(opened, header->latest.ticks, header->latest.mono_ns);
	if (isnan(rate) && segment) {
		rate = rate_between(opened, segment->ticks, segment->mono_ns);
	}
	return isnan(rate) ? 1.0 : rate;
}

void sm_ring_cursor_init_rate(struct sm_ring_cursor *cursor, uint32_t tick_shift,
	double ns_per_tick, const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	uint32_t shift = tick_shift < TICK_SHIFT_MAX ? tick_shift : TICK_SHIFT_MAX;
	*cursor = (struct sm_ring_cursor){
		.at = words,
		.end = (const unsigned char *)words + bytes,
		.units = segment->ticks >> shift,
		.tick_shift = shift,
		.base_mono_ns = segment->mono_ns,
		.base_ticks = segment->ticks,
		.ns_per_tick = ns_per_tick > 0 ? ns_per_tick : 1,
		.tid = segment->tid,
	};
}

void sm_ring_cursor_init(struct sm_ring_cursor *cursor, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	sm_ring_cursor_init_rate(cursor, header->tick_shift, sm_ring_cursor_rate(header, segment),
		segment, words, bytes);
}

static uint64_t complete_long(uint64_t units, uint64_t word)
{
	int64_t step = (int64_t)(((word >> (64 - LONG_BITS)) - units) << (64 - LONG_BITS)) >>
		       (64 - LONG_BITS);
	return step > 0 ? units + (uint64_t)step : units;
}

/* Far from where sums wrap. */
static bool is_near(const struct sm_ring_cursor *cursor, uint64_t ticks)
{
	int64_t distance = (int64_t)(ticks - cursor->base_ticks);
	return distance > -(INT64_MAX / 2) && distance < INT64_MAX / 2;
}

/* What a payload says about the words that follow it. */
static void follow(struct sm_ring_cursor *cursor, const struct sm_ring_word *word)
{
	if (!word->payload_words) {
		return;
	}
	uint64_t value = load64(word->payload);
	if (word->name == SM_RING_THREAD) {
		cursor->tid = (uint32_t)value;
	} else if (word->name == SM_RING_SYNC && is_near(cursor, value)) {
		int64_t ahead = (int64_t)(value - (cursor->units << cursor->tick_shift));
		cursor->units += ahead > 0 ? (uint64_t)ahead >> cursor->tick_shift : 0;
	}
}

static int next_long(struct sm_ring_cursor *cursor, struct sm_ring_word *ret_word)
{
	if (cursor->end - cursor->at < 8) {
		return -SM_ERR_FORMAT;
	}
	uint64_t bits = load64(cursor->at);
	uint32_t name = bits >> 3 & (SM_RING_NAMES_MAX - 1);
	*ret_word = (struct sm_ring_word){.kind = bits >> 1 & 3, .name = name};
	size_t bytes = 8;
	if (ret_word->kind == SM_RING_PAYLOAD) {
		ret_word->name = name & 0xff;
		ret_word->payload_words = name >> 8;
		ret_word->payload = cursor->at + 8;
		bytes += (size_t)ret_word->payload_words * 8;
	} else if (ret_word->kind == SM_RING_END) {
		ret_word->name = 0;
	}
	if ((size_t)(cursor->end - cursor->at) < bytes) {
		return -SM_ERR_FORMAT;
	}
	cursor->units = complete_long(cursor->units, bits);
	if (!is_near(cursor, cursor->units << cursor->tick_shift)) {
		return -SM_ERR_FORMAT; /* centuries from its segment's stamp */
	}
	cursor->at += bytes;
	if (ret_word->kind == SM_RING_PAYLOAD) {
		follow(cursor, ret_word);
	}
	ret_word->time_ns = sm_ring_cursor_ns(cursor, cursor->units);
	return 1;
}

int sm_ring_cursor_next(struct sm_ring_cursor *cursor, struct sm_ring_word *ret_word)
{
	if (cursor->end - cursor->at < 4) {
		return 0;
	}
	uint32_t bits = load32(cursor->at);
	if (!bits) {
		return 0;
	}
	if (bits & 1) {
		return next_long(cursor, ret_word);
	}
	cursor->at += 4;
	cursor->units += ((bits >> 12) - cursor->units) & SHORT_MASK;
	bool ends = bits >> 1 & 1;
	*ret_word = (struct sm_ring_word){
		.time_ns = sm_ring_cursor_ns(cursor, cursor->units),
		.kind = ends ? SM_RING_END : SM_RING_BEGIN,
		.name = ends ? 0 : bits >> 2 & (SM_RING_SHORT_NAMES - 1),
	};
	return 1;
}

static bool pass_one_short(struct sm_ring_cursor *cursor)
{
	uint32_t bits = cursor->end - cursor->at >= 4 ? load32(cursor->at) : 0;
	if (!bits || (bits & 1)) {
		return false;
	}
	cursor->at += 4;
	cursor->units += ((bits >> 12) - cursor->units) & SHORT_MASK;
	return true;
}

typedef uint32_t four_words __attribute__((vector_size(16)));
typedef int32_t four_signed __attribute__((vector_size(16)));

static four_words load_four(const unsigned char *at)
{
	four_words words;
	memcpy(&words, at, sizeof(words));
	return words;
}

/* Whether the next STRIDE words are short, and how often their time began anew from zero. The word
 * before them is short, so no word has to wait for the one before it, and four are looked at at
 * once. */
static bool are_short(const unsigned char *at, uint32_t *ret_laps)
{
	four_words others = {0}, laps = {0};
	for (int i = 0; i < STRIDE; i += 4) {
		four_words before = load_four(at + 4 * i - 4), bits = load_four(at + 4 * i);
		others |= (bits & 1) | (four_words)(bits == 0);
		laps -= (four_words)((four_signed)(bits >> 12) < (four_signed)(before >> 12));
	}
	*ret_laps = laps[0] + laps[1] + laps[2] + laps[3];
	return !(others[0] | others[1] | others[2] | others[3]);
}

static void pass_strides(struct sm_ring_cursor *cursor)
{
	uint32_t laps;
	while (cursor->end - cursor->at >= 4 * STRIDE && are_short(cursor->at, &laps)) {
		cursor->at += 4 * STRIDE;
		uint64_t low_bits = load32(cursor->at - 4) >> 12;
		cursor->units = (cursor->units & ~(uint64_t)SHORT_MASK) +
				((uint64_t)laps << SHORT_BITS) + low_bits;
	}
}

size_t sm_ring_cursor_pass_short(struct sm_ring_cursor *cursor)
{
	const unsigned char *from = cursor->at;
	if (pass_one_short(cursor)) {
		pass_strides(cursor);
	}
	while (pass_one_short(cursor)) {
	}
	return (size_t)(cursor->at - from) / 4;
}

void sm_ring_cursor_skip(const struct sm_ring_header *header, struct sm_ring_segment *segment,
	const unsigned char **words, size_t *bytes, size_t known)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	known = known < *bytes ? known : *bytes;
	if (!known) {
		return;
	}
	sm_ring_cursor_init(&cursor, header, segment, *words, known);
	do {
		sm_ring_cursor_pass_short(&cursor);
	} while (sm_ring_cursor_next(&cursor, &word) > 0);
	segment->ticks = cursor.units << cursor.tick_shift;
	segment->mono_ns = sm_ring_cursor_ns(&cursor, cursor.units);
	segment->tid = cursor.tid;
	segment->reserved += (uint32_t)known;
	*words += known;
	*bytes -= known;
}
