#include "collect/rings.h"

#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TRIES_MAX = 50, EXIT_UNKNOWN = -1 };

void sm_rings_init(struct sm_rings *rings, const char *live_directory, struct sm_run_files *files)
{
	*rings = (struct sm_rings){.live_directory = live_directory, .files = files};
}

/* --- finding --- */

static bool is_ring(const char *name)
{
	size_t length = strlen(name);
	return length > 5 && length < sizeof(((struct sm_ring_file *)0)->name) &&
	       !strcmp(name + length - 5, ".ring");
}

static struct sm_ring_file *find_or_add(struct sm_rings *rings, const char *name)
{
	for (size_t i = 0; i < rings->count; i++) {
		if (!strcmp(rings->item[i].name, name)) {
			return &rings->item[i];
		}
	}
	if (sm_mem_grow(&rings->item, &rings->capacity, rings->count + 1, sizeof(*rings->item))) {
		return NULL;
	}
	struct sm_ring_file *ring = &rings->item[rings->count++];
	*ring = (struct sm_ring_file){.reader = SM_RING_READER_EMPTY};
	snprintf(ring->name, sizeof(ring->name), "%s", name);
	return ring;
}

static bool ring_path(
	const struct sm_rings *rings, const struct sm_ring_file *ring, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", rings->live_directory, ring->name) < PATH_MAX;
}

static bool is_open(const struct sm_ring_file *ring)
{
	return ring->writer && !ring->finished;
}

/* Not an error before it has failed for a while: the file is there before its header is. */
static bool open_ring(struct sm_rings *rings, struct sm_ring_file *ring)
{
	char path[PATH_MAX];
	if (!ring_path(rings, ring, path) || sm_ring_reader_open(&ring->reader, path, true, NULL)) {
		ring->tries++;
		return false;
	}
	const struct sm_ring_header *header = &ring->reader.header;
	struct sm_trace_writer *writer = sm_run_files_of_rank(rings->files, header->rank, NULL);
	if (!writer || sm_trace_writer_process(writer, header, &ring->process)) {
		sm_ring_reader_close(&ring->reader);
		ring->tries++;
		return false;
	}
	ring->writer = writer;
	rings->processes++;
	rings->dirty = true;
	return true;
}

void sm_rings_scan(struct sm_rings *rings, sm_rings_find_owner *find_owner, void *context)
{
	DIR *directory = opendir(rings->live_directory);
	rings->pending = false;
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct sm_ring_file *ring =
			is_ring(entry->d_name) ? find_or_add(rings, entry->d_name) : NULL;
		if (!ring || ring->writer || ring->finished || ring->tries >= TRIES_MAX) {
			continue;
		}
		if (open_ring(rings, ring)) {
			ring->owner = find_owner(context, &ring->reader.header);
		} else {
			rings->pending = true;
		}
	}
	if (directory) {
		closedir(directory);
	}
}

/* --- emptying --- */

struct target {
	struct sm_rings *rings;
	struct sm_ring_file *ring;
};

static int keep_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct target *target = context;
	target->rings->dirty = true;
	return sm_trace_writer_segment(
		target->ring->writer, target->ring->process, header, segment, words, bytes);
}

static int keep_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct target *target = context;
	target->rings->dirty = true;
	return sm_trace_writer_names(
		target->ring->writer, target->ring->process, entries, bytes, count);
}

static int drain_ring(struct sm_rings *rings, struct sm_ring_file *ring, enum sm_ring_drain what)
{
	struct target target = {.rings = rings, .ring = ring};
	const struct sm_ring_sink sink = {
		.context = &target, .segment = keep_segment, .names = keep_names};
	return sm_ring_reader_drain(&ring->reader, what, &sink);
}

/* The end of one process's recording. Its mapping goes only when every word of it is in the trace. */
static void finish_ring(struct sm_rings *rings, struct sm_ring_file *ring)
{
	char path[PATH_MAX];
	int r = drain_ring(rings, ring, SM_RING_DRAIN_ALL);
	const struct sm_ring_header *header = &ring->reader.header;
	bool closed = header->w_closed != 0;
	rings->events_lost += header->w_lost_events;
	int ended = sm_trace_writer_process_ended(
		ring->writer, ring->process, sm_clock_mono_ns(), EXIT_UNKNOWN, closed);
	int flushed = sm_trace_writer_flush(ring->writer);
	sm_ring_reader_close(&ring->reader);
	ring->finished = true;
	if (r || ended || flushed || !ring_path(rings, ring, path) || unlink(path)) {
		rings->left_behind = true;
	}
}

void sm_rings_drain(struct sm_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		struct sm_ring_file *ring = &rings->item[i];
		if (!is_open(ring)) {
			continue;
		}
		if (ring->gone) {
			finish_ring(rings, ring);
			continue;
		}
		(void)drain_ring(rings, ring, SM_RING_DRAIN_SEALED); /* what failed comes again */
		if (ring->reader.header.w_closed) {
			finish_ring(rings, ring);
		}
	}
}

void sm_rings_process_gone(struct sm_rings *rings, pid_t pid)
{
	for (size_t i = 0; i < rings->count; i++) {
		rings->item[i].gone |= rings->item[i].owner == pid;
	}
}

bool sm_rings_any_alive(const struct sm_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		const struct sm_ring_file *ring = &rings->item[i];
		if (is_open(ring) && ring->owner && !ring->gone) {
			return true;
		}
	}
	return false;
}

void sm_rings_finish(struct sm_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		struct sm_ring_file *ring = &rings->item[i];
		if (is_open(ring)) {
			finish_ring(rings, ring);
		}
		rings->left_behind |= !ring->finished; /* one that never opened */
	}
}

void sm_rings_close(struct sm_rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		sm_ring_reader_close(&rings->item[i].reader);
	}
	sm_mem_free(rings->item);
	rings->item = NULL;
	rings->count = rings->capacity = 0;
}
