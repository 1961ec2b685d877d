/* What a file and the mappings left behind have in common must be told once.
 *
 * The collector first writes a segment to the file and then gives its slot back. Killed in between, both have it; killed
 * in the middle of the write, the file ends torn and only the mapping has it. So every EVENTS block names the process's
 * unique text, the segment and its bytes, and here the segments that are still in mappings are listed before the file is
 * read: one entry per slot, however long the file is. While it is read, the entries learn what the file has; behind it,
 * the mappings are drained of the rest. */
#include "trace/salvage.h"

#include "base/mem.h"
#include "ring/ring_reader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- finding --- */

static uint64_t key_of(int ring, uint64_t sequence)
{
	return (uint64_t)ring << 44 ^ sequence;
}

struct listing {
	struct sm_salvage *salvage;
	int ring;
};

static int list_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct listing *listing = context;
	return sm_map_set(&listing->salvage->known, key_of(listing->ring, segment->sequence), 0);
}

static int add_path(struct sm_salvage *salvage, const char *path)
{
	struct sm_salvage_ring ring = {0};
	int error = sm_mem_grow(
		&salvage->rings, &salvage->capacity, salvage->count + 1, sizeof(*salvage->rings));
	ring.path = error ? NULL : sm_mem_strdup(path);
	if (!ring.path) {
		return -ENOMEM;
	}
	salvage->rings[salvage->count++] = ring;
	return 0;
}

/* What is no mapping, or gone already, keeps no `unique` and is never asked for. */
static int list_ring(struct sm_salvage *salvage, int number)
{
	struct sm_salvage_ring *ring = &salvage->rings[number];
	struct listing listing = {salvage, number};
	struct sm_ring_sink sink = {.context = &listing, .segment = list_segment};
	struct sm_ring_reader reader;
	int error = sm_ring_reader_open(&reader, ring->path, false, NULL);
	if (error) {
		return error == -ENOMEM ? error : 0;
	}
	snprintf(ring->unique, sizeof(ring->unique), "%s", reader.header.unique);
	ring->bytes = reader.slot_count * (uint64_t)reader.header.segment_bytes;
	error = sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink);
	sm_ring_reader_close(&reader);
	return error;
}

static bool is_ring_name(const char *name)
{
	size_t length = strlen(name);
	return length > 5 && !strcmp(name + length - 5, ".ring");
}

static int find_in(struct sm_salvage *salvage, const char *directory)
{
	DIR *listing = opendir(directory);
	int error = 0;
	if (!listing) {
		return 0;
	}
	for (struct dirent *entry; !error && (entry = readdir(listing));) {
		char path[SM_SALVAGE_PATH_BYTES];
		int length = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (is_ring_name(entry->d_name) && length < SM_SALVAGE_PATH_BYTES) {
			error = add_path(salvage, path);
		}
	}
	closedir(listing);
	return error;
}

bool sm_salvage_live_path(const char *run_directory, char path[SM_SALVAGE_PATH_BYTES])
{
	char name[SM_SALVAGE_PATH_BYTES];
	snprintf(name, sizeof(name), "%s/live.path", run_directory);
	FILE *file = fopen(name, "re");
	bool has = file && fgets(path, SM_SALVAGE_PATH_BYTES, file);
	if (file) {
		fclose(file);
	}
	if (has) {
		path[strcspn(path, "\n")] = '\0';
	}
	return has && path[0];
}

static int compare_rings(const void *left, const void *right)
{
	const struct sm_salvage_ring *a = left, *b = right;
	return strcmp(a->path, b->path);
}

int sm_salvage_find(struct sm_salvage *salvage, const char *run_directory)
{
	char path[SM_SALVAGE_PATH_BYTES];
	*salvage = SM_SALVAGE_EMPTY;
	snprintf(path, sizeof(path), "%s/live", run_directory);
	int error = find_in(salvage, path);
	if (!error && sm_salvage_live_path(run_directory, path)) {
		error = find_in(salvage, path);
	}
	if (!error && salvage->count) { /* the same order on every machine */
		qsort(salvage->rings, salvage->count, sizeof(*salvage->rings), compare_rings);
	}
	for (size_t i = 0; !error && i < salvage->count; i++) {
		error = list_ring(salvage, (int)i);
	}
	if (error) {
		sm_salvage_finish(salvage);
	}
	return error;
}

