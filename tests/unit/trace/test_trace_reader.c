/* A run, written by the false clock and read back. */
#include "base/clock.h"
#include "make/sm_make.h"
#include "trace/trace_writer.h"
#include "trace_listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-trace-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][160];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* A small job: a main process with a loader, a worker, counters, a loss, a short thread in another's slot. */
static void make_small_job(const char *name, bool packs)
{
	struct sm_make_run *run = sm_make_run_create(in_folder(name));
	sm_make_run_fact(run, "level", "detailed");
	struct sm_make_process *job =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 100, .opened_ns = 500});
	struct sm_make_process *worker = sm_make_process_add(
		run, &(struct sm_make_options){
			     .pid = 101, .ppid = 100, .segment_bytes = 512, .opened_ns = 900});
	struct sm_make_thread *main = sm_make_thread_add(job, 100);
	struct sm_make_thread *fetch = sm_make_thread_add(worker, 101);
	sm_make_fact(job, "loader\nordinal=0\nname=train");
	for (int i = 0; i < 60; i++) {
		int64_t at = 1000 + i * 100000;
		sm_make_begin(main, at, SM_ROLE_NEXT, "next");
		sm_make_arg(main, SM_KEY_TASK, i);
		sm_make_end(main, at + 50000);
		sm_make_begin(fetch, at + 10, SM_ROLE_BATCH, "batch");
		struct sm_ring_cause cause = {
			.cpu_ns = 100 + (uint64_t)i, .thread_cpu_ns = 1000000 + 99 * (uint64_t)i};
		sm_make_end_cause(fetch, at + 40000, &cause);
		sm_make_sample(run, at, SM_METRIC_PROC_CPU, 100, 0.25 * i);
		sm_make_sample(run, at, SM_METRIC_MEM_AVAILABLE, 0, 1e9 - i * 4096);
	}
	sm_make_adopt(main, 7000000, 102, "pin thread");
	sm_make_mark(main, 7000001, SM_ROLE_ARRIVE, "arrive");
	sm_make_counter(main, 7000002, "loss\0nats", 0.5);
	sm_make_lost(fetch, 7000003, 12);
	sm_make_end(fetch, 7000004);
	sm_make_run_note(run, "gpu", "no library of\nthe driver");
	sm_make_process_ended(job, 8000000, 0, true);
	sm_make_process_ended(worker, 7500000, 0, true);
	if (packs) {
		sm_make_run_pack(run);
	}
	sm_make_run_finish(run);
}

static void must_read(const struct trace_listing *listing)
{
	if (listing->code) {
		fail_msg("%d: %s", listing->code, listing->error.msg);
	}
	assert_false(listing->out_of_order);
	assert_false(listing->unknown_name);
	assert_int_equal(listing->told_lost, listing->summary.events_lost);
	assert_int_equal(listing->told_events, listing->summary.events);
	assert_false(listing->words.failed || listing->events.failed);
}

static void must_have(const struct sm_str *text, const char *line)
{
	if (!strstr(sm_str_text(text), line)) {
		fail_msg("no line \"%s\"", line);
	}
}

static void test_a_run_reads_back_as_it_was_made(void **state)
{
	make_small_job("small", false);
	struct trace_listing *listing = trace_listing_read(in_folder("small"));
	must_read(listing);
	must_have(&listing->words, "run level=detailed\n");
	must_have(&listing->words,
		"process 0 pid 100 ppid 0 rank 0 from 500 to -1 complete 0 python train.py\n");
	must_have(&listing->words,
		"process 1 pid 101 ppid 100 rank 0 from 900 to 7500000 complete 1");
	must_have(&listing->words, "kind 4 role 0 loader\nordinal=0\nname=train\n");
	must_have(&listing->words, "role 2 next\n");
	must_have(&listing->words, "sample 5901000 30/100 14.75\n");
	must_have(&listing->words, "note gpu: no library of the driver\n");
	must_have(&listing->words, "loss 1 12 from 7000003 to 7000003\n");
	must_have(&listing->events, "0/100 5901000 3 66 3b\n"); /* task 59 */
	must_have(&listing->events, "0/100 5951000 1 0\n");
	must_have(&listing->events, "0/102 7000000 3 3 ");
	must_have(&listing->events, "0/102 7000002 3 2 5 3fe0000000000000\n");
	must_have(&listing->events, "1/101 broken\n1/101 7000003 3 5 c\n1/101 7000004 1 0\n");
	assert_int_equal(listing->summary.events, 60 * 3 + 60 * 3 + 3 + 2);
	assert_int_equal(listing->summary.events_lost, 12);
	assert_int_equal(listing->summary.files, 1);
	assert_false(listing->summary.complete); /* something was lost */
	trace_listing_free(listing);
}

