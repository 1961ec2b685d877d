/* Memory that is freed all at once. */
#include "base/arena.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	char *last = NULL;
	for (size_t bytes = 0; bytes < 300; bytes += 7) {
		char *piece = sm_arena_alloc(&arena, bytes);
		assert_non_null(piece);
		assert_int_equal((uintptr_t)piece % 16, 0);
		for (size_t i = 0; i < bytes; i++) {
			assert_int_equal(piece[i], 0);
		}
		memset(piece, 0xee, bytes);
		if (last) {
			assert_ptr_not_equal(last, piece);
		}
		last = bytes ? piece : last;
	}
	sm_arena_finish(&arena);
}

static void a_piece_may_be_larger_than_a_page(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	size_t bytes = 1 << 20;
	char *large = sm_arena_alloc(&arena, bytes);
	assert_non_null(large);
	large[0] = large[bytes - 1] = 1;
	assert_non_null(sm_arena_alloc(&arena, 8));
	assert_int_equal(large[bytes - 1], 1);
	sm_arena_finish(&arena);
}

static void an_absurd_size_is_refused(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	assert_null(sm_arena_alloc(&arena, SIZE_MAX));
	assert_null(sm_arena_alloc(&arena, SIZE_MAX - 8));
	sm_arena_finish(&arena);
}

static void texts_are_copied(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	assert_string_equal(sm_arena_strdup(&arena, "decode"), "decode");
	assert_string_equal(sm_arena_strndup(&arena, "decode", 3), "dec");
	assert_string_equal(sm_arena_strdup(&arena, ""), "");
	assert_string_equal(sm_arena_printf(&arena, "%s %d", "worker", 7), "worker 7");
	sm_arena_finish(&arena);
}

static void without_memory_it_says_so_and_stays_usable(void **state)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	sm_mem_fail_at(1);
	assert_null(sm_arena_strdup(&arena, "x"));
	sm_mem_fail_at(1);
	assert_null(sm_arena_printf(&arena, "%d", 1));
	assert_string_equal(sm_arena_strdup(&arena, "x"), "x");
	sm_arena_finish(&arena);
	sm_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_piece_may_be_larger_than_a_page),
		cmocka_unit_test(an_absurd_size_is_refused),
		cmocka_unit_test(texts_are_copied),
		cmocka_unit_test(without_memory_it_says_so_and_stays_usable),
	};
	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
