/* Bytes of a mapping's file, and its header. */
#include "ring/ring_file.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* Reads up to `bytes`; what lies behind the end of the file reads as zeros. 0 or -errno. */
int sm_ring_file_read(int fd, void *to, size_t bytes, uint64_t offset)
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

int sm_ring_file_write(int fd, uint32_t value, uint64_t offset)
{
	return pwrite(fd, &value, sizeof(value), (off_t)offset) == sizeof(value) ? 0 : -EIO;
}

uint64_t sm_ring_file_slot_offset(const struct sm_ring_reader *reader, uint32_t slot)
{
	return reader->header.header_bytes + (uint64_t)slot * reader->header.segment_bytes;
}

uint32_t sm_ring_file_slot_room(const struct sm_ring_reader *reader)
{
	return reader->header.segment_bytes - SM_RING_SEGMENT_HEADER_BYTES;
}

int sm_ring_file_segment(
	const struct sm_ring_reader *reader, uint32_t slot, struct sm_ring_segment *ret_segment)
{
	return sm_ring_file_read(reader->fd, ret_segment, sizeof(*ret_segment),
		sm_ring_file_slot_offset(reader, slot));
}

int sm_ring_file_words(
	const struct sm_ring_reader *reader, uint32_t slot, void *to, size_t from, size_t bytes)
{
	return sm_ring_file_read(reader->fd, to, bytes,
		sm_ring_file_slot_offset(reader, slot) + SM_RING_SEGMENT_HEADER_BYTES + from);
}

/* --- the header --- */

int sm_ring_file_check(const struct sm_ring_header *header, struct sm_error *reterr)
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

void sm_ring_file_end_texts(struct sm_ring_header *header)
{
	header->boot_id[sizeof(header->boot_id) - 1] = '\0';
	header->unique[sizeof(header->unique) - 1] = '\0';
	header->parent[sizeof(header->parent) - 1] = '\0';
	header->program[sizeof(header->program) - 1] = '\0';
}

bool sm_ring_file_is_our_boot(const struct sm_ring_header *header)
{
	char text[sizeof(header->boot_id)] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	int error = sm_ring_file_read(fd, text, sizeof(text) - 1, 0);
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
	uint64_t bytes = (uint64_t)st.st_size - reader->header.header_bytes;
	/* sm_ring_file_check lets no header in whose segments have no size; the analyser does not see that far.
	 * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
	uint64_t count = bytes / reader->header.segment_bytes;
	if (count > reader->header.w_segment_count) {
		count = reader->header.w_segment_count;
	}
	return count < SM_RING_SLOTS_MAX ? (size_t)count : SM_RING_SLOTS_MAX;
}

/* A fresh copy of the header, unless it has become unreadable or another file's: then the last good
 * one stays. */
int sm_ring_file_refresh(struct sm_ring_reader *reader)
{
	struct sm_ring_header fresh;
	int error = sm_ring_file_read(reader->fd, &fresh, sizeof(fresh), 0);
	if (error) {
		return error;
	}
	if (!sm_ring_file_check(&fresh, NULL) &&
		fresh.segment_bytes == reader->header.segment_bytes &&
		fresh.header_bytes == reader->header.header_bytes) {
		reader->header = fresh;
		sm_ring_file_end_texts(&reader->header);
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

int sm_ring_file_order(const void *left, const void *right)
{
	const struct sm_ring_due *a = left, *b = right;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}