static void test_both_codings_say_the_same(void **state)
{
	make_small_job("packed", true);
	struct trace_listing *raw = trace_listing_read(in_folder("small"));
	struct trace_listing *packed = trace_listing_read(in_folder("packed"));
	must_read(packed);
	assert_string_equal(sm_str_text(&raw->words), sm_str_text(&packed->words));
	assert_string_equal(sm_str_text(&raw->events), sm_str_text(&packed->events));
	assert_true(packed->summary.bytes < raw->summary.bytes);
	trace_listing_free(raw);
	trace_listing_free(packed);
}

static void test_one_file_is_enough(void **state)
{
	struct trace_listing *run = trace_listing_read(in_folder("small"));
	struct trace_listing *file = trace_listing_read(in_folder("small/rank0.stall"));
	must_read(file);
	assert_string_equal(sm_str_text(&run->events), sm_str_text(&file->events));
	trace_listing_free(run);
	trace_listing_free(file);
}

static void test_a_visitor_may_stop(void **state)
{
	struct trace_listing *listing = calloc(1, sizeof(*listing));
	listing->stop_after = 2;
	trace_listing_read_into(listing, in_folder("small"));
	assert_int_equal(listing->code, 7);
	assert_int_equal(listing->error.code, 7);
	trace_listing_free(listing);
}

/* --- chance --- */

static uint64_t seed;

static uint64_t chance(uint64_t below)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (seed >> 33) % below;
}

static int64_t some_gap(void)
{
	static const int64_t gaps[] = {1, 200, 300, 70000, 2000000, 5000000000, 0};
	int64_t gap = gaps[chance(7)];
	return gap ? (int64_t)chance((uint64_t)gap) : 0;
}

static void make_one_event(struct sm_make_thread *thread, int64_t at, int names)
{
	char name[16];
	snprintf(name, sizeof(name), "n%d", (int)chance((uint64_t)names));
	switch (chance(12)) {
	case 0:
		sm_make_arg(thread, (enum sm_key)chance(13), (int64_t)chance(1 << 20) - 500000);
		break;
	case 1:
		sm_make_mark(thread, at, SM_ROLE_PUT, name);
		break;
	case 2:
		sm_make_counter(thread, at, name, (double)chance(1000) / 7);
		break;
	case 3: {
		uint64_t words[5];
		for (int i = 0; i < 5; i++) {
			words[i] = chance(2) ? chance(1 << 30) << chance(34) : 0;
		}
		sm_make_payload(thread, at, 40, words, (uint32_t)chance(6));
		break;
	}
	case 4:
		sm_make_sync(thread, at);
		break;
	case 5:
		if (chance(20) == 0) {
			sm_make_lost(thread, at, chance(100));
		}
		break;
	case 6:
		if (chance(20) == 0) {
			sm_make_adopt(thread, at, 1000 + (uint32_t)chance(5), NULL);
		}
		break;
	case 7:
	case 8:
	case 9:
		sm_make_begin(thread, at, SM_ROLE_OPERATION, name);
		break;
	default:
		sm_make_end(thread, at);
	}
}

static void make_by_chance(const char *name, uint64_t from, bool packs, int names, int events)
{
	seed = from;
	struct sm_make_run *run = sm_make_run_create(in_folder(name));
	struct sm_make_options options = {
		.pid = 100, .tick_shift = (uint32_t)chance(3), .ns_per_tick = chance(2) ? 0.37 : 0};
	struct sm_make_process *process = sm_make_process_add(run, &options);
	struct sm_make_thread *threads[3];
	for (uint32_t i = 0; i < 3; i++) {
		threads[i] = sm_make_thread_add(process, 100 + i);
	}
	int64_t at = 1000;
	for (int i = 0; i < events; i++) {
		at += some_gap();
		make_one_event(threads[chance(3)], at, names);
	}
	if (packs) {
		sm_make_run_pack(run);
	}
	sm_make_run_finish(run);
}

static void test_codings_agree_on_whatever_chance_makes(void **state)
{
	for (uint64_t i = 1; i <= 12; i++) {
		char raw_name[32], packed_name[32];
		snprintf(raw_name, sizeof(raw_name), "raw%d", (int)i);
		snprintf(packed_name, sizeof(packed_name), "packed%d", (int)i);
		int names =
			i % 3 ? 40 : 1500; /* more than a byte, more than a short word can name */
		make_by_chance(raw_name, i, false, names, 20000);
		make_by_chance(packed_name, i, true, names, 20000);
		struct trace_listing *raw = trace_listing_read(in_folder(raw_name));
		struct trace_listing *packed = trace_listing_read(in_folder(packed_name));
		must_read(raw);
		must_read(packed);
		assert_true(raw->events.length > 100000);
		assert_true(raw->events.length == packed->events.length &&
			    !memcmp(raw->events.text, packed->events.text, raw->events.length));
		assert_string_equal(sm_str_text(&raw->words), sm_str_text(&packed->words));
		trace_listing_free(raw);
		trace_listing_free(packed);
	}
}

/* --- files that are not as they should be --- */

