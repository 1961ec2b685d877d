/* Nothing lost and nothing twice, wherever the collector was killed. */
#include "little_collector.h"
#include "make/sm_make.h"
#include "stepped_job.h"
#include "trace_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-salvage-XXXXXX";

static char *wanted; /* events of the whole job */

static struct trace_listing *check(const struct stepped_job_place *place)
{
	struct trace_listing *listing = trace_listing_read(place->run);
	if (listing->code) {
		fail_msg("%s", listing->error.msg);
	}
	assert_false(listing->out_of_order);
	assert_false(listing->unknown_name);
	char *got = stepped_job_sorted(&listing->events);
	if (strcmp(got, wanted)) {
		fail_msg("%zu bytes of events instead of %zu", strlen(got), strlen(wanted));
	}
	free(got);
	return listing;
}

enum { STEPS = 400 };

static void test_a_mapping_alone_is_a_run(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "alone");
	struct stepped_job job = stepped_job_begin(place.ring);
	stepped_job_go_on(&job, STEPS);
	sm_make_ring_finish(job.ring, false);
	struct trace_listing *listing = trace_listing_read(place.run);
	assert_int_equal(listing->code, 0);
	assert_int_equal(listing->summary.events, STEPS * 4 + STEPS / 50);
	assert_false(listing->summary.complete);
	assert_int_equal(listing->summary.files, 0);
	wanted = stepped_job_sorted(&listing->events);
	trace_listing_free(listing);
}

static void test_a_live_directory_may_be_elsewhere(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "elsewhere");
	char path[160], ring[160];
	snprintf(path, sizeof(path), "%s/live.path", place.run);
	FILE *file = fopen(path, "w");
	fprintf(file, "%s/far-away\n", folder);
	fclose(file);
	snprintf(path, sizeof(path), "%s/far-away", folder);
	mkdir(path, 0700);
	snprintf(ring, sizeof(ring), "%s/far-away/abc.ring", folder);
	struct stepped_job job = stepped_job_begin(ring);
	stepped_job_go_on(&job, STEPS);
	sm_make_ring_finish(job.ring, false);
	trace_listing_free(check(&place));
}

/* Killed after having written the n-th segment, before giving its slot back; at every n. */
static void test_killed_between_writing_and_giving_back(void **state)
{
	int n = 1;
	for (bool more = true; more; n++) {
		char name[32];
		struct little_collector collector;
		snprintf(name, sizeof(name), "between%d", n);
		struct stepped_job_place place = stepped_job_place(folder, name);
		struct stepped_job job = stepped_job_begin(place.ring);
		stepped_job_go_on(&job, STEPS / 2);
		assert_int_equal(
			little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
		collector.stop_after = n;
		more = little_collector_drain(&collector, SM_RING_DRAIN_SEALED) == -EINTR;
		little_collector_kill(&collector);
		stepped_job_go_on(&job, STEPS / 2);
		sm_make_ring_finish(job.ring, n % 2);
		struct trace_listing *listing = check(&place);
		assert_non_null(strstr(sm_str_text(&listing->words), "pid 100"));
		trace_listing_free(listing);
	}
	assert_true(n > 10);
}

/* An open slot was half drained (somebody looked, or the collector had to end), then went on. */
static void test_half_drained_slots(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "half");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	for (int i = 0; i < 20; i++) {
		stepped_job_go_on(&job, STEPS / 25);
		assert_int_equal(little_collector_drain(&collector,
					 i % 3 ? SM_RING_DRAIN_ALL : SM_RING_DRAIN_SEALED),
			0);
	}
	little_collector_kill(&collector);
	stepped_job_go_on(&job, STEPS / 5);
	sm_make_ring_finish(job.ring, false);
	trace_listing_free(check(&place));
}

/* Finished and packed while the process went on: PACKED blocks know their segments, too. */
static void test_a_packed_file_and_a_mapping_that_went_on(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "packed");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	stepped_job_go_on(&job, STEPS / 3);
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, false, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	little_collector_kill(&collector);
	assert_int_equal(sm_trace_writer_pack(place.stall, NULL), 0);
	stepped_job_go_on(&job, STEPS - job.done);
	sm_make_ring_finish(job.ring, true);
	struct trace_listing *listing = check(&place);
	assert_false(listing->summary.complete);
	trace_listing_free(listing);
}

static void test_an_emptied_mapping_adds_nothing(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "emptied");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	stepped_job_go_on(&job, STEPS);
	sm_make_ring_finish(job.ring, true);
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, true, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	little_collector_kill(&collector);
	struct trace_listing *listing = check(&place);
	assert_true(listing->summary.complete);
	trace_listing_free(listing);
}

/* The last block of the file is cut at every eighth byte; its segment is still in the mapping. */
static void test_a_torn_file_and_its_mapping(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "torn");
	struct stepped_job job = stepped_job_begin(place.ring);
	struct little_collector collector;
	stepped_job_go_on(&job, STEPS);
	sm_make_ring_finish(job.ring, false);
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, false, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_SEALED), 0);
	uint64_t bytes = sm_trace_writer_bytes(collector.writer);
	little_collector_kill(&collector);
	for (uint64_t cut = bytes; cut > bytes - 1200; cut -= 8) {
		assert_int_equal(truncate(place.stall, (off_t)cut), 0);
		trace_listing_free(check(&place));
	}
}

/* Events the process itself had no room for: said by its mapping's header. */
static void test_what_the_mapping_lost_is_told(void **state)
{
	struct stepped_job_place place = stepped_job_place(folder, "lost");
	struct sm_make_options options = {.pid = 100, .unique = "abc", .opened_ns = 5};
	struct sm_make_process *ring = sm_make_ring_create(place.ring, &options);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 100);
	sm_make_begin(thread, 10, SM_ROLE_OPERATION, "a");
	sm_make_lost(thread, 20, 7);
	sm_make_end(thread, 30);
	sm_make_ring_finish(ring, false);
	struct little_collector collector;
	assert_int_equal(little_collector_open(&collector, place.ring, place.stall, false, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	little_collector_kill(&collector);
	FILE *file = fopen(place.ring, "r+");
	uint64_t lost = 12; /* five more since, and no word could be stored any more */
	fseek(file, offsetof(struct sm_ring_header, w_lost_events), SEEK_SET);
	fwrite(&lost, sizeof(lost), 1, file);
	fclose(file);
	struct trace_listing *listing = trace_listing_read(place.run);
	assert_int_equal(listing->code, 0);
	assert_int_equal(listing->summary.events_lost, 12);
	assert_int_equal(listing->told_lost, 12);
	trace_listing_free(listing);
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[160];
	free(wanted);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mapping_alone_is_a_run),
		cmocka_unit_test(test_a_live_directory_may_be_elsewhere),
		cmocka_unit_test(test_killed_between_writing_and_giving_back),
		cmocka_unit_test(test_half_drained_slots),
		cmocka_unit_test(test_a_packed_file_and_a_mapping_that_went_on),
		cmocka_unit_test(test_an_emptied_mapping_adds_nothing),
		cmocka_unit_test(test_a_torn_file_and_its_mapping),
		cmocka_unit_test(test_what_the_mapping_lost_is_told),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
