/* What earlier versions wrote is read as it was written. */
#include "trace_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>

static void must_have(const struct sm_str *text, const char *line)
{
	if (!strstr(sm_str_text(text), line)) {
		fail_msg("no line \"%s\"", line);
	}
}

/* Written by run_make of the version that made it; what it held is spelled out here. */
static struct trace_listing *read_old(const char *path)
{
	struct trace_listing *listing = trace_listing_read(path);
	assert_int_equal(listing->code, 0);
	assert_false(listing->out_of_order);
	assert_false(listing->unknown_name);
	assert_int_equal(listing->summary.blocks_damaged, 0);
	assert_int_equal(listing->summary.events, 54);
	assert_int_equal(listing->summary.events_lost, 7);
	must_have(&listing->words, "run level=detailed\n");
	must_have(&listing->words, "process 0 pid 100 ppid 0 rank 0 from 1 to 35000000 complete 1");
	must_have(&listing->words, "kind 0 role 2 train\n");
	must_have(&listing->words, "sample 10000000 30/101 0.0040000000000000001\n");
	must_have(&listing->words, "loss 1 7 from 32000000 to 32000000\n");
	must_have(&listing->words, "note gpu: no library of the driver\n");
	must_have(&listing->events,
		"0/100 1000000 0 2\n0/100 1000000 3 64 0\n0/100 1000000 3 66 0\n"
		"0/100 5000000 1 0\n");
	must_have(&listing->events, "1/101 broken\n1/101 32000000 3 5 7\n1/101 33000000 1 0\n");
	return listing;
}

static void test_1_0_packed(void **state)
{
	trace_listing_free(read_old(OLD_FOLDER "/format-1.0-packed.stall"));
}

static void test_1_0_raw(void **state)
{
	trace_listing_free(read_old(OLD_FOLDER "/format-1.0-raw.stall"));
}

/* With alerts. */
static void test_1_1_packed(void **state)
{
	struct trace_listing *listing = read_old(OLD_FOLDER "/format-1.1-packed.stall");
	must_have(&listing->words, "begin 1\n");
	must_have(&listing->words, "alert 12000000 memory begins 0.8125 over 0.80000000000000004\n"
				   "alert 28000000 memory ends 0.5 over 0.80000000000000004\n");
	trace_listing_free(listing);
}

/* With Python stacks. */
static void test_1_2_packed(void **state)
{
	struct trace_listing *listing = read_old(OLD_FOLDER "/format-1.2-packed.stall");
	must_have(&listing->words, "function 1 Pictures.__getitem__ /job/data.py:20\n");
	must_have(&listing->words, "place 2 from 1 function 2 line 2292\n");
	must_have(&listing->words, "thread 1 101/101 pt_data_worker\n");
	must_have(&listing->words, "look 11000000 thread 1 place 2 state 65 looks 1 cpu 800\n"
				   "look 11500000 thread 0 place 3 state 5 looks 4 cpu 0\n");
	trace_listing_free(listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_1_0_packed),
		cmocka_unit_test(test_1_0_raw),
		cmocka_unit_test(test_1_1_packed),
		cmocka_unit_test(test_1_2_packed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
