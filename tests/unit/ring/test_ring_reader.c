/* The reader of a mapping, against rings made with a false clock. */
#include "ring/ring_reader.h"

#include "base/mem.h"
#include "make/sm_make.h"
#include "ring/ring_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-ring-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* --- a sink that remembers --- */

struct seen_word {
	struct sm_ring_word word;
	uint32_t tid;
	uint64_t first_payload;
};

struct seen {
	struct seen_word words[8192];
	size_t count;
	int segments;
	uint64_t sequences[64];
	uint32_t from[64];
	bool known[SM_RING_SHORT_NAMES];
	char text[64][32];
	uint64_t names;
	bool unknown_used;
	int fail_at_segment; /* 1: the next; 0: never */
};

static int see_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct seen *seen = context;
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	if (seen->fail_at_segment && !--seen->fail_at_segment) {
		return -ENOSPC;
	}
	assert_int_equal(bytes, segment->w_length - segment->reserved);
	seen->sequences[seen->segments] = segment->sequence;
	seen->from[seen->segments++] = segment->reserved;
	sm_ring_cursor_init(&cursor, header, segment, words, bytes);
	while (sm_ring_cursor_next(&cursor, &word) > 0) {
		assert_in_range(seen->count, 0, 8191);
		struct seen_word *to = &seen->words[seen->count++];
		*to = (struct seen_word){.word = word, .tid = cursor.tid};
		if (word.payload_words) {
			memcpy(&to->first_payload, word.payload, 8);
		}
		if (word.kind == SM_RING_BEGIN || word.kind == SM_RING_MARK) {
			seen->unknown_used |= !seen->known[word.name];
		}
	}
	return 0;
}

static int see_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct seen *seen = context;
	const char *at = entries, *end = at + bytes;
	while (at < end) {
		struct sm_ring_name name;
		memcpy(&name, at, sizeof(name));
		assert_false(seen->known[name.id]);
		seen->known[name.id] = true;
		snprintf(seen->text[name.id], sizeof(seen->text[0]), "%.*s", name.length,
			at + sizeof(name));
		at += sizeof(name) + (name.length + 7) / 8 * 8;
		seen->names++;
		count--;
	}
	assert_int_equal(count, 0);
	return 0;
}

static struct sm_ring_sink sink_of(struct seen *seen)
{
	return (struct sm_ring_sink){.context = seen, .segment = see_segment, .names = see_names};
}

static struct seen *drain(struct sm_ring_reader *reader, enum sm_ring_drain what, struct seen *seen)
{
	struct sm_ring_sink sink = sink_of(seen);
	assert_int_equal(sm_ring_reader_drain(reader, what, &sink), 0);
	assert_false(seen->unknown_used);
	return seen;
}

static struct seen *fresh(void)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	assert_non_null(seen);
	return seen;
}

static struct sm_ring_reader open_ring(const char *name, bool take_back)
{
	struct sm_ring_reader reader;
	struct sm_error error;
	if (sm_ring_reader_open(&reader, in_folder(name), take_back, &error)) {
		fail_msg("%s", error.msg);
	}
	return reader;
}

/* --- what is delivered --- */

static void test_events_come_back_as_they_were_made(void **state)
{
	struct sm_make_process *ring = sm_make_ring_create(in_folder("plain"), NULL);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 7);
	sm_make_begin(thread, 1000, SM_ROLE_NEXT, "next");
	sm_make_arg(thread, SM_KEY_TASK, -3);
	sm_make_begin(thread, 1000, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 1000 + (1 << 20));
	sm_make_mark(thread, 5000000000, SM_ROLE_PUT, "put");
	sm_make_end(thread, 5000000001);
	sm_make_ring_finish(ring, false);

	struct sm_ring_reader reader = open_ring("plain", false);
	struct seen *seen = drain(&reader, SM_RING_DRAIN_SEALED, fresh());
	assert_int_equal(seen->count, 0);
	assert_int_equal(seen->names, 3);
	drain(&reader, SM_RING_DRAIN_ALL, seen);
	static const struct {
		int64_t time_ns;
		int kind;
	} want[] = {{1000, SM_RING_BEGIN}, {1000, SM_RING_PAYLOAD}, {1000, SM_RING_BEGIN},
		{1000 + (1 << 20), SM_RING_END}, {5000000000, SM_RING_MARK},
		{5000000001, SM_RING_END}};
	assert_int_equal(seen->count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(seen->words[i].word.time_ns, want[i].time_ns);
		assert_int_equal(seen->words[i].word.kind, want[i].kind);
		assert_int_equal(seen->words[i].tid, 7);
	}
	assert_int_equal((int64_t)seen->words[1].first_payload, -3);
	assert_int_equal(seen->words[1].word.name, SM_RING_ARG + SM_KEY_TASK);
	assert_string_equal(seen->text[seen->words[2].word.name], "inner");
	sm_ring_reader_close(&reader);
	free(seen);
}

