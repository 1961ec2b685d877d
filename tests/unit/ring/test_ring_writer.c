/* The file behind the mapping: slots, storage, seals, names. */
#include "ring/ring_writer.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "ring/ring_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sm-ring-writer-XXXXXX";
static struct sm_ring_writer writer;
static struct sm_ring_clock test_clock;

static int make_folder(void **state)
{
	sm_ring_clock_choose(&test_clock, NULL);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static int create(uint64_t slots)
{
	struct sm_ring_header who = {.pid = 7,
		.rank = -1,
		.unique = "00ff00ff00ff00ff",
		.limit_bytes = SM_RING_HEADER_BYTES + slots * SM_RING_SEGMENT_BYTES + 100};
	return sm_ring_writer_create(&writer, folder, &who, &test_clock);
}

static int remove_file(void **state)
{
	if (writer.bytes) {
		sm_ring_writer_remove(&writer);
	}
	return 0;
}

static off_t file_bytes(void)
{
	struct stat st;
	return stat(writer.path, &st) ? -1 : st.st_size;
}

static struct sm_ring_writer_slot take(void)
{
	struct sm_ring_writer_slot slot;
	assert_int_equal(sm_ring_writer_take(&writer, SM_RING_EVENTS, 11, 22, &slot), 0);
	return slot;
}

static void fill(const struct sm_ring_writer_slot *slot)
{
	memset(sm_ring_writer_words(slot), 0xa5,
		(size_t)(sm_ring_writer_words_end(slot) - sm_ring_writer_words(slot)));
}

static void a_file_is_made_once(void **state)
{
	assert_int_equal(create(4), 0);
	assert_non_null(strstr(writer.path, "/00ff00ff00ff00ff-7.ring"));
	const struct sm_ring_header *header = sm_ring_writer_header(&writer);
	assert_memory_equal(header->magic, SM_RING_MAGIC, 8);
	assert_int_equal(header->limit_bytes, SM_RING_HEADER_BYTES + 4 * SM_RING_SEGMENT_BYTES);
	assert_int_equal(header->w_segment_count, 0);
	struct sm_ring_writer first = writer;
	assert_int_equal(create(4), -EEXIST);
	assert_null(writer.bytes);
	writer = first;
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
	struct sm_ring_header who = {.unique = "x", .limit_bytes = SM_RING_HEADER_BYTES};
	assert_int_equal(sm_ring_writer_create(&writer, folder, &who, &test_clock), -ENOMEM);
	assert_int_equal(sm_ring_writer_create(&writer, "/nowhere", &who, &test_clock), -ENOENT);
	assert_null(writer.bytes);
}

static void slots_begin_empty_and_in_order(void **state)
{
	assert_int_equal(create(6), 0);
	for (uint32_t i = 1; i <= 6; i++) {
		struct sm_ring_writer_slot slot = take();
		assert_int_equal(slot.segment->magic, SM_RING_SEGMENT_MAGIC);
		assert_int_equal(slot.segment->kind, SM_RING_EVENTS);
		assert_int_equal(slot.segment->sequence, i);
		assert_int_equal(slot.segment->tid, 11);
		assert_int_equal(slot.segment->lost_before, 22);
		assert_int_equal(slot.segment->w_state, SM_RING_OPEN);
		assert_int_equal(*sm_ring_writer_words(&slot), 0);
		assert_int_equal(sm_ring_writer_header(&writer)->w_segment_count, i);
		fill(&slot); /* all of it has storage */
	}
	struct sm_ring_writer_slot none;
	assert_int_equal(sm_ring_writer_take(&writer, SM_RING_EVENTS, 1, 0, &none), -ENOSPC);
	assert_int_equal(file_bytes(), SM_RING_HEADER_BYTES + 6 * SM_RING_SEGMENT_BYTES);
}

static void names_have_the_last_slot_to_themselves(void **state)
{
	struct sm_ring_writer_slot slot;
	assert_int_equal(create(8), 0);
	for (int i = 0; i < 7; i++) {
		take();
	}
	assert_int_equal(sm_ring_writer_take(&writer, SM_RING_EVENTS, 1, 0, &slot), -ENOSPC);
	struct sm_ring_name name = {.id = 1, .length = 5};
	assert_int_equal(sm_ring_writer_add_name(&writer, &name, "hello"), 0);
}

static void a_small_slot_becomes_a_whole_one(void **state)
{
	assert_int_equal(create(4), 0);
	struct sm_ring_writer_slot slot = take();
	assert_int_equal(slot.ready_bytes, SM_RING_WRITER_SMALL_BYTES);
	assert_int_equal(sm_ring_writer_extend(&writer, &slot), 0);
	assert_int_equal(slot.ready_bytes, SM_RING_SEGMENT_BYTES);
	fill(&slot);
	assert_true(sm_ring_writer_extend(&writer, &slot) < 0);
}

static void a_seal_is_a_length_and_a_checksum(void **state)
{
	assert_int_equal(create(4), 0);
	struct sm_ring_writer_slot slot = take();
	struct sm_ring_segment *segment = slot.segment;
	unsigned char *words = sm_ring_writer_words(&slot);
	memcpy(words, "twelve bytes", 12);
	sm_ring_writer_seal(&writer, &slot, words + 12);
	assert_null(slot.segment);
	assert_int_equal(segment->w_state, SM_RING_SEALED);
	assert_int_equal(segment->w_length, 12);
	assert_int_equal(segment->w_crc, sm_crc32c_add(0, "twelve bytes", 12));
	sm_ring_writer_seal(&writer, &slot, NULL); /* an empty one */
}

static void a_slot_that_came_back_is_taken_first(void **state)
{
	assert_int_equal(create(50), 0);
	struct sm_ring_writer_slot slots[5];
	for (int i = 0; i < 5; i++) {
		slots[i] = take();
		fill(&slots[i]);
	}
	struct sm_ring_segment *segment = slots[3].segment;
	sm_ring_writer_seal(&writer, &slots[3], sm_ring_writer_words(&slots[3]) + 40);
	off_t before = file_bytes();
	__atomic_store_n(&segment->w_state, SM_RING_FREE, __ATOMIC_RELEASE);
	struct sm_ring_writer_slot again = take();
	assert_ptr_equal(again.segment, segment);
	assert_int_equal(segment->sequence, 6);
	assert_int_equal(segment->w_length, 0);
	assert_int_equal(*sm_ring_writer_words(&again), 0);
	assert_int_equal(file_bytes(), before);
	assert_int_equal(sm_ring_writer_header(&writer)->w_segment_count, 5);
}

static void it_never_grows_another_file(void **state)
{
	assert_int_equal(create(50), 0);
	take();
	take();
	unlink(writer.path);
	FILE *other = fopen(writer.path, "w"); /* the same path, but not ours */
	fputs("somebody's", other);
	fclose(other);
	struct sm_ring_writer_slot slot;
	assert_int_equal(sm_ring_writer_take(&writer, SM_RING_EVENTS, 1, 0, &slot), -ESTALE);
	assert_int_equal(file_bytes(), 10);
}

static void it_grows_in_steps(void **state)
{
	off_t last = 0;
	int steps = 0;
	assert_int_equal(create(200), 0);
	for (int i = 0; i < 199; i++) {
		take();
		steps += file_bytes() != last;
		last = file_bytes();
	}
	assert_true(steps < 20);
	assert_true(last <= SM_RING_HEADER_BYTES + 200 * SM_RING_SEGMENT_BYTES);
}

static void closing_leaves_a_harmless_mapping(void **state)
{
	char path[PATH_MAX];
	struct sm_ring_header header;
	assert_int_equal(create(4), 0);
	unsigned char *bytes = writer.bytes;
	size_t mapped = writer.mapped_bytes;
	memcpy(path, writer.path, sizeof(path));
	struct sm_ring_name name = {.id = 1, .length = 2};
	assert_int_equal(sm_ring_writer_add_name(&writer, &name, "ab"), 0);
	sm_ring_writer_close(&writer);
	sm_ring_writer_close(&writer);	       /* once more is fine */
	bytes[SM_RING_HEADER_BYTES + 100] = 1; /* a thread that was in the middle of a store */
	FILE *file = fopen(path, "rb");
	assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
	fclose(file);
	assert_int_equal(header.w_closed, 1);
	munmap(bytes, mapped);
	unlink(path);
}

static void a_clock_is_trusted_only_with_the_kernel(void **state)
{
	char path[64];
	struct sm_ring_clock clock;
	snprintf(path, sizeof(path), "%s/clocksource", folder);
	FILE *file = fopen(path, "w");
	fputs("tscx\n", file);
	fclose(file);
	sm_ring_clock_choose(&clock, path);
	assert_int_equal(clock.kind, SM_RING_CLOCK_MONOTONIC);
	assert_int_equal(clock.tick_shift, 0);
	unlink(path);
	sm_ring_clock_choose(&clock, path);
	assert_int_equal(clock.kind, SM_RING_CLOCK_MONOTONIC);
	sm_ring_clock_choose(&clock, NULL);
	assert_true(clock.ticks_per_ns > 0.001 && clock.ticks_per_ns < 20);
}

static void an_instant_is_one_on_all_clocks(void **state)
{
	struct sm_ring_instant first = sm_ring_clock_instant(&test_clock, 16);
	usleep(20000);
	struct sm_ring_instant second = sm_ring_clock_instant(&test_clock, 16);
	double mono_ns = (double)(second.mono_ns - first.mono_ns);
	double ticks = (double)(second.ticks - first.ticks);
	assert_true(second.mono_ns >= first.mono_ns + 20000000);
	assert_true(second.mono_ns <= sm_clock_mono_ns());
	assert_true(ticks / mono_ns > 0.9 * test_clock.ticks_per_ns);
	assert_true(ticks / mono_ns < 1.1 * test_clock.ticks_per_ns);
}

static void words_are_as_drawn(void **state)
{
	assert_int_equal(
		sm_ring_word_short(0x12345678abc, 5, SM_RING_BEGIN), 0x78abcu << 12 | 5 << 2);
	assert_int_equal(sm_ring_word_short(1, 0, SM_RING_END), 1 << 12 | 2);
	assert_int_equal(
		sm_ring_word_long(3, 7, SM_RING_PAYLOAD), 3ull << 24 | 7 << 3 | 3 << 1 | 1);
	assert_int_equal(sm_ring_word_payload(SM_RING_CAUSE, 8), 8 << 8 | 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_file_is_made_once, remove_file),
		cmocka_unit_test_teardown(what_cannot_be_made_leaves_nothing, remove_file),
		cmocka_unit_test_teardown(slots_begin_empty_and_in_order, remove_file),
		cmocka_unit_test_teardown(names_have_the_last_slot_to_themselves, remove_file),
		cmocka_unit_test_teardown(a_small_slot_becomes_a_whole_one, remove_file),
		cmocka_unit_test_teardown(a_seal_is_a_length_and_a_checksum, remove_file),
		cmocka_unit_test_teardown(a_slot_that_came_back_is_taken_first, remove_file),
		cmocka_unit_test_teardown(it_never_grows_another_file, remove_file),
		cmocka_unit_test_teardown(it_grows_in_steps, remove_file),
		cmocka_unit_test_teardown(closing_leaves_a_harmless_mapping, remove_file),
		cmocka_unit_test(a_clock_is_trusted_only_with_the_kernel),
		cmocka_unit_test(an_instant_is_one_on_all_clocks),
		cmocka_unit_test(words_are_as_drawn),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