static unsigned char *read_file(const char *path, size_t *ret_count)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	assert_true(fd >= 0 && !fstat(fd, &st));
	unsigned char *bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_count = (size_t)st.st_size;
	return bytes;
}

static void write_file(const char *path, const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

/* A file in memory: thousands of them are read below. */
static const char *in_memory(const void *bytes, size_t count)
{
	static char path[32];
	static int fd = -1;
	fd = fd < 0 ? memfd_create("trace", MFD_CLOEXEC) : fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bytes, count, 0), count);
	return path;
}

static void tear(const char *name)
{
	size_t count;
	char path[160];
	snprintf(path, sizeof(path), "%s/rank0.stall", in_folder(name));
	struct trace_listing *whole = trace_listing_read(path);
	unsigned char *bytes = read_file(path, &count);
	uint64_t before = 0;
	for (size_t length = 0; length < count; length++) {
		struct trace_listing *torn = trace_listing_read(in_memory(bytes, length));
		if (length < 64) {
			assert_int_equal(torn->code, length ? -SM_ERR_TORN : -SM_ERR_EMPTY);
		} else {
			must_read(torn);
			assert_true(torn->summary.events >= before);
			assert_int_equal(torn->summary.blocks_damaged, 0);
			assert_false(torn->summary.complete);
			assert_int_equal(strncmp(sm_str_text(&torn->events),
						 sm_str_text(&whole->events), torn->events.length),
				0);
			before = torn->summary.events;
		}
		trace_listing_free(torn);
	}
	assert_int_equal(before, whole->summary.events);
	trace_listing_free(whole);
	free(bytes);
}

static void test_a_file_torn_at_any_byte_gives_its_whole_blocks(void **state)
{
	tear("small");
	tear("packed");
}

static void flip(const char *name)
{
	size_t count;
	char path[160];
	snprintf(path, sizeof(path), "%s/rank0.stall", in_folder(name));
	struct trace_listing *whole = trace_listing_read(path);
	unsigned char *bytes = read_file(path, &count);
	for (size_t at = 0; at < count; at++) {
		bytes[at] ^= (unsigned char)(1 << at % 8);
		struct trace_listing *flipped = trace_listing_read(in_memory(bytes, count));
		bytes[at] ^= (unsigned char)(1 << at % 8);
		if (!flipped->code) {
			uint64_t counted = flipped->summary.events + flipped->summary.events_lost;
			assert_true(flipped->summary.events <= whole->summary.events);
			assert_true(counted <= whole->summary.events + 12);
			assert_false(flipped->out_of_order);
		} else {
			assert_true(at < 64);
		}
		trace_listing_free(flipped);
	}
	trace_listing_free(whole);
	free(bytes);
}

static void test_a_flipped_bit_costs_one_block_at_most(void **state)
{
	flip("small");
	flip("packed");
}

static void test_versions(void **state)
{
	size_t count;
	unsigned char *bytes = read_file(in_folder("small/rank0.stall"), &count);
	bytes[10] = 9; /* a later minor version */
	write_file(in_folder("minor.stall"), bytes, count);
	struct trace_listing *listing = trace_listing_read(in_folder("minor.stall"));
	must_read(listing);
	trace_listing_free(listing);
	bytes[8] = 2; /* a later major one */
	write_file(in_folder("major.stall"), bytes, count);
	listing = trace_listing_read(in_folder("major.stall"));
	assert_int_equal(listing->code, -SM_ERR_VERSION);
	assert_string_equal(listing->error.msg,
		"format 2.9; this program reads up to 1.x: use a newer stallmeter");
	trace_listing_free(listing);
	memset(bytes, 'x', 64);
	write_file(in_folder("foreign.stall"), bytes, count);
	listing = trace_listing_read(in_folder("foreign.stall"));
	assert_int_equal(listing->code, -SM_ERR_FORMAT);
	trace_listing_free(listing);
	free(bytes);
}

static void test_what_is_not_there(void **state)
{
	struct trace_listing *listing = trace_listing_read(in_folder("nowhere"));
	assert_int_equal(listing->code, -ENOENT);
	trace_listing_free(listing);
	mkdir(in_folder("hollow"), 0700);
	listing = trace_listing_read(in_folder("hollow"));
	assert_int_equal(listing->code, -SM_ERR_EMPTY);
	trace_listing_free(listing);
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
		cmocka_unit_test(test_a_run_reads_back_as_it_was_made),
		cmocka_unit_test(test_both_codings_say_the_same),
		cmocka_unit_test(test_one_file_is_enough),
		cmocka_unit_test(test_a_visitor_may_stop),
		cmocka_unit_test(test_codings_agree_on_whatever_chance_makes),
		cmocka_unit_test(test_a_file_torn_at_any_byte_gives_its_whole_blocks),
		cmocka_unit_test(test_a_flipped_bit_costs_one_block_at_most),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_what_is_not_there),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
