/* Each event once, in its thread's order, whenever somebody looks. What is wanted is what the reader tells at the end. */
#include "little_collector.h"
#include "make/sm_make.h"
#include "stepped_job.h"
#include "trace_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include "trace/trace_follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-follow-XXXXXX";

struct follower {
	struct trace_listing listing;
	struct trace_listing_visit visit;
	struct sm_trace_follow *follow;
};

static void begin(struct follower *follower, const char *run)
{
	*follower = (struct follower){0};
	follower->visit = trace_listing_begin(&follower->listing);
	struct sm_error error;
	if (sm_trace_follow_open(&follower->follow, run, &follower->visit.visitor, &error)) {
		fail_msg("%s", error.msg);
	}
}

static void take_all(struct follower *follower)
{
	int got;
	while ((got = sm_trace_follow_more(follower->follow, 3000)) == 1) {
	}
	assert_int_equal(got, 0);
}

/* As the reader says it when all is over; and in the order of time of each thread, with names that were told before. */
static void end(struct follower *follower, const char *run)
{
	struct trace_listing *whole = trace_listing_read(run);
	assert_int_equal(whole->code, 0);
	assert_false(follower->listing.out_of_order);
	assert_false(follower->listing.unknown_name);
	char *got = stepped_job_sorted(&follower->listing.events);
	char *wanted = stepped_job_sorted(&whole->events);
	assert_true(strlen(wanted) > 1000);
	if (strcmp(got, wanted)) {
		fail_msg("%zu bytes of events instead of %zu", strlen(got), strlen(wanted));
	}
	assert_int_equal(sm_trace_follow_summary(follower->follow)->events, whole->summary.events);
	free(got);
	free(wanted);
	trace_listing_free(whole);
	sm_trace_follow_close(follower->follow);
	trace_listing_end(&follower->visit);
	sm_str_finish(&follower->listing.words);
	sm_str_finish(&follower->listing.events);
}

/* The collector drains at every `drain`-th look, and only what is full. */
static void follow_a_job(const char *name, int steps, int drain)
{
	struct stepped_job_place place = stepped_job_place(folder, name);
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	struct follower follower;
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	begin(&follower, place.run);
	for (int i = 0; i < 60; i++) {
		stepped_job_go_on(&job, steps);
		if (i % drain == 0) {
			assert_int_equal(
				little_collector_drain(&collector, SM_RING_DRAIN_SEALED), 0);
		}
		take_all(&follower);
		/* what the job has done so far is told, fetched by the collector or not */
		assert_int_equal(sm_trace_follow_summary(follower.follow)->events,
			job.done * 4 + job.done / 50);
	}
	sm_make_ring_finish(job.ring, true);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	little_collector_kill(&collector);
	unlink(place.ring);
	take_all(&follower);
	end(&follower, place.run);
}

static void test_a_slow_job_is_told_from_its_mapping(void **state)
{
	follow_a_job("slow", 1, 1);
}

static void test_a_quick_job_is_told_from_file_and_mapping(void **state)
{
	follow_a_job("quick", 37, 1);
}

static void test_a_collector_that_comes_seldom(void **state)
{
	follow_a_job("seldom", 5, 7);
}

/* Somebody who comes late reads the file in slices before he looks into the mapping. */
static void test_joining_late(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "late");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	struct follower follower;
	int slices = 0, got;
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	for (int i = 0; i < 20; i++) {
		stepped_job_go_on(&job, 20);
		assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_SEALED), 0);
	}
	begin(&follower, place.run);
	while ((got = sm_trace_follow_more(follower.follow, 1000)) == 1) {
		slices++;
		uint64_t total, done = sm_trace_follow_done(follower.follow, &total);
		assert_true(done < total);
	}
	assert_int_equal(got, 0);
	assert_true(slices > 10);
	assert_int_equal(
		sm_trace_follow_summary(follower.follow)->events, job.done * 4 + job.done / 50);
	little_collector_kill(&collector);
	sm_make_ring_finish(job.ring, false);
	end(&follower, place.run);
}

/* The collector is killed between its write and giving the slot back: file and mapping both have it, for ever. */
static void test_what_both_have_is_told_once(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "both");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	struct follower follower;
	stepped_job_go_on(&job, 100);
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	begin(&follower, place.run);
	collector.stop_after = 3;
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_SEALED), -EINTR);
	take_all(&follower);
	take_all(&follower);
	little_collector_kill(&collector);
	stepped_job_go_on(&job, 30);
	take_all(&follower);
	sm_make_ring_finish(job.ring, false);
	end(&follower, place.run);
}

/* A block comes in pieces: nothing of it is told, and nothing is taken for damage, until the last byte is there. */
static void test_a_block_that_is_half_there(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "pieces");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	struct follower follower;
	static char bytes[1 << 20];
	stepped_job_go_on(&job, 60);
	sm_make_ring_finish(job.ring, false);
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	little_collector_kill(&collector);
	unlink(place.ring);
	FILE *file = fopen(place.stall, "r");
	size_t length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_int_equal(truncate(place.stall, 1000), 0);
	begin(&follower, place.run);
	file = fopen(place.stall, "r+");
	fseek(file, 1000, SEEK_SET);
	for (size_t at = 1000; at < length; at += 40) {
		fwrite(bytes + at, 1, length - at < 40 ? length - at : 40, file);
		fflush(file);
		take_all(&follower);
	}
	fclose(file);
	assert_int_equal(sm_trace_follow_summary(follower.follow)->blocks_damaged, 0);
	end(&follower, place.run);
}

static void test_a_folder_that_is_none(void **state)
{
	struct sm_trace_visitor nobody = {0};
	struct sm_trace_follow *follow;
	struct sm_error error;
	assert_int_equal(sm_trace_follow_open(&follow, "/nowhere", &nobody, &error), -ENOENT);
	assert_string_equal(error.msg, "No such file or directory");
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[160];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_slow_job_is_told_from_its_mapping),
		cmocka_unit_test(test_a_quick_job_is_told_from_file_and_mapping),
		cmocka_unit_test(test_a_collector_that_comes_seldom),
		cmocka_unit_test(test_joining_late),
		cmocka_unit_test(test_what_both_have_is_told_once),
		cmocka_unit_test(test_a_block_that_is_half_there),
		cmocka_unit_test(test_a_folder_that_is_none),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
