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

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* --- bytes of the file --- */

/* Reads up to `bytes`; what lies behind the end of the file reads as zeros. 0 or -errno. */
static int read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
	unsigned char *at = to;
	while (bytes) {
		ssize_t got = pread(fd, at, bytes, (off_t)offset);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			memset(at, 0, bytes);
			return 0;
		}
		at += got;
		bytes -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

static int write_at(int fd, uint32_t value, uint64_t offset)
{
	return pwrite(fd, &value, sizeof(value), (off_t)offset) == sizeof(value) ? 0 : -EIO;
}

static uint64_t slot_offset(const struct sm_ring_reader *reader, uint32_t slot)
{
	return reader->header.header_bytes + (uint64_t)slot * reader->header.segment_bytes;
}

static uint32_t slot_room(const struct sm_ring_reader *reader)
{
	return reader->header.segment_bytes - SM_RING_SEGMENT_HEADER_BYTES;
}

static int read_segment(
	const struct sm_ring_reader *reader, uint32_t slot, struct sm_ring_segment *ret_segment)
{
	return read_at(reader->fd, ret_segment, sizeof(*ret_segment), slot_offset(reader, slot));
}

static int read_words(
	const struct sm_ring_reader *reader, uint32_t slot, void *to, size_t from, size_t bytes)
{
	return read_at(reader->fd, to, bytes,
		slot_offset(reader, slot) + SM_RING_SEGMENT_HEADER_BYTES + from);
}

/* --- the header --- */

static int check_header(const struct sm_ring_header *header, struct sm_error *reterr)
{
	static const char zeros[8];
	if (!memcmp(header->magic, zeros, sizeof(zeros))) {
		return sm_error_set(
			reterr, -SM_ERR_EMPTY, 0, "its process has not begun to record");
	}
	if (memcmp(header->magic, SM_RING_MAGIC, sizeof(header->magic)) ||
		header->endian != SM_RING_ENDIAN) {
		return sm_error_set(
			reterr, -SM_ERR_FORMAT, 0, "not a mapping of this machine's stallmeter");
	}
	if (header->major > SM_RING_MAJOR) {
		return sm_error_set(reterr, -SM_ERR_VERSION, 8,
			"mapping of version %u.%u; this program reads up to %d.x", header->major,
			header->minor, SM_RING_MAJOR);
	}
	if (header->header_bytes < sizeof(*header) || header->header_bytes % 8 ||
		header->header_bytes > SM_RING_SEGMENT_BYTES_MAX ||
		header->segment_bytes < 2 * SM_RING_SEGMENT_HEADER_BYTES ||
		header->segment_bytes > SM_RING_SEGMENT_BYTES_MAX || header->segment_bytes % 8) {
		return sm_error_set(
			reterr, -SM_ERR_FORMAT, 16, "sizes in the header make no sense");
	}
	return 0;
}

static void end_texts(struct sm_ring_header *header)
{
	header->boot_id[sizeof(header->boot_id) - 1] = '\0';
	header->unique[sizeof(header->unique) - 1] = '\0';
	header->parent[sizeof(header->parent) - 1] = '\0';
	header->program[sizeof(header->program) - 1] = '\0';
}

static bool is_our_boot(const struct sm_ring_header *header)
{
	char text[sizeof(header->boot_id)] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	int error = read_at(fd, text, sizeof(text) - 1, 0);
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return !error && text[0] && !strncmp(text, header->boot_id, strlen(text));
}

static bool read_ticks(uint64_t *ret_ticks)
{
#if defined(__x86_64__)
	*ret_ticks = __rdtsc();
	return true;
#elif defined(__aarch64__)
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(*ret_ticks));
	return true;
#else
	return false;
#endif
}

/* The counter's pace is best known from two instants far apart. The writer's own newest one is as
 * old as its newest segment; ours, of now, is better, as long as it is the same counter: it may not
 * contradict the writer's. */
static void renew_latest(struct sm_ring_reader *reader)
{
	struct sm_ring_instant now = {0};
	if (reader->header.clock_kind != SM_RING_CLOCK_TSC || !reader->same_boot ||
		!read_ticks(&now.ticks)) {
		return;
	}
	now.mono_ns = sm_clock_mono_ns();
	now.real_ns = sm_clock_real_ns();
	struct sm_ring_header renewed = reader->header;
	renewed.latest = now;
	double old_rate = sm_ring_cursor_rate(&reader->header, NULL);
	double new_rate = sm_ring_cursor_rate(&renewed, NULL);
	bool had_rate =
		(double)reader->header.latest.mono_ns - (double)reader->header.opened.mono_ns > 1e7;
	bool agrees = had_rate ? new_rate > 0.999 * old_rate && new_rate < 1.001 * old_rate
			       : new_rate > 0.05 && new_rate < 100 && new_rate != 1.0;
	if (agrees) {
		reader->header.latest = now;
	}
}