static void test_an_open_slot_is_delivered_in_parts_and_never_twice(void **state)
{
	struct sm_make_process *ring = sm_make_ring_create(in_folder("parts"), NULL);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 7);
	struct sm_ring_reader reader = open_ring("parts", false);
	struct seen *seen = fresh();
	for (int i = 0; i < 50; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%d", i);
		sm_make_begin(thread, 100 + i * 1000000, SM_ROLE_OPERATION, name);
		if (i % 3 == 0) {
			sm_make_adopt(thread, 200 + i * 1000000, (uint32_t)(100 + i), NULL);
		}
		sm_make_ring_sync(ring);
		drain(&reader, SM_RING_DRAIN_ALL, seen);
	}
	assert_int_equal(seen->segments, 50);
	size_t at = 0;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(seen->words[at].word.time_ns, 100 + i * 1000000);
		assert_int_equal(seen->words[at++].tid, i ? 100 + (i - 1) / 3 * 3 : 7);
		at += i % 3 == 0;
	}
	assert_int_equal(seen->count, at);
	sm_make_ring_finish(ring, true);
	drain(&reader, SM_RING_DRAIN_SEALED, seen);
	assert_int_equal(seen->count, at);
	assert_int_equal(reader.header.w_closed, 1);
	sm_ring_reader_close(&reader);
	free(seen);
}

static void test_slots_are_given_back_and_used_again(void **state)
{
	struct sm_make_options small = {.segment_bytes = 512};
	struct sm_make_process *ring = sm_make_ring_create(in_folder("back"), &small);
	struct sm_make_thread *a = sm_make_thread_add(ring, 1), *b = sm_make_thread_add(ring, 2);
	struct sm_ring_reader reader = open_ring("back", true);
	struct seen *seen = fresh();
	for (int i = 0; i < 1000; i++) {
		sm_make_begin(a, 10 + i * 10, SM_ROLE_OPERATION, "a");
		sm_make_begin(b, 15 + i * 10, SM_ROLE_OPERATION, "b");
		if (i % 100 == 0) {
			drain(&reader, SM_RING_DRAIN_SEALED, seen);
		}
	}
	sm_make_ring_finish(ring, true);
	drain(&reader, SM_RING_DRAIN_ALL, seen);
	assert_int_equal(seen->count, 2000);
	assert_true(reader.header.w_segment_count < 12);
	for (int i = 1; i < seen->segments; i++) {
		assert_true(seen->sequences[i] > seen->sequences[i - 1]);
	}
	int64_t last[3] = {0};
	for (size_t i = 0; i < seen->count; i++) {
		assert_true(seen->words[i].word.time_ns > last[seen->words[i].tid]);
		last[seen->words[i].tid] = seen->words[i].word.time_ns;
	}
	sm_ring_reader_close(&reader);
	free(seen);
}

static void test_a_failing_sink_loses_nothing(void **state)
{
	struct sm_make_options small = {.segment_bytes = 512};
	struct sm_make_process *ring = sm_make_ring_create(in_folder("again"), &small);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 1);
	for (int i = 0; i < 1000; i++) {
		sm_make_begin(thread, 10 + i * 10, SM_ROLE_OPERATION, "a");
	}
	sm_make_ring_finish(ring, true);
	struct sm_ring_reader reader = open_ring("again", true);
	struct seen *seen = fresh();
	struct sm_ring_sink sink = sink_of(seen);
	for (int n = 1; n <= 3; n++) {
		seen->fail_at_segment = n;
		assert_int_equal(sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink), -ENOSPC);
	}
	drain(&reader, SM_RING_DRAIN_ALL, seen);
	assert_int_equal(seen->count, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(seen->words[i].word.time_ns, 10 + i * 10);
	}
	sm_ring_reader_close(&reader);
	free(seen);
}

