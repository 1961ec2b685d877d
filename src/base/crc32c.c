/* The checksum of the reflected polynomial 0x82f63b78, eight bytes at a time: by the instruction
 * x86 has for just this polynomial where the processor knows it, else by tables of the "slicing by
 * 8" kind that are computed on first use.
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
__attribute__((target("sse4.2"))) static uint32_t add_by_instruction(
	uint32_t crc, const unsigned char *at, size_t length)
{
	uint64_t wide = crc;
	for (; length >= 8; at += 8, length -= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
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