static size_t slots_in_file(const struct sm_ring_reader *reader)
{
	struct stat st;
	if (fstat(reader->fd, &st) || (uint64_t)st.st_size <= reader->header.header_bytes) {
		return 0;
	}
	uint64_t count =
		((uint64_t)st.st_size - reader->header.header_bytes) / reader->header.segment_bytes;
	if (count > reader->header.w_segment_count) {
		count = reader->header.w_segment_count;
	}
	return count < SM_RING_SLOTS_MAX ? (size_t)count : SM_RING_SLOTS_MAX;
}

/* A fresh copy of the header, unless it has become unreadable or another file's: then the last good
 * one stays. */
static int refresh(struct sm_ring_reader *reader)
{
	struct sm_ring_header fresh;
	int error = read_at(reader->fd, &fresh, sizeof(fresh), 0);
	if (error) {
		return error;
	}
	if (!check_header(&fresh, NULL) && fresh.segment_bytes == reader->header.segment_bytes &&
		fresh.header_bytes == reader->header.header_bytes) {
		reader->header = fresh;
		end_texts(&reader->header);
		renew_latest(reader);
	}
	size_t count = slots_in_file(reader), had = reader->slot_capacity;
	error = sm_mem_grow(&reader->slots, &reader->slot_capacity, count, sizeof(*reader->slots));
	if (!error && reader->slot_capacity > had) {
		memset(reader->slots + had, 0,
			(reader->slot_capacity - had) * sizeof(*reader->slots));
	}
	reader->slot_count = error ? reader->slot_count : count;
	return error;
}

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
	return write_at(reader->fd, attached, offsetof(struct sm_ring_header, r_attached));
}

