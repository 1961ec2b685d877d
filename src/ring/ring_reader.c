/* One process's mapping, from outside.
 *
 * A drain looks at the header of every slot, sorts what is due by sequence number and takes a
 * private copy of each. Three races with the living writer matter:
 *
 *   - A slot may change hands between the look and the copy (another reader gave it back). Its
 * header is read once more behind the copy; if the sequence number is another one, the copy is
 * dropped.
 *   - In an open slot the store that commits a word may be seen before its payload, since a copy is
 * no ordered read. So an open slot is read twice: the first copy only says how far words are
 * committed, the second, begun after that was seen, is used up to there.
 *   - A name is in the file before any word that uses it, but perhaps in a slot that was not yet
 * there when we looked. So names are caught up after each copy and before it is handed on, and the
 * slots that hold names are looked for again whenever w_sequence moved. A sink therefore knows
 * every name before it is used.
 *
 * Giving a slot back is one store of SM_RING_FREE into its state, by pwrite(2), behind a full
 * fence. Only the reader makes that transition, so it needs no compare-and-swap. */
#include "ring/ring_reader.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "ring/ring_file.h"
#include "ring/ring_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- open and close --- */

static int open_file(const char *path, bool take_back, int *ret_fd, struct sm_error *reterr)
{
	int fd = open(path, (take_back ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return sm_error_set(reterr, -errno, -1, "%s", strerror(errno));
	}
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return sm_error_set(reterr, -SM_ERR_FORMAT, -1, "not a regular file");
	}
	*ret_fd = fd;
	return 0;
}

static int set_attached(struct sm_ring_reader *reader, uint32_t attached)
{
	return sm_ring_file_write(
		reader->fd, attached, offsetof(struct sm_ring_header, r_attached));
}

static int begin(struct sm_ring_reader *reader, bool take_back, struct sm_error *reterr)
{
	int error = sm_ring_file_read(reader->fd, &reader->header, sizeof(reader->header), 0);
	if (error) {
		return sm_error_set(reterr, error, 0, "%s", sm_error_text(error));
	}
	error = sm_ring_file_check(&reader->header, reterr);
	if (error) {
		return error;
	}
	sm_ring_file_end_texts(&reader->header);
	reader->same_boot = sm_ring_file_is_our_boot(&reader->header);
	reader->segment = sm_mem_alloc(reader->header.segment_bytes);
	reader->names = sm_mem_alloc(reader->header.segment_bytes);
	error = reader->segment && reader->names ? sm_ring_file_refresh(reader) : -ENOMEM;
	if (!error && take_back) {
		error = set_attached(reader, 1);
		reader->writable = !error;
	}
	return error ? sm_error_set(reterr, error, -1, "%s", sm_error_text(error)) : 0;
}

int sm_ring_reader_open(
	struct sm_ring_reader *reader, const char *path, bool take_back, struct sm_error *reterr)
{
	*reader = SM_RING_READER_EMPTY;
	int error = open_file(path, take_back, &reader->fd, reterr);
	if (!error) {
		error = begin(reader, take_back, reterr);
	}
	if (error) {
		sm_ring_reader_close(reader);
	}
	return error;
}

void sm_ring_reader_close(struct sm_ring_reader *reader)
{
	if (reader->fd < 0) {
		return;
	}
	if (reader->writable) {
		set_attached(reader, 0);
	}
	close(reader->fd);
	sm_mem_free(reader->slots);
	sm_mem_free(reader->due);
	sm_mem_free(reader->lists);
	sm_mem_free(reader->segment);
	sm_mem_free(reader->names);
	*reader = SM_RING_READER_EMPTY;
}

/* --- segments --- */

static bool is_due(const struct sm_ring_reader *reader, uint32_t slot,
	const struct sm_ring_segment *segment, enum sm_ring_drain what)
{
	const struct sm_ring_slot *state = &reader->slots[slot];
	bool sealed = segment->w_state == SM_RING_SEALED;
	bool open = segment->w_state == SM_RING_OPEN && what == SM_RING_DRAIN_ALL;
	if (segment->magic != SM_RING_SEGMENT_MAGIC || segment->kind != SM_RING_EVENTS ||
		!segment->sequence || (!sealed && !open)) {
		return false;
	}
	return open || state->sequence != segment->sequence || state->bytes < segment->w_length;
}

static int list_due(struct sm_ring_reader *reader, enum sm_ring_drain what, size_t *ret_count)
{
	size_t count = 0;
	for (uint32_t slot = 0; slot < reader->slot_count; slot++) {
		struct sm_ring_segment segment;
		int error = sm_ring_file_segment(reader, slot, &segment);
		if (!error && !is_due(reader, slot, &segment, what)) {
			continue;
		}
		error = error ? error
			      : sm_mem_grow(&reader->due, &reader->due_capacity, count + 1,
					sizeof(*reader->due));
		if (error) {
			return error;
		}
		reader->due[count++] =
			(struct sm_ring_due){.sequence = segment.sequence, .slot = slot};
	}
	if (count > 1) { /* the list is NULL where nothing was ever due */
		qsort(reader->due, count, sizeof(*reader->due), sm_ring_file_order);
	}
	*ret_count = count;
	return 0;
}

