/* The checksum of the reflected polynomial 0x82f63b78, eight bytes at a time: by the instruction
 * x86 has for just this polynomial where the processor knows it, else by tables of the "slicing by
 * 8" kind that are computed on first use.
 *
 * The instruction takes one word a cycle but gives its result three cycles later, so a run of words
 * that each wait for the one before leaves it idle for two cycles of three. Many bytes are therefore
 * taken as three lanes side by side. The checksum is linear, and n bits behind a lane multiply what
 * it adds to the whole by x^n: so each lane's is multiplied by that, and they are added.
 *
 * The tables are filled by whoever comes first; two at once fill them with the same numbers, and
 * `tables_ready` is set behind them, so there is no lock that a fork could inherit held. */
#include "base/crc32c.h"

#include <string.h>

enum { SLICES = 8 };
static const uint32_t polynomial = 0x82f63b78;
static uint32_t tables[SLICES][256];
static int tables_ready;

static void set_entry(int slice, int byte, uint32_t value)
{
	__atomic_store_n(&tables[slice][byte], value, __ATOMIC_RELAXED);
}

static uint32_t entry(int slice, uint64_t byte)
{
	return __atomic_load_n(&tables[slice][byte & 0xff], __ATOMIC_RELAXED);
}

static void fill_tables(void)
{
	for (int byte = 0; byte < 256; byte++) {
		uint32_t crc = (uint32_t)byte;
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
		}
		set_entry(0, byte, crc);
	}
	for (int slice = 1; slice < SLICES; slice++) {
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = entry(slice - 1, (uint64_t)byte);
			set_entry(slice, byte, crc >> 8 ^ entry(0, crc));
		}
	}
	__atomic_store_n(&tables_ready, 1, __ATOMIC_RELEASE);
}

static uint32_t add_by_tables(uint32_t crc, const unsigned char *at, size_t length)
{
	if (!__atomic_load_n(&tables_ready, __ATOMIC_ACQUIRE)) {
		fill_tables();
	}
	for (; length >= 8; at += 8, length -= 8) {
		uint64_t word = crc;
		for (int i = 0; i < 8; i++) { /* little end first, whatever the machine */
			word ^= (uint64_t)at[i] << (8 * i);
		}
		crc = 0;
		for (int slice = 0; slice < SLICES; slice++) {
			crc ^= entry(slice, word >> (8 * (SLICES - 1 - slice)));
		}
	}
	for (; length; at++, length--) {
		crc = crc >> 8 ^ entry(0, crc ^ *at);
	}
	return crc;
}

#if defined(__x86_64__)
/* Eight rounds of three lanes are a full slot of a ring, but for its last bytes. */
enum { LANE_BYTES = 2712 };
/* x to the power of 8 * LANE_BYTES, and its square. The highest bit is x^0. */
static const uint32_t behind_one_lane = 0xcdcb9153;
static const uint32_t behind_two_lanes = 0x03223295;

/* The product of two polynomials modulo ours. */
static uint32_t times(uint32_t left, uint32_t right)
{
	uint32_t product = 0;
	for (int bit = 0; bit < 32; bit++) {
		product ^= left & -(right >> 31);
		right <<= 1;
		left = left >> 1 ^ (polynomial & -(left & 1));
	}
	return product;
}

static uint64_t word_at(const unsigned char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	return word;
}

__attribute__((target("sse4.2"))) static uint32_t add_lanes(uint32_t crc, const unsigned char *at)
{
	uint64_t first = crc, second = 0, third = 0;
	for (const unsigned char *end = at + LANE_BYTES; at < end; at += 8) {
		first = __builtin_ia32_crc32di(first, word_at(at));
		second = __builtin_ia32_crc32di(second, word_at(at + LANE_BYTES));
		third = __builtin_ia32_crc32di(third, word_at(at + (size_t)2 * LANE_BYTES));
	}
	return times(behind_two_lanes, (uint32_t)first) ^ times(behind_one_lane, (uint32_t)second) ^
	       (uint32_t)third;
}

__attribute__((target("sse4.2"))) static uint32_t add_by_instruction(
	uint32_t crc, const unsigned char *at, size_t length)
{
	const size_t lanes = (size_t)3 * LANE_BYTES;
	for (; length >= lanes; at += lanes, length -= lanes) {
		crc = add_lanes(crc, at);
	}
	uint64_t wide = crc;
	for (; length >= 8; at += 8, length -= 8) {
		wide = __builtin_ia32_crc32di(wide, word_at(at));
	}
	crc = (uint32_t)wide;
	for (; length; at++, length--) {
		crc = __builtin_ia32_crc32qi(crc, *at);
	}
	return crc;
}
#endif

uint32_t sm_crc32c_add(uint32_t crc, const void *bytes, size_t length)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2")) {
		return ~add_by_instruction(~crc, bytes, length);
	}
#endif
	return ~add_by_tables(~crc, bytes, length);
}