static int begin(struct sm_ring_reader *reader, bool take_back, struct sm_error *reterr)
{
	int error = read_at(reader->fd, &reader->header, sizeof(reader->header), 0);
	if (error) {
		return sm_error_set(reterr, error, 0, "%s", sm_error_text(error));
	}
	error = check_header(&reader->header, reterr);
	if (error) {
		return error;
	}
	end_texts(&reader->header);
	reader->same_boot = is_our_boot(&reader->header);
	reader->segment = sm_mem_alloc(reader->header.segment_bytes);
	reader->names = sm_mem_alloc(reader->header.segment_bytes);
	error = reader->segment && reader->names ? refresh(reader) : -ENOMEM;
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

/* --- names --- */

static int compare_due(const void *left, const void *right)
{
	const struct sm_ring_due *a = left, *b = right;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int list_name_slots(struct sm_ring_reader *reader)
{
	reader->list_count = 0;
	for (uint32_t slot = 0; slot < reader->slot_count; slot++) {
		struct sm_ring_segment segment;
		int error = read_segment(reader, slot, &segment);
		if (error) {
			return error;
		}
		if (segment.magic != SM_RING_SEGMENT_MAGIC || segment.kind != SM_RING_NAMES) {
			continue;
		}
		error = sm_mem_grow(&reader->lists, &reader->list_capacity, reader->list_count + 1,
			sizeof(*reader->lists));
		if (error) {
			return error;
		}
		reader->lists[reader->list_count++] =
			(struct sm_ring_due){.sequence = segment.sequence, .slot = slot};
	}
	if (reader->list_count > 1) { /* NULL where there is no name yet */
		qsort(reader->lists, reader->list_count, sizeof(*reader->lists), compare_due);
	}
	return 0;
}

/* Bytes of whole entries at the front of `bytes`; *ret_sound is false where garbage follows them.
 */
static size_t measure_names(
	const unsigned char *bytes, size_t size, uint64_t *ret_count, bool *ret_sound)
{
	size_t at = 0;
	*ret_count = 0;
	*ret_sound = true;
	while (size - at >= sizeof(struct sm_ring_name)) {
		struct sm_ring_name name;
		memcpy(&name, bytes + at, sizeof(name));
		size_t whole = sizeof(name) + ((size_t)name.length + 7) / 8 * 8;
		if (!name.id) {
			break;
		}
		if (name.id >= SM_RING_NAMES_MAX || name.length > SM_RING_NAME_TEXT_MAX ||
			whole > size - at) {
			*ret_sound = false;
			break;
		}
		at += whole;
		++*ret_count;
	}
	return at;
}

static int deliver_names(struct sm_ring_reader *reader, const struct sm_ring_due *list,
	const struct sm_ring_sink *sink)
{
	struct sm_ring_slot *state = &reader->slots[list->slot];
	if (state->sequence != list->sequence) {
		*state = (struct sm_ring_slot){.sequence = list->sequence};
	}
	size_t room = slot_room(reader) - state->bytes, bytes;
	uint64_t count;
	bool sound;
	int error = read_words(reader, list->slot, reader->names, state->bytes, room);
	if (error) {
		return error;
	}
	bytes = measure_names(reader->names, room, &count, &sound);
	if (bytes) { /* once more: entries are complete only if read after their id was seen */
		error = read_words(reader, list->slot, reader->names, state->bytes, bytes);
		bytes = measure_names(reader->names, bytes, &count, &sound);
	}
	if (!error && bytes && sink->names) {
		error = sink->names(sink->context, &reader->header, reader->names, bytes, count);
	}
	if (error) {
		return error;
	}
	state->bytes += (uint32_t)bytes;
	if (!sound) {
		reader->damaged_segments++;
		state->bytes = slot_room(reader);
	}
	return 0;
}

static bool has_new_names(struct sm_ring_reader *reader, const struct sm_ring_due *list)
{
	const struct sm_ring_slot *state = &reader->slots[list->slot];
	uint32_t from = state->sequence == list->sequence ? state->bytes : 0, id = 0;
	return from + sizeof(struct sm_ring_name) <= slot_room(reader) &&
	       !read_words(reader, list->slot, &id, from, sizeof(id)) && id;
}

static int catch_up_names(struct sm_ring_reader *reader, const struct sm_ring_sink *sink)
{
	uint64_t as_of;
	int error = read_at(
		reader->fd, &as_of, sizeof(as_of), offsetof(struct sm_ring_header, w_sequence));
	if (!error && (as_of != reader->lists_as_of || !reader->list_count)) {
		error = refresh(reader);
		error = error ? error : list_name_slots(reader);
		reader->lists_as_of = error ? reader->lists_as_of : as_of;
	}
	for (size_t i = 0; !error && i < reader->list_count; i++) {
		if (has_new_names(reader, &reader->lists[i])) {
			error = deliver_names(reader, &reader->lists[i], sink);
		}
	}
	return error;
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
		int error = read_segment(reader, slot, &segment);
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
		qsort(reader->due, count, sizeof(*reader->due), compare_due);
	}
	*ret_count = count;
	return 0;
}

static size_t committed_bytes(
	const struct sm_ring_reader *reader, const struct sm_ring_segment *segment)
{
	struct sm_ring_cursor cursor;
	struct sm_ring_word word;
	sm_ring_cursor_init(&cursor, &reader->header, segment, reader->segment, slot_room(reader));
	do {
		sm_ring_cursor_pass_short(&cursor);
	} while (sm_ring_cursor_next(&cursor, &word) > 0);
	return (size_t)(cursor.at - reader->segment);
}

static bool is_sound(const struct sm_ring_reader *reader, const struct sm_ring_segment *segment)
{
	return segment->mono_ns >= 0 && segment->mono_ns < INT64_MAX / 2 &&
	       segment->w_length <= slot_room(reader) &&
	       (!segment->w_crc ||
		       segment->w_crc == sm_crc32c_add(0, reader->segment, segment->w_length));
}

/* Fills reader->segment and *ret_segment. 1: taken; 0: the slot has changed hands; negative: error.
 */
static int take_copy(struct sm_ring_reader *reader, const struct sm_ring_due *due,
	struct sm_ring_segment *ret_segment)
{
	struct sm_ring_segment behind;
	int error = read_segment(reader, due->slot, ret_segment);
	bool sealed = ret_segment->w_state == SM_RING_SEALED;
	size_t bytes = sealed ? ret_segment->w_length : slot_room(reader);
	bytes = bytes < slot_room(reader) ? bytes : slot_room(reader);
	error = error ? error : read_words(reader, due->slot, reader->segment, 0, bytes);
	if (!error && !sealed) {
		ret_segment->w_crc = 0;
		ret_segment->w_length = (uint32_t)committed_bytes(reader, ret_segment);
		error = read_words(reader, due->slot, reader->segment, 0, ret_segment->w_length);
	}
	error = error ? error : read_segment(reader, due->slot, &behind);
	if (error) {
		return error;
	}
	return ret_segment->sequence == due->sequence && behind.sequence == due->sequence &&
	       behind.w_state != SM_RING_FREE;
}

static void give_back(const struct sm_ring_reader *reader, uint32_t slot)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write_at(reader->fd, SM_RING_FREE,
		slot_offset(reader, slot) + offsetof(struct sm_ring_segment, w_state));
}

static int hand_on(struct sm_ring_reader *reader, struct sm_ring_segment *segment, size_t known,
	const struct sm_ring_sink *sink)
{
	const unsigned char *words = reader->segment;
	size_t bytes = segment->w_length;
	segment->reserved = 0;
	sm_ring_cursor_skip(&reader->header, segment, &words, &bytes, known);
	int error = catch_up_names(reader, sink);
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
	int error = refresh(reader);
	error = error ? error : list_due(reader, what, &count);
	for (size_t i = 0; !error && i < count; i++) {
		error = deliver_segment(reader, &reader->due[i], sink);
	}
	return error ? error : catch_up_names(reader, sink);
}