static size_t committed_bytes(
	const struct sm_ring_reader *reader, const struct sm_ring_segment *segment)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	sm_ring_cursor_init(
		&cursor, &reader->header, segment, reader->segment, sm_ring_file_slot_room(reader));
	do {
		sm_ring_cursor_pass_short(&cursor);
	} while (sm_ring_cursor_next(&cursor, &word) > 0);
	return (size_t)(cursor.at - reader->segment);
}

static bool is_sound(const struct sm_ring_reader *reader, const struct sm_ring_segment *segment)
{
	return segment->mono_ns >= 0 && segment->mono_ns < INT64_MAX / 2 &&
	       segment->w_length <= sm_ring_file_slot_room(reader) &&
	       (!segment->w_crc ||
		       segment->w_crc == sm_crc32c_add(0, reader->segment, segment->w_length));
}

/* Fills reader->segment and *ret_segment. 1: taken; 0: the slot has changed hands; negative: error.
 */
static int take_copy(struct sm_ring_reader *reader, const struct sm_ring_due *due,
	struct sm_ring_segment *ret_segment)
{
	struct sm_ring_segment behind;
	int error = sm_ring_file_segment(reader, due->slot, ret_segment);
	bool sealed = ret_segment->w_state == SM_RING_SEALED;
	size_t bytes = sealed ? ret_segment->w_length : sm_ring_file_slot_room(reader);
	bytes = bytes < sm_ring_file_slot_room(reader) ? bytes : sm_ring_file_slot_room(reader);
	error = error ? error : sm_ring_file_words(reader, due->slot, reader->segment, 0, bytes);
	if (!error && !sealed) {
		ret_segment->w_crc = 0;
		ret_segment->w_length = (uint32_t)committed_bytes(reader, ret_segment);
		error = sm_ring_file_words(
			reader, due->slot, reader->segment, 0, ret_segment->w_length);
	}
	error = error ? error : sm_ring_file_segment(reader, due->slot, &behind);
	if (error) {
		return error;
	}
	return ret_segment->sequence == due->sequence && behind.sequence == due->sequence &&
	       behind.w_state != SM_RING_FREE;
}

static void give_back(const struct sm_ring_reader *reader, uint32_t slot)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	sm_ring_file_write(reader->fd, SM_RING_FREE,
		sm_ring_file_slot_offset(reader, slot) + offsetof(struct sm_ring_segment, w_state));
}

static int hand_on(struct sm_ring_reader *reader, struct sm_ring_segment *segment, size_t known,
	const struct sm_ring_sink *sink)
{
	const unsigned char *words = reader->segment;
	size_t bytes = segment->w_length;
	segment->reserved = 0;
	sm_ring_cursor_skip(&reader->header, segment, &words, &bytes, known);
	int error = sm_ring_names_catch_up(reader, sink);
	if (error || !bytes || !sink->segment) {
		return error;
	}
	return sink->segment(sink->context, &reader->header, segment, words, bytes);
}

static int deliver_segment(struct sm_ring_reader *reader, const struct sm_ring_due *due,
	const struct sm_ring_sink *sink)
{
	struct sm_ring_segment segment;
	int taken = take_copy(reader, due, &segment);
	if (taken <= 0) {
		return taken;
	}
	bool sealed = segment.w_state == SM_RING_SEALED;
	struct sm_ring_slot *state = &reader->slots[due->slot];
	uint32_t known = state->sequence == due->sequence ? state->bytes : 0;
	bool sound = is_sound(reader, &segment);
	int error = sound ? hand_on(reader, &segment, known, sink) : 0;
	if (error) {
		return error;
	}
	reader->damaged_segments += !sound;
	reader->slots[due->slot] =
		(struct sm_ring_slot){due->sequence, sound ? segment.w_length : UINT32_MAX};
	if (sealed && reader->writable) {
		give_back(reader, due->slot);
	}
	return 0;
}

int sm_ring_reader_drain(
	struct sm_ring_reader *reader, enum sm_ring_drain what, const struct sm_ring_sink *sink)
{
	size_t count = 0;
	int error = sm_ring_file_refresh(reader);
	error = error ? error : list_due(reader, what, &count);
	for (size_t i = 0; !error && i < count; i++) {
		error = deliver_segment(reader, &reader->due[i], sink);
	}
	return error ? error : sm_ring_names_catch_up(reader, sink);
}
