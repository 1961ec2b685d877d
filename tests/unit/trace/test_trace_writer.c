/* A disk that fills up, a limit, no memory: at every point. */
#include "base/mem.h"
#include "little_collector.h"
#include "make/sm_make.h"
#include "trace/trace_output.h"
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-writer-XXXXXX";
static char ring_path[64], stall_path[64];

enum { SPANS = 2000, EVENTS = 2 * SPANS };

static int make_ring(void **state)
{
	if (!mkdtemp(folder)) {
		return -1;
	}
	snprintf(ring_path, sizeof(ring_path), "%s/job.ring", folder);
	snprintf(stall_path, sizeof(stall_path), "%s/job.stall", folder);
	struct sm_make_options options = {.pid = 100, .segment_bytes = 2048};
	struct sm_make_process *ring = sm_make_ring_create(ring_path, &options);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 100);
	for (int i = 0; i < SPANS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i / 100);
		sm_make_begin(thread, 10 + i * 100, SM_ROLE_OPERATION, name);
		sm_make_end(thread, 60 + i * 100);
	}
	sm_make_ring_finish(ring, true);
	return 0;
}

static int remove_folder(void **state)
{
	char command[160];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static uint64_t bytes_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

static struct trace_listing *read_back(void)
{
	struct trace_listing *listing = trace_listing_read(stall_path);
	if (listing->code) {
		fail_msg("%s", listing->error.msg);
	}
	assert_false(listing->out_of_order);
	assert_false(listing->unknown_name);
	assert_int_equal(listing->told_lost, listing->summary.events_lost);
	assert_int_equal(listing->summary.blocks_damaged, 0);
	return listing;
}

static void test_nothing_is_overwritten(void **state)
{
	struct sm_trace_writer *writer = NULL;
	struct sm_trace_writer_options options = {.run_id = "x"};
	struct sm_error error;
	assert_int_equal(sm_trace_writer_create(ring_path, &options, &writer, &error), -EEXIST);
	assert_null(writer);
	assert_int_equal(error.code, -EEXIST);
	sm_trace_writer_destroy(writer);
}

static uint64_t whole_bytes;

static void test_with_room_nothing_is_lost(void **state)
{
	struct little_collector collector;
	assert_int_equal(little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	assert_int_equal(sm_trace_writer_lost(collector.writer), 0);
	little_collector_kill(&collector);
	struct trace_listing *listing = read_back();
	assert_true(listing->summary.complete);
	assert_int_equal(listing->summary.events, EVENTS);
	trace_listing_free(listing);
	whole_bytes = bytes_of(stall_path);
	unlink(stall_path);
}

/* The disk is full after `room` bytes, and stays so. */
static void test_a_disk_full_for_good(void **state)
{
	for (uint64_t room = 64; room < whole_bytes; room += 61) {
		struct little_collector collector;
		sm_trace_output_fill_after((int64_t)room);
		assert_int_equal(
			little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
		assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
		int error = little_collector_finish(&collector);
		sm_trace_output_fill_after(-1);
		uint64_t lost = sm_trace_writer_lost(collector.writer);
		little_collector_kill(&collector);
		struct trace_listing *listing = read_back();
		assert_int_equal(error, -ENOSPC);
		assert_false(listing->summary.complete);
		assert_int_equal(listing->summary.events + lost, EVENTS);
		trace_listing_free(listing);
		unlink(stall_path);
	}
}

/* Full after `room` bytes, room again after the sixth of nine segments. */
static void test_a_disk_full_for_a_while(void **state)
{
	int with_loss = 0;
	for (uint64_t room = 64; room < whole_bytes; room += 97) {
		struct little_collector collector;
		sm_trace_output_fill_after((int64_t)room);
		assert_int_equal(
			little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
		collector.room_after = 6;
		assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
		sm_trace_output_fill_after(-1);
		assert_int_equal(little_collector_finish(&collector), 0);
		uint64_t lost = sm_trace_writer_lost(collector.writer);
		little_collector_kill(&collector);
		struct trace_listing *listing = read_back();
		assert_int_equal(listing->summary.events_lost, lost);
		assert_int_equal(listing->summary.events + lost, EVENTS);
		assert_int_equal(lost > 0, strstr(sm_str_text(&listing->events), "broken") != NULL);
		with_loss += lost > 0;
		trace_listing_free(listing);
		unlink(stall_path);
	}
	assert_true(with_loss > 50);
}

static void test_a_limit_is_kept_and_the_file_is_finished(void **state)
{
	for (uint64_t limit = 20000; limit < whole_bytes + 20000; limit += 777) {
		struct little_collector collector;
		assert_int_equal(
			little_collector_open(&collector, ring_path, stall_path, false, limit), 0);
		assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
		assert_int_equal(little_collector_finish(&collector), 0);
		uint64_t lost = sm_trace_writer_lost(collector.writer);
		little_collector_kill(&collector);
		assert_true(bytes_of(stall_path) <= limit);
		struct trace_listing *listing = read_back();
		assert_int_equal(listing->summary.events_lost, lost);
		assert_int_equal(listing->summary.events + lost, EVENTS);
		assert_int_equal(listing->summary.complete, lost == 0);
		trace_listing_free(listing);
		unlink(stall_path);
	}
}

static void test_a_limit_of_the_system_raises_no_signal(void **state)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	pid_t child = fork();
	if (!child) {
		struct little_collector collector;
		struct rlimit low = {.rlim_cur = 30000, .rlim_max = limit.rlim_max};
		setrlimit(RLIMIT_FSIZE, &low);
		int error = little_collector_open(&collector, ring_path, stall_path, false, 0);
		error = error ? error : little_collector_drain(&collector, SM_RING_DRAIN_ALL);
		error = error ? error : little_collector_finish(&collector);
		_exit(error ? 1 : 0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	struct trace_listing *listing = read_back();
	assert_int_equal(listing->summary.events + listing->summary.events_lost, EVENTS);
	assert_true(listing->summary.events_lost > 0);
	trace_listing_free(listing);
	unlink(stall_path);
}

static void test_memory_fails_while_writing(void **state)
{
	int finished = 0;
	for (int n = 1; finished < 3; n++) {
		struct little_collector collector;
		sm_mem_fail_at(n);
		int error = little_collector_open(&collector, ring_path, stall_path, false, 0);
		error = error ? error : little_collector_drain(&collector, SM_RING_DRAIN_ALL);
		error = error ? error : little_collector_finish(&collector);
		sm_mem_fail_at(0);
		assert_true(error == 0 || error == -ENOMEM);
		uint64_t lost = collector.writer ? sm_trace_writer_lost(collector.writer) : 0;
		little_collector_kill(&collector);
		if (!error) {
			struct trace_listing *listing = read_back();
			assert_int_equal(listing->summary.events_lost, lost);
			assert_int_equal(listing->summary.events + lost, EVENTS);
			finished += listing->summary.complete;
			trace_listing_free(listing);
		}
		unlink(stall_path);
		assert_in_range(n, 1, 400);
	}
}

/* Alerts are words: on a disk that is full for a while they wait, and none is lost. */
static void test_alerts_are_kept_until_there_is_room(void **state)
{
	struct little_collector collector;
	struct sm_trace_alert alert = {.kind = "io", .value = 0.5, .threshold = 0.25};
	assert_int_equal(little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
	sm_trace_output_fill_after(0);
	for (int i = 0; i < 3; i++) {
		alert.time_ns = 1000 + i;
		alert.begins = i != 1;
		assert_int_equal(sm_trace_writer_alert(collector.writer, &alert), 0);
	}
	sm_trace_output_fill_after(-1);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	little_collector_kill(&collector);
	struct trace_listing *listing = read_back();
	assert_non_null(strstr(sm_str_text(&listing->words),
		"alert 1000 io begins 0.5 over 0.25\nalert 1001 io ends 0.5 over 0.25\n"
		"alert 1002 io begins 0.5 over 0.25\n"));
	trace_listing_free(listing);
	unlink(stall_path);
}

static void test_lines_that_are_no_alert(void **state)
{
	static const char *const bad[] = {"", "kind=io\nstate=begin\nvalue=1\n",
		"kind=io\nstate=on\nvalue=1\nthreshold=1\n",
		"kind=\nstate=end\nvalue=1\nthreshold=1\n",
		"kind=io\nstate=end\nvalue=nan\nthreshold=1\n",
		"kind=io\nstate=end\nvalue=1x\nthreshold=1\n"};
	static const char good[] =
		"later=key\nkind=heat\nno line\nstate=end\nvalue=1\nthreshold=2\n";
	struct sm_trace_lines lines = SM_TRACE_LINES_EMPTY;
	struct sm_trace_alert alert;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(sm_trace_lines_begin(&lines, bad[i], strlen(bad[i])), 0);
		assert_false(sm_trace_alert_read(&alert, &lines));
	}
	assert_int_equal(sm_trace_lines_begin(&lines, good, strlen(good)), 0);
	assert_true(sm_trace_alert_read(&alert, &lines));
	assert_string_equal(alert.kind, "heat"); /* of a later version */
	assert_false(alert.begins);
	assert_true(alert.value == 1 && alert.threshold == 2);
	sm_trace_lines_finish(&lines);
}

static void write_whole(void)
{
	struct little_collector collector;
	assert_int_equal(little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
	for (int i = 0; i < 5000; i++) {
		sm_trace_writer_sample(collector.writer, i, 30, 100, i);
	}
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	assert_int_equal(little_collector_finish(&collector), 0);
	little_collector_kill(&collector);
}

static int count_events(void *context, const struct sm_trace_events *events)
{
	*(uint64_t *)context += events->count;
	return 0;
}

static int ignore_samples(void *context, const struct sm_trace_samples *samples)
{
	return 0;
}

static int ignore_names(void *context, uint32_t process, const struct sm_trace_name *name)
{
	return 0;
}

static void fail_reading(void)
{
	for (int n = 1, whole = 0; whole < 3; n++) {
		uint64_t events = 0;
		struct sm_error error;
		struct sm_trace_visitor visitor = {
			.context = &events,
			.events = count_events,
			.samples = ignore_samples,
			.name = ignore_names,
		};
		sm_mem_fail_at(n);
		int code = sm_trace_reader_visit(stall_path, &visitor, NULL, &error);
		sm_mem_fail_at(0);
		assert_true(code == 0 || code == -ENOMEM);
		assert_int_equal(code, error.code);
		assert_true(code || events == EVENTS);
		whole += !code;
		assert_in_range(n, 1, 400);
	}
}

/* Packing must leave the old file when it fails, by memory or by the disk. */
static void test_memory_fails_while_reading_and_packing(void **state)
{
	write_whole();
	fail_reading();
	int packed = 0;
	for (int n = 1; !packed; n++) {
		sm_mem_fail_at(n);
		int code = sm_trace_writer_pack(stall_path, NULL);
		sm_mem_fail_at(0);
		assert_true(code == 0 || code == -ENOMEM);
		struct trace_listing *listing = read_back();
		assert_true(listing->summary.complete);
		assert_int_equal(listing->summary.events, EVENTS);
		trace_listing_free(listing);
		packed = !code;
		assert_in_range(n, 1, 400);
	}
	fail_reading();
	unlink(stall_path);
}

static void test_a_full_disk_while_packing_leaves_the_old_file(void **state)
{
	write_whole();
	uint64_t before = bytes_of(stall_path);
	int code = -1;
	for (int64_t room = 0; code; room += 501) {
		char beside[80];
		sm_trace_output_fill_after(room);
		code = sm_trace_writer_pack(stall_path, NULL);
		sm_trace_output_fill_after(-1);
		snprintf(beside, sizeof(beside), "%s.packing", stall_path);
		assert_int_equal(access(beside, F_OK), -1);
		assert_true(code == 0 || code == -ENOSPC);
		assert_true(code == 0 || bytes_of(stall_path) == before);
	}
	assert_true(bytes_of(stall_path) < before);
	struct trace_listing *listing = read_back();
	assert_int_equal(listing->summary.events, EVENTS);
	trace_listing_free(listing);
	unlink(stall_path);
}

static void test_an_unfinished_file_is_not_packed(void **state)
{
	struct little_collector collector;
	assert_int_equal(little_collector_open(&collector, ring_path, stall_path, false, 0), 0);
	assert_int_equal(little_collector_drain(&collector, SM_RING_DRAIN_ALL), 0);
	little_collector_kill(&collector);
	assert_int_equal(sm_trace_writer_pack(stall_path, NULL), -SM_ERR_TORN);
	struct trace_listing *listing = read_back();
	assert_int_equal(listing->summary.events, EVENTS);
	trace_listing_free(listing);
	unlink(stall_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alerts_are_kept_until_there_is_room),
		cmocka_unit_test(test_lines_that_are_no_alert),
		cmocka_unit_test(test_nothing_is_overwritten),
		cmocka_unit_test(test_with_room_nothing_is_lost),
		cmocka_unit_test(test_a_disk_full_for_good),
		cmocka_unit_test(test_a_disk_full_for_a_while),
		cmocka_unit_test(test_a_limit_is_kept_and_the_file_is_finished),
		cmocka_unit_test(test_a_limit_of_the_system_raises_no_signal),
		cmocka_unit_test(test_memory_fails_while_writing),
		cmocka_unit_test(test_memory_fails_while_reading_and_packing),
		cmocka_unit_test(test_a_full_disk_while_packing_leaves_the_old_file),
		cmocka_unit_test(test_an_unfinished_file_is_not_packed),
	};
	return cmocka_run_group_tests(tests, make_ring, remove_folder);
}
