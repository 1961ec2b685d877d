/* 3.10 (PEP 626): pairs of bytes, how many bytes of instructions, and how many lines further they lie (-128: on none).
 *
 * 3.11 on (Objects/locations.md): entries of a head byte, 1 | kind:4 | units - 1:3, and what the kind asks for. A unit is
 * two bytes of instructions. Kinds 0 to 9 stay on the line, 10 to 12 go on by 0 to 2, 13 and 14 by a number that follows,
 * 15 has no line. Numbers are of 6 bits a byte, lowest first, bit 6 goes on; signed ones have their sign lowest. */
#include "collect/stacks_lines.h"

#include <stdbool.h>

enum { NO_LINE = -128, UNIT_BYTES = 2, KIND_ONE_LINE = 10, KIND_NO_COLUMNS = 13, KIND_NONE = 15 };

static uint32_t as_line(int64_t line)
{
	return line > 0 && line < INT32_MAX ? (uint32_t)line : 0;
}

static uint32_t find_in_pairs(
	const unsigned char *table, size_t bytes, uint32_t first_line, uint32_t offset)
{
	int64_t line = first_line;
	uint64_t end = 0;
	for (size_t i = 0; i + 1 < bytes; i += 2) {
		int step = (int8_t)table[i + 1];
		end += table[i];
		line += step == NO_LINE ? 0 : step;
		if (offset < end) {
			return step == NO_LINE ? 0 : as_line(line);
		}
	}
	return 0;
}

static bool take_signed(const unsigned char **at, const unsigned char *end, int64_t *ret_number)
{
	uint64_t number = 0;
	for (int shift = 0; *at < end && shift < 36; shift += 6) {
		unsigned char byte = *(*at)++;
		number |= (uint64_t)(byte & 63) << shift;
		if (!(byte & 64)) {
			*ret_number = number & 1 ? -(int64_t)(number >> 1) : (int64_t)(number >> 1);
			return true;
		}
	}
	return false;
}

static uint32_t find_in_entries(
	const unsigned char *table, size_t bytes, uint32_t first_line, uint32_t offset)
{
	const unsigned char *at = table, *end = table + bytes;
	int64_t line = first_line;
	uint64_t covered = 0;
	while (at < end && *at & 128) {
		int kind = *at >> 3 & 15;
		int64_t step = 0;
		covered += ((uint64_t)(*at++ & 7) + 1) * UNIT_BYTES;
		if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS) {
			step = kind - KIND_ONE_LINE;
		} else if (kind >= KIND_NO_COLUMNS && kind < KIND_NONE &&
			   !take_signed(&at, end, &step)) {
			return 0;
		}
		line += step;
		if (offset < covered) {
			return kind == KIND_NONE ? 0 : as_line(line);
		}
		while (at < end && !(*at & 128)) {
			at++; /* columns */
		}
	}
	return 0;
}

uint32_t sm_stacks_lines_find(
	int minor, const unsigned char *table, size_t bytes, uint32_t first_line, uint32_t offset)
{
	return minor < 11 ? find_in_pairs(table, bytes, first_line, offset)
			  : find_in_entries(table, bytes, first_line, offset);
}