static void test_names_are_known_before_they_are_used(void **state)
{
	struct sm_make_options small = {.segment_bytes = 512};
	struct sm_make_process *ring = sm_make_ring_create(in_folder("names"), &small);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 1);
	struct sm_ring_reader reader = open_ring("names", true);
	struct seen *seen = fresh();
	for (int i = 0; i < 60; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%.*s%d", i % 9, "abcdefghi", i);
		for (int k = 0; k < 40; k++) {
			sm_make_begin(thread, 10 + i * 100 + k, SM_ROLE_OPERATION, name);
		}
		if (i % 7 == 0) {
			drain(&reader, SM_RING_DRAIN_SEALED, seen);
		}
	}
	sm_make_ring_finish(ring, false);
	drain(&reader, SM_RING_DRAIN_ALL, seen);
	assert_int_equal(seen->names, 60);
	assert_int_equal(seen->count, 2400);
	assert_string_equal(seen->text[60], "abcde59");
	sm_ring_reader_close(&reader);
	free(seen);
}

static void test_a_time_stamp_counter_becomes_nanoseconds(void **state)
{
	struct sm_make_options tsc = {
		.ns_per_tick = 1 / 2.3, .tick_shift = 1, .segment_bytes = 512, .opened_ns = 1000};
	struct sm_make_process *ring = sm_make_ring_create(in_folder("tsc"), &tsc);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 1);
	for (int i = 0; i < 1000; i++) {
		sm_make_begin(thread, 2000 + i * 333333LL, SM_ROLE_OPERATION, "a");
	}
	sm_make_sync(thread, 3600000000000);
	sm_make_end(thread, 3600000000500);
	sm_make_ring_finish(ring, false);
	struct sm_ring_reader reader = open_ring("tsc", false);
	struct seen *seen = drain(&reader, SM_RING_DRAIN_ALL, fresh());
	assert_int_equal(seen->count, 1002);
	for (int i = 0; i < 1000; i++) {
		int64_t error = seen->words[i].word.time_ns - (2000 + i * 333333LL);
		assert_in_range(error + 3, 0, 5);
	}
	/* a third of a second's worth of ticks says an hour to some 1e-9 */
	assert_in_range(seen->words[1001].word.time_ns, 3599999995000, 3600000005000);
	sm_ring_reader_close(&reader);
	free(seen);
}

/* --- what is refused --- */

static void write_file(const char *name, const void *bytes, size_t count)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

static unsigned char *read_file(const char *name, size_t *ret_count)
{
	int fd = open(in_folder(name), O_RDONLY);
	struct stat st;
	assert_true(fd >= 0 && !fstat(fd, &st));
	unsigned char *bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_count = (size_t)st.st_size;
	return bytes;
}

static int try_open(const char *name)
{
	struct sm_ring_reader reader;
	struct sm_error error = {0};
	int code = sm_ring_reader_open(&reader, in_folder(name), false, &error);
	assert_int_equal(code, error.code);
	assert_true(!code || error.msg[0]);
	sm_ring_reader_close(&reader);
	return code;
}

static void test_foreign_files_are_refused(void **state)
{
	assert_int_equal(try_open("absent"), -ENOENT);
	assert_int_equal(try_open("."), -SM_ERR_FORMAT);
	write_file("empty", "", 0);
	assert_int_equal(try_open("empty"), -SM_ERR_EMPTY);
	char text[8192];
	memset(text, 'x', sizeof(text));
	write_file("text", text, sizeof(text));
	assert_int_equal(try_open("text"), -SM_ERR_FORMAT);
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_int_equal(try_open("fifo"), -SM_ERR_FORMAT);
}

