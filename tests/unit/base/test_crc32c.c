/* Both ways to the same checksum, against the published check value and each other. The file is
 * included, not linked, so that the tables are tested on machines that have the instruction. */
#include "base/crc32c.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_value_is_the_published_one(void **state)
{
	const unsigned char digits[] = "123456789";
	assert_int_equal(sm_crc32c_add(0, digits, 9), 0xe3069283);
	assert_int_equal(~add_by_tables(~0u, digits, 9), 0xe3069283);
}

static void tables_and_instruction_agree(void **state)
{
	unsigned char bytes[257];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(i * 167 + 13);
	}
	for (size_t from = 0; from < 9; from++) {
		for (size_t length = 0; length + from <= sizeof(bytes); length++) {
			uint32_t expected = ~add_by_tables(~0u, bytes + from, length);
			assert_int_equal(sm_crc32c_add(0, bytes + from, length), expected);
		}
	}
}

static void tables_and_lanes_agree(void **state)
{
	enum { MOST = 64 * 1024 + 8 };
	static unsigned char bytes[MOST];
	uint32_t random = 1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(random >> 24);
	}
	for (size_t length = 8000; length <= sizeof(bytes); length += length < 8400 ? 1 : 4093) {
		uint32_t expected = ~add_by_tables(~7u, bytes + length % 8, length - 8);
		assert_int_equal(sm_crc32c_add(7, bytes + length % 8, length - 8), expected);
	}
}

static void parts_make_the_whole(void **state)
{
	const char text[] = "a slot of words, sealed in two goes";
	uint32_t first = sm_crc32c_add(0, text, 10);
	assert_int_equal(sm_crc32c_add(first, text + 10, sizeof(text) - 10),
		sm_crc32c_add(0, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_value_is_the_published_one),
		cmocka_unit_test(tables_and_instruction_agree),
		cmocka_unit_test(tables_and_lanes_agree),
		cmocka_unit_test(parts_make_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
