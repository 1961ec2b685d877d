/* The one door to the heap. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void the_nth_request_fails_and_only_that(void **state)
{
	for (int n = 1; n < 5; n++) {
		sm_mem_fail_at(n);
		for (int request = 1; request < 8; request++) {
			void *memory = sm_mem_alloc(8);
			assert_int_equal(memory == NULL, request == n);
			sm_mem_free(memory);
		}
	}
}

static void every_kind_of_request_can_fail(void **state)
{
	char *old = sm_mem_strdup("kept");
	sm_mem_fail_at(1);
	assert_null(sm_mem_calloc(1, 1));
	sm_mem_fail_at(1);
	assert_null(sm_mem_realloc(old, 100));
	sm_mem_fail_at(1);
	assert_null(sm_mem_strdup("x"));
	sm_mem_fail_at(1);
	assert_null(sm_mem_map(4096));
	assert_string_equal(old, "kept");
	sm_mem_free(old);
}

static void requests_are_counted(void **state)
{
	int64_t before = sm_mem_count();
	sm_mem_free(sm_mem_alloc(1));
	sm_mem_free(sm_mem_strdup("two"));
	assert_int_equal(sm_mem_count() - before, 2);
}

static void nothing_asked_for_is_still_a_pointer(void **state)
{
	void *memory = sm_mem_alloc(0);
	assert_non_null(memory);
	sm_mem_free(memory);
	sm_mem_free(NULL);
}

static void pages_are_zero_and_writable(void **state)
{
	char *pages = sm_mem_map(8192);
	assert_non_null(pages);
	assert_int_equal(pages[8191], 0);
	pages[8191] = 1;
	sm_mem_unmap(pages, 8192);
	sm_mem_unmap(NULL, 8192);
}

static void arrays_grow_and_keep_what_they_hold(void **state)
{
	uint32_t *items = NULL;
	size_t capacity = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(sm_mem_grow(&items, &capacity, i + 1, sizeof(*items)), 0);
		assert_true(capacity > i);
		items[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(items[i], i);
	}
	sm_mem_free(items);
}

static void a_refused_growth_changes_nothing(void **state)
{
	uint32_t *items = NULL;
	size_t capacity = 0;
	assert_int_equal(sm_mem_grow(&items, &capacity, 16, sizeof(*items)), 0);
	uint32_t *before = items;
	sm_mem_fail_at(1);
	assert_int_equal(sm_mem_grow(&items, &capacity, 17, sizeof(*items)), -ENOMEM);
	assert_int_equal(sm_mem_grow(&items, &capacity, SIZE_MAX / 2, sizeof(*items)), -ENOMEM);
	assert_ptr_equal(items, before);
	assert_int_equal(capacity, 16);
	sm_mem_free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nth_request_fails_and_only_that),
		cmocka_unit_test(every_kind_of_request_can_fail),
		cmocka_unit_test(requests_are_counted),
		cmocka_unit_test(nothing_asked_for_is_still_a_pointer),
		cmocka_unit_test(pages_are_zero_and_writable),
		cmocka_unit_test(arrays_grow_and_keep_what_they_hold),
		cmocka_unit_test(a_refused_growth_changes_nothing),
	};
	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