static void test_headers_that_cannot_be_are_refused(void **state)
{
	sm_make_ring_finish(sm_make_ring_create(in_folder("header"), NULL), true);
	size_t count;
	unsigned char *bytes = read_file("header", &count);
	static const struct {
		size_t at;
		uint32_t value;
		int code;
	} cases[] = {
		{8, 2, -SM_ERR_VERSION}, {12, 0x04030201, -SM_ERR_FORMAT}, {16, 0, -SM_ERR_FORMAT},
		{16, 0xfffffff8, -SM_ERR_FORMAT}, {20, 8, -SM_ERR_FORMAT},
		{20, 65537, -SM_ERR_FORMAT}, {20, 0x80000000, -SM_ERR_FORMAT},
		{10, 7, -SM_ERR_FORMAT}, /* overwrites the minor version and the endian mark's half
					  */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char changed[4096];
		memcpy(changed, bytes, sizeof(changed));
		memcpy(changed + cases[i].at, &cases[i].value, 4);
		write_file("changed", changed, sizeof(changed));
		assert_int_equal(try_open("changed"), cases[i].code);
	}
	bytes[10] = 9; /* a later minor version is readable */
	write_file("minor", bytes, count);
	assert_int_equal(try_open("minor"), 0);
	free(bytes);
}

static void make_two_segments(const char *name)
{
	struct sm_make_options small = {.segment_bytes = 512};
	struct sm_make_process *ring = sm_make_ring_create(in_folder(name), &small);
	struct sm_make_thread *thread = sm_make_thread_add(ring, 1);
	for (int i = 0; i < 200; i++) {
		sm_make_begin(thread, 10 + i * 10, SM_ROLE_OPERATION, "a");
		sm_make_arg(thread, SM_KEY_INDEX, i);
	}
	sm_make_ring_finish(ring, false);
}

static void test_a_changed_segment_is_left_out_and_counted(void **state)
{
	make_two_segments("whole");
	struct sm_ring_reader reader = open_ring("whole", false);
	struct seen *whole = drain(&reader, SM_RING_DRAIN_ALL, fresh());
	assert_int_equal(reader.damaged_segments, 0);
	sm_ring_reader_close(&reader);
	size_t count;
	unsigned char *bytes = read_file("whole", &count);
	bytes[4096 + 512 + 64 + 100] ^= 4; /* slot 0 has the names; slot 1 is sealed */
	write_file("flipped", bytes, count);
	reader = open_ring("flipped", false);
	struct seen *seen = drain(&reader, SM_RING_DRAIN_ALL, fresh());
	assert_int_equal(reader.damaged_segments, 1);
	assert_int_equal(seen->segments, whole->segments - 1);
	drain(&reader, SM_RING_DRAIN_ALL, seen);
	assert_int_equal(reader.damaged_segments, 1);
	sm_ring_reader_close(&reader);
	free(bytes);
	free(whole);
	free(seen);
}

static int ignore_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	size_t *events = context;
	int64_t last = INT64_MIN;
	sm_ring_cursor_init(&cursor, header, segment, words, bytes);
	while (sm_ring_cursor_next(&cursor, &word) > 0) {
		assert_true(word.time_ns >= last);
		last = word.time_ns;
		++*events;
	}
	return 0;
}

static size_t count_events(const char *name)
{
	struct sm_ring_reader reader;
	size_t events = 0;
	struct sm_ring_sink sink = {.context = &events, .segment = ignore_segment};
	if (!sm_ring_reader_open(&reader, in_folder(name), false, NULL)) {
		assert_int_equal(sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink), 0);
		sm_ring_reader_close(&reader);
	}
	return events;
}

static void test_a_ring_cut_anywhere_is_read_as_far_as_it_goes(void **state)
{
	size_t count, before = 0;
	unsigned char *bytes = read_file("whole", &count);
	for (size_t length = 0; length <= count; length += 37) {
		write_file("cut", bytes, length);
		size_t events = count_events("cut");
		assert_true(events >= before);
		before = events;
	}
	write_file("cut", bytes, count);
	assert_int_equal(count_events("cut"), 400);
	free(bytes);
}

/* Runs of short words of all lengths, some with a whole lap of the time between two, ended by a long word, by zeros or
 * by the end of the bytes. */
