/* A hash map of numbers, against the plainest map there is: an array. */
#include "base/map.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>

static void an_empty_map_knows_nothing(void **state)
{
	struct sm_map map = SM_MAP_EMPTY;
	assert_false(sm_map_find(&map, 0, NULL));
	sm_map_finish(&map);
}

static void what_is_set_is_found_and_set_again_is_replaced(void **state)
{
	struct sm_map map = SM_MAP_EMPTY;
	uint64_t value = 0;
	const uint64_t keys[] = {0, 1, 64, UINT64_MAX, UINT64_C(1) << 63};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(sm_map_set(&map, keys[i], i), 0);
		assert_int_equal(sm_map_set(&map, keys[i], i + 10), 0);
		assert_true(sm_map_find(&map, keys[i], &value));
		assert_int_equal(value, i + 10);
	}
	assert_int_equal(map.count, 5);
	assert_false(sm_map_find(&map, 2, NULL));
	sm_map_finish(&map);
}

static void ten_thousand_keys_agree_with_an_array(void **state)
{
	enum { KEYS = 10000 };
	static uint64_t mirror[KEYS];
	struct sm_map map = SM_MAP_EMPTY;
	uint64_t chance = 1;
	for (int i = 0; i < 4 * KEYS; i++) {
		chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
		uint64_t key = (chance >> 33) % KEYS;
		mirror[key] = chance | 1;
		assert_int_equal(sm_map_set(&map, key << 20, chance | 1), 0);
	}
	for (uint64_t key = 0; key < KEYS; key++) {
		uint64_t value = 0;
		assert_int_equal(sm_map_find(&map, key << 20, &value), mirror[key] != 0);
		assert_int_equal(value, mirror[key]);
	}
	sm_map_finish(&map);
}

static void a_refused_growth_loses_nothing(void **state)
{
	struct sm_map map = SM_MAP_EMPTY;
	uint64_t key = 0, value = 0;
	sm_mem_fail_at(1);
	assert_int_equal(sm_map_set(&map, 1, 1), -ENOMEM);
	while (sm_map_set(&map, key, key + 1) == 0) {
		key++;
		sm_mem_fail_at(key % 48 == 0);
		assert_in_range(key, 0, 1000);
	}
	for (uint64_t known = 0; known < key; known++) {
		assert_true(sm_map_find(&map, known, &value));
		assert_int_equal(value, known + 1);
	}
	sm_mem_fail_at(0);
	assert_int_equal(sm_map_set(&map, key, 5), 0);
	sm_map_finish(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_knows_nothing),
		cmocka_unit_test(what_is_set_is_found_and_set_again_is_replaced),
		cmocka_unit_test(ten_thousand_keys_agree_with_an_array),
		cmocka_unit_test(a_refused_growth_loses_nothing),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
