/* Several files, one run: whose clock, whose processes, in which order. */
#include "trace/merge.h"

#include "make/sm_make.h"
#include "trace_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_another_host_is_shifted_by_the_wall_clocks(void **state)
{
	struct sm_merge merge = {0};
	bool other;
	const struct sm_trace_file_header first = {
		.started_real_ns = 1000000, .started_mono_ns = 400};
	const struct sm_trace_file_header later = {
		.started_real_ns = 1000700, .started_mono_ns = 50000};
	assert_int_equal(sm_merge_offset(&merge, &first, "a", &other), 0);
	assert_false(other);
	assert_int_equal(sm_merge_offset(&merge, &later, "a", &other), 0); /* the same clock */
	assert_false(other);
	/* its start was 700 behind ours, so its 50000 is our 1100 */
	assert_int_equal(sm_merge_offset(&merge, &later, "b", &other), 1100 - 50000);
	assert_true(other);
}

static void make_ranks(const char *folder, const char *last_boot)
{
	struct sm_make_run *run = sm_make_run_create(folder);
	for (int rank = 0; rank <= 10; rank++) {
		struct sm_make_process *process =
			sm_make_process_add(run, &(struct sm_make_options){.pid = 100 + rank,
							 .rank = rank,
							 .boot_id = rank == 10 ? last_boot : NULL});
		struct sm_make_thread *thread = sm_make_thread_add(process, 7);
		sm_make_begin(thread, 1000 + rank, SM_ROLE_OPERATION, "work");
		sm_make_end(thread, 2000 + rank);
	}
	sm_make_run_finish(run);
}

static char folder[] = "/tmp/sm-merge-XXXXXX";

static void test_ranks_are_read_in_order_and_told_apart(void **state)
{
	char path[64], line[64];
	snprintf(path, sizeof(path), "%s/ranks", folder);
	make_ranks(path, NULL);
	struct trace_listing *listing = trace_listing_read(path);
	assert_int_equal(listing->code, 0);
	assert_int_equal(listing->summary.files, 11);
	assert_true(listing->summary.complete);
	assert_null(strstr(sm_str_text(&listing->words), "note"));
	for (int rank = 0; rank <= 10; rank++) {
		snprintf(line, sizeof(line), "process %d pid %d ppid 0 rank %d ", rank, 100 + rank,
			rank);
		assert_non_null(strstr(sm_str_text(&listing->words), line));
		snprintf(line, sizeof(line), "%d/7 %d 0 1\n%d/7 %d 1 0\n", rank, 1000 + rank, rank,
			2000 + rank);
		assert_non_null(strstr(sm_str_text(&listing->events), line));
	}
	trace_listing_free(listing);
}

static void test_another_host_is_noted(void **state)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/hosts", folder);
	make_ranks(path, "11111111-0000-0000-0000-000000000000");
	struct trace_listing *listing = trace_listing_read(path);
	assert_int_equal(listing->code, 0);
	assert_non_null(strstr(sm_str_text(&listing->words),
		"note order between hosts: rank 10 ran on another host"));
	trace_listing_free(listing);
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_host_is_shifted_by_the_wall_clocks),
		cmocka_unit_test(test_ranks_are_read_in_order_and_told_apart),
		cmocka_unit_test(test_another_host_is_noted),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