static size_t make_runs(unsigned char *bytes, size_t most, uint64_t *seed)
{
	size_t at = 0;
	while (most - at >= 8) {
		*seed = *seed * 6364136223846793005U + 1442695040888963407U;
		uint64_t random = *seed >> 16;
		uint32_t time = random % 7 ? (uint32_t)(at * 40) : (uint32_t)(random >> 20);
		if (random % 61 == 0) {
			sm_ring_word_put(
				bytes + at, sm_ring_word_long(random >> 8, 5, SM_RING_MARK));
			at += 8;
			continue;
		}
		bool ends = random % 997 == 1;
		uint32_t word = ends ? 0 : sm_ring_word_short(time, 1 + random % 9, random & 1);
		memcpy(bytes + at, &word, sizeof(word));
		at += 4;
	}
	return at;
}

static void test_passing_short_words_is_the_same_as_reading_them(void **state)
{
	static unsigned char bytes[4096];
	struct sm_ring_segment segment = {.ticks = 12345678, .mono_ns = 1};
	uint64_t seed = 1;
	size_t longest = 0;
	for (int i = 0; i < 400; i++) {
		size_t count = make_runs(bytes, sizeof(bytes) - (size_t)i, &seed);
		struct sm_ring_cursor passes, reads;
		struct sm_ring_word word;
		sm_ring_cursor_init_rate(&passes, 1, 1.0, &segment, bytes, count);
		sm_ring_cursor_init_rate(&reads, 1, 1.0, &segment, bytes, count);
		do {
			size_t passed = sm_ring_cursor_pass_short(&passes);
			longest = passed > longest ? passed : longest;
			for (size_t k = 0; k < passed; k++) {
				assert_int_equal(sm_ring_cursor_next(&reads, &word), 1);
				assert_true(word.kind <= SM_RING_END);
			}
			assert_ptr_equal(passes.at, reads.at);
			assert_int_equal(passes.units, reads.units);
		} while (sm_ring_cursor_next(&passes, &word) > 0 &&
			 sm_ring_cursor_next(&reads, &word) > 0);
	}
	assert_in_range(longest, 65, 1024);
}

static void test_flipped_bits_do_no_harm(void **state)
{
	size_t count;
	unsigned char *bytes = read_file("whole", &count);
	uint64_t seed = 1;
	for (int i = 0; i < 3000; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		size_t at = (seed >> 33) % count;
		if (at >= 512 && at < 4096) {
			at %= 512; /* the header's page is mostly empty */
		}
		bytes[at] ^= (unsigned char)(1 << (seed >> 60 & 7));
		write_file("flips", bytes, count);
		count_events("flips");
		if (i % 10 == 9) {
			free(bytes);
			bytes = read_file("whole", &count);
		}
	}
	free(bytes);
}

static void test_memory_may_fail_anywhere(void **state)
{
	size_t total = 0;
	for (int n = 1; n < 50; n++) {
		struct sm_ring_reader reader;
		size_t events = 0;
		struct sm_ring_sink sink = {.context = &events, .segment = ignore_segment};
		sm_mem_fail_at(n);
		int code = sm_ring_reader_open(&reader, in_folder("whole"), false, NULL);
		code = code ? code : sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink);
		sm_mem_fail_at(0);
		assert_true(code == 0 || code == -ENOMEM);
		if (code && reader.fd >= 0) {
			assert_int_equal(
				sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink), 0);
		}
		total = events;
		sm_ring_reader_close(&reader);
	}
	assert_int_equal(total, 400);
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
		cmocka_unit_test(test_events_come_back_as_they_were_made),
		cmocka_unit_test(test_an_open_slot_is_delivered_in_parts_and_never_twice),
		cmocka_unit_test(test_slots_are_given_back_and_used_again),
		cmocka_unit_test(test_a_failing_sink_loses_nothing),
		cmocka_unit_test(test_names_are_known_before_they_are_used),
		cmocka_unit_test(test_a_time_stamp_counter_becomes_nanoseconds),
		cmocka_unit_test(test_foreign_files_are_refused),
		cmocka_unit_test(test_headers_that_cannot_be_are_refused),
		cmocka_unit_test(test_a_changed_segment_is_left_out_and_counted),
		cmocka_unit_test(test_a_ring_cut_anywhere_is_read_as_far_as_it_goes),
		cmocka_unit_test(test_passing_short_words_is_the_same_as_reading_them),
		cmocka_unit_test(test_flipped_bits_do_no_harm),
		cmocka_unit_test(test_memory_may_fail_anywhere),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
