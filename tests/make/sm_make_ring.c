/* sm_make's processes as rings: slots in a file, given back ones used again. */
#include "base/crc32c.h"
#include "base/err.h"
#include "make/sm_make_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void write_at(
	const struct sm_make_process *ring, const void *bytes, size_t count, uint64_t at)
{
	if (pwrite(ring->fd, bytes, count, (off_t)at) != (ssize_t)count) {
		sm_make_die("writing a ring", -errno);
	}
}

static uint64_t slot_offset(const struct sm_make_process *ring, uint32_t slot)
{
	return ring->header.header_bytes + (uint64_t)slot * ring->header.segment_bytes;
}

/* All of it but r_attached, which is the reader's. */
static void write_header(struct sm_make_process *ring)
{
	const size_t from = offsetof(struct sm_ring_header, r_attached), behind = from + 4;
	write_at(ring, &ring->header, from, 0);
	write_at(ring, (const char *)&ring->header + behind, sizeof(ring->header) - behind, behind);
}

static uint32_t find_slot(struct sm_make_process *ring)
{
	for (uint32_t slot = 0; slot < ring->header.w_segment_count; slot++) {
		struct sm_ring_segment segment;
		ssize_t got =
			pread(ring->fd, &segment, sizeof(segment), (off_t)slot_offset(ring, slot));
		if (got == sizeof(segment) && segment.w_state == SM_RING_FREE) {
			return slot;
		}
	}
	return ring->header.w_segment_count++;
}

static void claim(struct sm_make_process *ring, uint32_t slot, struct sm_ring_segment segment)
{
	static const unsigned char zeros[4096];
	for (size_t at = 0; at < ring->header.segment_bytes; at += sizeof(zeros)) {
		size_t left = ring->header.segment_bytes - at;
		write_at(ring, zeros, left < sizeof(zeros) ? left : sizeof(zeros),
			slot_offset(ring, slot) + at);
	}
	segment.w_state = SM_RING_OPEN;
	write_at(ring, &segment, sizeof(segment), slot_offset(ring, slot));
	write_header(ring);
}

static void begin_slot(struct sm_make_thread *thread)
{
	thread->slot = find_slot(thread->process);
	claim(thread->process, thread->slot, thread->segment);
}

static void store_segment(struct sm_make_thread *thread, enum sm_ring_segment_state state)
{
	struct sm_make_process *ring = thread->process;
	struct sm_ring_segment segment = thread->segment;
	segment.w_state = state;
	if (state == SM_RING_SEALED) {
		segment.w_length = (uint32_t)thread->used;
		segment.w_crc = sm_crc32c_add(0, thread->words, thread->used);
	}
	uint64_t at = slot_offset(ring, thread->slot);
	write_at(ring, thread->words, thread->used, at + sizeof(segment));
	write_at(ring, &segment, sizeof(segment), at);
	write_header(ring);
}

static void begin_names(struct sm_make_process *ring)
{
	ring->names_slot = find_slot(ring);
	ring->names_used = 0;
	claim(ring, ring->names_slot,
		(struct sm_ring_segment){
			.magic = SM_RING_SEGMENT_MAGIC,
			.kind = SM_RING_NAMES,
			.sequence = ring->header.w_sequence++,
			.mono_ns = ring->header.opened.mono_ns,
			.ticks = ring->header.opened.ticks,
		});
}

static void store_name(
	struct sm_make_process *ring, const struct sm_ring_name *name, const char *text)
{
	size_t whole = sizeof(*name) + ((size_t)name->length + 7) / 8 * 8;
	size_t room = ring->header.segment_bytes - SM_RING_SEGMENT_HEADER_BYTES;
	if (name->id == 1 || ring->names_used + whole > room) {
		begin_names(ring);
	}
	uint64_t at = slot_offset(ring, ring->names_slot) + SM_RING_SEGMENT_HEADER_BYTES +
		      ring->names_used;
	write_at(ring, text, name->length, at + sizeof(*name));
	write_at(ring, name, sizeof(*name), at);
	ring->names_used += (uint32_t)whole;
}

static const struct sm_make_store ring_store = {
	.begin = begin_slot,
	.segment = store_segment,
	.name = store_name,
};

struct sm_make_process *sm_make_ring_create(const char *path, const struct sm_make_options *options)
{
	struct sm_make_process *ring = sm_make_process_new(options, &ring_store);
	ring->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	sm_make_must(ring->fd < 0 ? -errno : 0, path);
	static const unsigned char zeros[SM_RING_HEADER_BYTES];
	write_at(ring, zeros, sizeof(zeros), 0);
	write_header(ring);
	return ring;
}

void sm_make_ring_sync(struct sm_make_process *ring)
{
	for (size_t i = 0; i < ring->thread_count; i++) {
		if (ring->threads[i]->segment.sequence) {
			store_segment(ring->threads[i], SM_RING_OPEN);
		}
	}
	write_header(ring);
}

void sm_make_ring_seal(struct sm_make_thread *thread)
{
	sm_make_seal(thread);
}

void sm_make_ring_finish(struct sm_make_process *ring, bool closed)
{
	for (size_t i = 0; closed && i < ring->thread_count; i++) {
		sm_make_seal(ring->threads[i]);
	}
	ring->header.w_closed = closed;
	sm_make_ring_sync(ring);
	close(ring->fd);
	sm_make_process_free(ring);
}