void sm_salvage_finish(struct sm_salvage *salvage)
{
	for (size_t i = 0; i < salvage->count; i++) {
		sm_mem_free(salvage->rings[i].path);
	}
	sm_mem_free(salvage->rings);
	sm_map_finish(&salvage->known);
	*salvage = SM_SALVAGE_EMPTY;
}

/* --- what the file has --- */

int sm_salvage_ring_of(const struct sm_salvage *salvage, const char *unique)
{
	for (size_t i = 0; unique[0] && i < salvage->count; i++) {
		if (!strcmp(salvage->rings[i].unique, unique)) {
			return (int)i;
		}
	}
	return -1;
}

int sm_salvage_note(struct sm_salvage *salvage, int ring, uint64_t sequence, uint32_t end_bytes)
{
	uint64_t known;
	if (ring < 0 || !sm_map_find(&salvage->known, key_of(ring, sequence), &known) ||
		known >= end_bytes) {
		return 0;
	}
	return sm_map_set(&salvage->known, key_of(ring, sequence), end_bytes);
}

/* --- the rest --- */

struct rest {
	const struct sm_salvage *salvage;
	struct sm_trace_delivery *delivery;
	int ring;
	uint32_t ordinal;
	struct sm_trace_columns columns; /* owned */
	bool any;
};

static int deliver_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct rest *rest = context;
	struct sm_ring_segment copy = *segment;
	const unsigned char *at = words;
	uint64_t known = 0;
	sm_map_find(&rest->salvage->known, key_of(rest->ring, segment->sequence), &known);
	sm_ring_cursor_skip(header, &copy, &at, &bytes, (size_t)known);
	struct sm_trace_raw_cursor cursor;
	uint32_t tid;
	int got;
	sm_trace_columns_begin_segment(&cursor, &copy, header->tick_shift,
		sm_ring_cursor_rate(header, segment), at, bytes);
	while ((got = sm_trace_columns_next_raw(&cursor, &rest->columns, SM_TRACE_BATCH, &tid)) >
		0) {
		rest->any = true;
		got = sm_trace_delivery_events(rest->delivery, rest->ordinal, tid, &rest->columns);
		if (got) {
			break;
		}
	}
	return got;
}

static int deliver_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct rest *rest = context;
	return sm_trace_delivery_names(rest->delivery, rest->ordinal, entries, bytes);
}

static int introduce(struct rest *rest, const struct sm_ring_header *header)
{
	struct sm_trace_process shown = {
		.pid = header->pid,
		.ppid = header->ppid,
		.rank = header->rank,
		.started_ns = header->opened.mono_ns,
		.ended_ns = -1,
		.complete = header->w_closed == 1,
		.program = header->program,
	};
	struct sm_trace_known *known = sm_trace_delivery_find(rest->delivery, header->unique);
	int error = 0;
	if (known) {
		rest->ordinal = known->shown.ordinal;
		known->shown.complete |= header->w_closed == 1;
	} else {
		error = sm_trace_delivery_add(
			rest->delivery, &shown, header->unique, &rest->ordinal);
	}
	return error ? error : sm_trace_delivery_show(rest->delivery, rest->ordinal);
}

static int deliver_ring(
	const struct sm_salvage *salvage, int ring, struct sm_trace_delivery *delivery)
{
	struct rest rest = {.salvage = salvage, .delivery = delivery, .ring = ring};
	struct sm_ring_sink sink = {
		.context = &rest, .segment = deliver_segment, .names = deliver_names};
	struct sm_ring_reader reader;
	int error = sm_ring_reader_open(&reader, salvage->rings[ring].path, false, NULL);
	if (error) {
		return error == -ENOMEM ? error : 0; /* emptied and removed meanwhile */
	}
	error = introduce(&rest, &reader.header);
	error = error ? error : sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink);
	if (!error) {
		struct sm_trace_known *known = &delivery->processes[rest.ordinal];
		uint64_t lost = reader.header.w_lost_events;
		known->lost_said = lost > known->lost_said ? lost : known->lost_said;
		delivery->summary.blocks_damaged += reader.damaged_segments;
		delivery->summary.complete &= !rest.any && !reader.damaged_segments;
	}
	sm_trace_columns_finish(&rest.columns);
	sm_ring_reader_close(&reader);
	return error;
}

int sm_salvage_deliver(const struct sm_salvage *salvage, struct sm_trace_delivery *delivery)
{
	int error = 0;
	delivery->offset_ns = 0; /* they are of this host's clock, as the files beside them */
	for (size_t i = 0; !error && i < salvage->count; i++) {
		error = deliver_ring(salvage, (int)i, delivery);
	}
	return error;
}
