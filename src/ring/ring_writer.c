/* The file behind the mapping, and its slots.
 *
 * Three things must never happen to the program that is watched: SIGBUS, because a page of the mapping has no storage
 * when it is first touched; SIGXFSZ, because the file grew over a limit of the process; and a write into somebody
 * else's file, because the program closed a descriptor of ours and its number went to another file. So storage is
 * asked for before a slot is handed out and its pages are touched by the kernel, which answers with an error where the
 * program would get a signal; the limit is read before the file grows; and no descriptor is kept: the file is opened by
 * its path for the moment of growing, and checked to be the same.
 *
 * A process that records little costs little: the name slot and the first event slot start with storage for 8 KiB,
 * then the file grows by one slot, two, four, up to a mebibyte at a time. */
#include "ring/ring_writer.h"

#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
	STEP_BYTES_MAX = 1024 * 1024,
	REUSE_PROBES = 64,	/* slots looked at before the file grows instead */
	NAMES_RESERVE_FROM = 8, /* with so many slots, events leave the last one to names */
};

static uint64_t slot_offset(uint32_t slot)
{
	return SM_RING_HEADER_BYTES + (uint64_t)slot * SM_RING_SEGMENT_BYTES;
}

static struct sm_ring_segment *segment_at(const struct sm_ring_writer *writer, uint32_t slot)
{
	return (struct sm_ring_segment *)(void *)(writer->bytes + slot_offset(slot));
}

/* --- storage --- */

static bool may_be_so_long(uint64_t file_bytes)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	       file_bytes <= limit.rlim_cur;
}

static int allocate(int fd, uint64_t from, uint64_t bytes)
{
	int error;
	if (!may_be_so_long(from + bytes)) {
		return -EFBIG;
	}
	do {
		error = posix_fallocate(fd, (off_t)from, (off_t)bytes);
	} while (error == EINTR);
	return -error;
}

static int open_again(const struct sm_ring_writer *writer)
{
	struct stat now;
	int fd = open(writer->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &now) || now.st_dev != writer->device || now.st_ino != writer->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int allocate_by_path(const struct sm_ring_writer *writer, uint64_t from, uint64_t bytes)
{
	int fd = open_again(writer);
	if (fd < 0) {
		return fd;
	}
	int error = allocate(fd, from, bytes);
	close(fd);
	return error;
}

/* Has the kernel make the pages writable now, where a lack of storage is an error and not a signal. */
static int touch(unsigned char *from, size_t bytes)
{
	if (!madvise(from, bytes, MADV_POPULATE_WRITE) || errno == EINVAL) {
		return 0; /* EINVAL: before Linux 5.14 */
	}
	return errno == EFAULT ? -ENOSPC : -errno;
}

/* Whether a page that had storage once keeps it. Elsewhere (copy on write, layers) writing it anew may need more. */
static bool keeps_storage(int fd)
{
	struct statfs system;
	return !fstatfs(fd, &system) &&
	       (system.f_type == EXT4_SUPER_MAGIC || system.f_type == TMPFS_MAGIC);
}

/* Storage up to the end of `slot` and, if there is any to have, some ahead. */
static int prepare(struct sm_ring_writer *writer, uint32_t slot)
{
	uint64_t need = slot_offset(slot + 1);
	uint64_t most = slot_offset(writer->slot_limit);
	uint64_t ahead = writer->prepared_bytes + writer->step_bytes;
	if (need <= writer->prepared_bytes) {
		return 0;
	}
	ahead = ahead > most ? most : ahead;
	ahead = ahead < need ? need : ahead;
	int error =
		allocate_by_path(writer, writer->prepared_bytes, ahead - writer->prepared_bytes);
	if (error && ahead > need) {
		ahead = need;
		error = allocate_by_path(
			writer, writer->prepared_bytes, ahead - writer->prepared_bytes);
	}
	if (error) {
		return error;
	}
	writer->prepared_bytes = ahead;
	if (writer->step_bytes < STEP_BYTES_MAX) {
		writer->step_bytes *= 2;
	}
	return 0;
}

/* --- the file --- */

static void fill_header(struct sm_ring_writer *writer, const struct sm_ring_header *who)
{
	struct sm_ring_header *header = sm_ring_writer_header(writer);
	*header = *who;
	memset(header->magic, 0, sizeof(header->magic));
	header->major = SM_RING_MAJOR;
	header->minor = SM_RING_MINOR;
	header->endian = SM_RING_ENDIAN;
	header->header_bytes = SM_RING_HEADER_BYTES;
	header->segment_bytes = SM_RING_SEGMENT_BYTES;
	header->tick_shift = writer->clock.tick_shift;
	header->clock_kind = (uint32_t)writer->clock.kind;
	header->limit_bytes = slot_offset(writer->slot_limit);
	header->opened = sm_ring_clock_instant(&writer->clock, 16);
	header->latest = header->opened;
	header->w_sequence = 1;
	uint64_t magic;
	memcpy(&magic, SM_RING_MAGIC, sizeof(magic));
	__atomic_store_n(
		(uint64_t *)(void *)header->magic, magic, __ATOMIC_RELEASE); /* now it is a ring */
}

static int map_file(struct sm_ring_writer *writer, int fd, uint64_t limit_bytes)
{
	for (; limit_bytes >= SM_RING_WRITER_LIMIT_MIN;
		limit_bytes /= 2) { /* RLIMIT_AS may be near */
		uint32_t slots =
			(uint32_t)((limit_bytes - SM_RING_HEADER_BYTES) / SM_RING_SEGMENT_BYTES);
		size_t bytes = slot_offset(slots);
		void *pages = mmap(
			NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
		if (pages != MAP_FAILED) {
			madvise(pages, bytes, MADV_DONTFORK);
			madvise(pages, bytes, MADV_RANDOM); /* a touch brings no pages around it */
			writer->bytes = pages;
			writer->mapped_bytes = bytes;
			writer->slot_limit = slots;
			return 0;
		}
	}
	return -ENOMEM;
}

/* The header, and a small beginning of the first two slots. */
static int lay_ground(struct sm_ring_writer *writer, int fd)
{
	const uint64_t ground = slot_offset(2);
	struct stat made;
	if (!may_be_so_long(ground)) {
		return -EFBIG;
	}
	if (ftruncate(fd, (off_t)ground) || fstat(fd, &made)) {
		return -errno;
	}
	int error = allocate(fd, 0, slot_offset(0) + SM_RING_WRITER_SMALL_BYTES);
	error = error ? error : allocate(fd, slot_offset(1), SM_RING_WRITER_SMALL_BYTES);
	if (error) {
		return error;
	}
	writer->device = made.st_dev;
	writer->inode = made.st_ino;
	writer->keeps_storage = keeps_storage(fd);
	writer->prepared_bytes = ground;
	writer->step_bytes = SM_RING_SEGMENT_BYTES;
	return 0;
}

int sm_ring_writer_create(struct sm_ring_writer *writer, const char *directory,
	const struct sm_ring_header *who, const struct sm_ring_clock *clock)
{
	*writer = (struct sm_ring_writer){.clock = *clock};
	int length = snprintf(writer->path, sizeof(writer->path), "%s/%s-%d.ring", directory,
		who->unique, (int)who->pid);
	if (length < 0 || (size_t)length >= sizeof(writer->path)) {
		*writer = (struct sm_ring_writer){0};
		return -ENAMETOOLONG;
	}
	int fd = open(writer->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = fd < 0 ? -errno : lay_ground(writer, fd);
	error = error ? error : map_file(writer, fd, who->limit_bytes);
	error = error ? error : touch(writer->bytes, SM_RING_HEADER_BYTES);
	if (!error) {
		fill_header(writer, who);
		close(fd);
		return 0;
	}
	if (writer->bytes) {
		munmap(writer->bytes, writer->mapped_bytes);
	}
	if (fd >= 0) {
		unlink(writer->path);
		close(fd);
	}
	*writer = (struct sm_ring_writer){0};
	return error;
}

void sm_ring_writer_remove(struct sm_ring_writer *writer)
{
	unlink(writer->path);
	munmap(writer->bytes, writer->mapped_bytes);
	*writer = (struct sm_ring_writer){0};
}

void sm_ring_writer_close(struct sm_ring_writer *writer)
{
	if (!writer->bytes) {
		return;
	}
	struct sm_ring_header *header = sm_ring_writer_header(writer);
	sm_ring_writer_seal(writer, &writer->names, writer->names_cursor);
	header->latest = sm_ring_clock_instant(&writer->clock, 16);
	__atomic_store_n(&header->w_closed, 1, __ATOMIC_RELEASE);
	/* Where it fails, a late store is one more word in the file: no harm either. */
	(void)mmap(writer->bytes, writer->mapped_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	*writer = (struct sm_ring_writer){0};
}

/* --- slots --- */

/* A slot that the collector has emptied; the longest free one comes first, since it empties them in turn. */
static int find_free(struct sm_ring_writer *writer, uint32_t *ret_slot)
{
	uint32_t probes = writer->slot_count < REUSE_PROBES ? writer->slot_count : REUSE_PROBES;
	for (uint32_t i = 0; i < probes; i++) {
		uint32_t slot = writer->reuse_from;
		writer->reuse_from = slot + 1 < writer->slot_count ? slot + 1 : 0;
		uint32_t state =
			__atomic_load_n(&segment_at(writer, slot)->w_state, __ATOMIC_ACQUIRE);
		if (state == SM_RING_FREE) {
			*ret_slot = slot;
			return 0;
		}
	}
	return -ENOENT;
}

static int add_slot(
	struct sm_ring_writer *writer, enum sm_ring_segment_kind kind, uint32_t *ret_slot)
{
	bool reserves = kind == SM_RING_EVENTS && writer->slot_limit >= NAMES_RESERVE_FROM;
	if (writer->slot_count + reserves >= writer->slot_limit) {
		return -ENOSPC;
	}
	int error = prepare(writer, writer->slot_count);
	if (!error) {
		*ret_slot = writer->slot_count;
	}
	return error;
}

/* How much of a slot has storage. A slot that came back from its first life half-full may still be a small one. */
static uint32_t ready_bytes_of(const struct sm_ring_writer *writer, uint32_t slot)
{
	return slot < 2 ? SM_RING_WRITER_SMALL_BYTES : SM_RING_SEGMENT_BYTES;
}

static void begin_slot(struct sm_ring_writer *writer, struct sm_ring_segment *segment,
	enum sm_ring_segment_kind kind, uint32_t tid, uint64_t lost_before)
{
	struct sm_ring_header *header = sm_ring_writer_header(writer);
	struct sm_ring_instant now = sm_ring_clock_instant(&writer->clock, 4);
	*segment = (struct sm_ring_segment){.magic = SM_RING_SEGMENT_MAGIC,
		.kind = (uint32_t)kind,
		.sequence = header->w_sequence,
		.tid = tid,
		.ticks = now.ticks,
		.mono_ns = now.mono_ns,
		.lost_before = lost_before};
	memset(segment + 1, 0, sizeof(uint64_t));
	header->w_sequence++;
	header->latest = now;
	__atomic_store_n(&segment->w_state, SM_RING_OPEN, __ATOMIC_RELEASE);
}

int sm_ring_writer_take(struct sm_ring_writer *writer, enum sm_ring_segment_kind kind, uint32_t tid,
	uint64_t lost_before, struct sm_ring_writer_slot *ret_slot)
{
	uint32_t slot = 0;
	int error = find_free(writer, &slot);
	error = error ? add_slot(writer, kind, &slot) : 0;
	if (error) {
		return error;
	}
	struct sm_ring_writer_slot taken = {segment_at(writer, slot), ready_bytes_of(writer, slot)};
	bool lived_before = slot < writer->slot_count;
	if (!lived_before || !writer->keeps_storage) {
		error = touch((unsigned char *)taken.segment, taken.ready_bytes);
	}
	if (error) {
		return error;
	}
	begin_slot(writer, taken.segment, kind, tid, lost_before);
	if (!lived_before) {
		writer->slot_count++;
		__atomic_store_n(&sm_ring_writer_header(writer)->w_segment_count,
			writer->slot_count, __ATOMIC_RELEASE);
	}
	*ret_slot = taken;
	return 0;
}

int sm_ring_writer_extend(struct sm_ring_writer *writer, struct sm_ring_writer_slot *slot)
{
	if (!slot->segment || slot->ready_bytes == SM_RING_SEGMENT_BYTES) {
		return -ENOSPC;
	}
	unsigned char *start = (unsigned char *)slot->segment;
	uint32_t more = SM_RING_SEGMENT_BYTES - slot->ready_bytes;
	int error = allocate_by_path(
		writer, (uint64_t)(start - writer->bytes) + slot->ready_bytes, more);
	error = error ? error : touch(start + slot->ready_bytes, more);
	if (!error) {
		slot->ready_bytes = SM_RING_SEGMENT_BYTES;
	}
	return error;
}

void sm_ring_writer_seal(
	struct sm_ring_writer *writer, struct sm_ring_writer_slot *slot, const unsigned char *end)
{
	struct sm_ring_segment *segment = slot->segment;
	if (!segment) {
		return;
	}
	const unsigned char *words = sm_ring_writer_words(slot);
	segment->w_length = (uint32_t)(end - words);
	segment->w_crc = sm_crc32c_add(0, words, segment->w_length);
	segment->adoptable = 0;
	__atomic_store_n(&segment->w_state, SM_RING_SEALED, __ATOMIC_RELEASE);
	*slot = (struct sm_ring_writer_slot){0};
}

/* --- names --- */

static int make_room_for_name(struct sm_ring_writer *writer, size_t bytes)
{
	for (;;) {
		if (writer->names.segment &&
			writer->names_cursor + bytes <= sm_ring_writer_words_end(&writer->names)) {
			return 0;
		}
		int error = sm_ring_writer_extend(writer, &writer->names);
		if (!error) {
			continue;
		}
		struct sm_ring_writer_slot next;
		error = sm_ring_writer_take(writer, SM_RING_NAMES, 0, 0, &next);
		if (error) {
			return error;
		}
		sm_ring_writer_seal(writer, &writer->names, writer->names_cursor);
		writer->names = next;
		writer->names_cursor = sm_ring_writer_words(&next);
	}
}

int sm_ring_writer_add_name(
	struct sm_ring_writer *writer, const struct sm_ring_name *name, const char *text)
{
	const size_t padded = (name->length + 7u) & ~(size_t)7;
	const size_t bytes = sizeof(*name) + padded;
	int error = make_room_for_name(writer, bytes);
	if (error) {
		return error;
	}
	unsigned char *at = writer->names_cursor;
	struct sm_ring_name head = *name;
	head.id = 0;
	memset(at + bytes, 0, sizeof(uint64_t));
	memset(at + sizeof(head), 0, padded);
	memcpy(at + sizeof(head), text, name->length);
	memcpy(at, &head, sizeof(head));
	__atomic_store_n((uint32_t *)(void *)at, name->id, __ATOMIC_RELEASE);
	writer->names_cursor = at + bytes;
	return 0;
}
