/* Following a run: the files by their blocks, and the mappings for what the collector has not fetched yet.
 *
 * A slot of a mapping goes into the file only when it is full, and a slow loop fills one in minutes. So the mappings are
 * looked into as well, and what is seen there will come once more, in a block of the file. Two rules make each event come
 * once, and in its thread's order:
 *
 *   - `told` knows of each segment how many of its bytes were told. Whoever tells more of it begins behind them.
 *   - The mappings are looked at first and told last, with the files read in between. A slot that was given back before the
 *     look is in a file by then; one that was not is in the look. So nothing can fall between the two.
 *
 * A process is introduced by its file, which is why mappings are passed over until it was. */
#include "trace/trace_follow.h"

#include "base/mem.h"
#include "ring/ring_reader.h"
#include "trace/merge.h"
#include "trace/trace_input.h"
#include "trace/trace_telling.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	PATH_BYTES = SM_SALVAGE_PATH_BYTES,
	NAME_BYTES = 256,
	RINGS_MAX = 4096, /* a node with more processes at once shows what its files have */
};

struct file {
	char name[NAME_BYTES];
	struct sm_trace_input input;   /* owned */
	struct sm_trace_local *locals; /* owned; its processes, while another file is told */
	size_t local_capacity;
	int64_t offset_ns;
	uint64_t told_to; /* every block before it */
};

struct ring {
	char name[NAME_BYTES];
	struct sm_ring_reader reader; /* owned */
	bool listed;		      /* still in its directory */
};

struct piece { /* of a segment, as it was seen in a mapping */
	uint32_t ordinal;
	uint32_t tick_shift;
	double ns_per_tick;
	struct sm_ring_segment segment;
	size_t at, bytes; /* its words, in `words` */
};

struct sm_trace_follow {
	char run[PATH_BYTES];
	struct sm_trace_telling telling;
	struct sm_map told;
	struct sm_merge merge;
	struct file *files; /* owned */
	size_t file_count, file_capacity;
	struct ring *rings; /* owned */
	size_t ring_count, ring_capacity;
	struct piece *pieces; /* owned; of this look */
	size_t piece_count, piece_capacity;
	unsigned char *words; /* owned */
	size_t word_bytes, word_capacity;
	bool begun;	/* the visitor was told when the run began */
	bool caught_up; /* the files were told up to their ends once */
};

/* --- files --- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);
	return length > tail && length < NAME_BYTES && !strcmp(name + length - tail, suffix);
}

static bool has_file(const struct sm_trace_follow *follow, const char *name)
{
	for (size_t i = 0; i < follow->file_count; i++) {
		if (!strcmp(follow->files[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* The clocks of ranks on other hosts are aligned once, by what the file says when it is first seen. */
static void align_clock(struct sm_trace_follow *follow, struct file *file)
{
	struct sm_trace_block block;
	const unsigned char *body;
	char boot_id[40] = "";
	const char *key, *value;
	struct sm_trace_lines *lines = &follow->telling.lines;
	int got;
	while (!boot_id[0] && (got = sm_trace_input_skim(
				       &file->input, 1U << SM_TRACE_PROCESS, &block, &body)) > 0) {
		bool introduces = got == SM_TRACE_INPUT_BLOCK && body;
		if (!introduces || sm_trace_lines_begin(lines, body, block.stored_bytes)) {
			continue;
		}
		while (sm_trace_lines_next(lines, &key, &value)) {
			if (!strcmp(key, "boot_id")) {
				snprintf(boot_id, sizeof(boot_id), "%s", value);
			}
		}
	}
	bool other_host;
	file->offset_ns =
		sm_merge_offset(&follow->merge, &file->input.header, boot_id, &other_host);
	sm_trace_input_rewind(&file->input);
}

/* A file that is not whole yet, or none of ours, is looked at again the next time. */
static int add_file(struct sm_trace_follow *follow, const char *name)
{
	char path[PATH_BYTES + NAME_BYTES];
	struct file file = {.input = SM_TRACE_INPUT_EMPTY};
	snprintf(path, sizeof(path), "%s/%s", follow->run, name);
	snprintf(file.name, sizeof(file.name), "%s", name);
	int error = sm_trace_input_open(&file.input, path, NULL);
	if (error) {
		return error == -ENOMEM ? error : 0;
	}
	error = sm_mem_grow(&follow->files, &follow->file_capacity, follow->file_count + 1,
		sizeof(*follow->files));
	if (error) {
		sm_trace_input_close(&file.input);
		return error;
	}
	align_clock(follow, &file);
	file.told_to = file.input.at;
	follow->files[follow->file_count++] = file;
	return 0;
}

static int find_files(struct sm_trace_follow *follow)
{
	DIR *listing = opendir(follow->run);
	int error = listing ? 0 : -errno;
	for (struct dirent *entry; !error && (entry = readdir(listing));) {
		if (ends_with(entry->d_name, ".stall") && !has_file(follow, entry->d_name)) {
			error = add_file(follow, entry->d_name);
		}
	}
	if (listing) {
		closedir(listing);
	}
	return error;
}

static int tell_block(struct sm_trace_follow *follow, enum sm_trace_input_got got,
	const struct sm_trace_block *block, const unsigned char *body)
{
	struct sm_trace_telling *telling = &follow->telling;
	if (got == SM_TRACE_INPUT_DAMAGED) {
		telling->delivery.summary.blocks_damaged++;
		return sm_trace_telling_damage(telling, block);
	}
	if (got == SM_TRACE_INPUT_GAP) {
		telling->delivery.summary.blocks_damaged++;
		sm_trace_delivery_break_all(&telling->delivery);
		return 0;
	}
	return block->type == SM_TRACE_RUN
		       ? sm_trace_telling_run(telling, body, block->stored_bytes)
		       : sm_trace_telling_block(telling, block, body);
}

static void begin_file(struct sm_trace_follow *follow, struct file *file)
{
	follow->telling.locals = file->locals;
	follow->telling.local_capacity = file->local_capacity;
	follow->telling.header = &file->input.header;
	follow->telling.delivery.offset_ns = file->offset_ns;
}

static void leave_file(struct sm_trace_follow *follow, struct file *file)
{
	file->locals = follow->telling.locals;
	file->local_capacity = follow->telling.local_capacity;
	follow->telling.locals = NULL;
	follow->telling.local_capacity = 0;
}

/* Blocks up to the end of the file, or of *left. 1: the bytes were used up before. */
static int tell_file(struct sm_trace_follow *follow, struct file *file, uint64_t *left)
{
	struct sm_trace_block block;
	const unsigned char *body;
	int got = 0,
	    stop = file->input.complete ? 0 : sm_trace_input_go_on(&file->input, file->told_to);
	begin_file(follow, file);
	while (!stop && *left && (got = sm_trace_input_next(&file->input, &block, &body)) > 0) {
		stop = tell_block(follow, (enum sm_trace_input_got)got, &block, body);
		uint64_t bytes = file->input.at - file->told_to;
		*left -= bytes < *left ? bytes : *left;
		file->told_to = file->input.at;
	}
	leave_file(follow, file);
	return stop ? stop : got < 0 ? got : got > 0;
}

/* rank2 before rank10, as the reader has them. */
static int by_name(const void *left, const void *right)
{
	return strverscmp(((const struct file *)left)->name, ((const struct file *)right)->name);
}

static int tell_begin(struct sm_trace_follow *follow)
{
	const struct sm_trace_visitor *visitor = follow->telling.visitor;
	if (follow->begun || !follow->file_count) {
		return 0;
	}
	follow->begun = true;
	qsort(follow->files, follow->file_count, sizeof(*follow->files), by_name);
	return visitor->begin ? visitor->begin(visitor->context,
					follow->files[0].input.header.started_mono_ns)
			      : 0;
}

static int tell_files(struct sm_trace_follow *follow, uint64_t bytes)
{
	int stop = find_files(follow);
	stop = stop ? stop : tell_begin(follow);
	for (size_t i = 0; !stop && i < follow->file_count; i++) {
		stop = tell_file(follow, &follow->files[i], &bytes);
	}
	return stop;
}

/* --- mappings: the look --- */

static struct ring *find_ring(struct sm_trace_follow *follow, const char *name)
{
	for (size_t i = 0; i < follow->ring_count; i++) {
		if (!strcmp(follow->rings[i].name, name)) {
			return &follow->rings[i];
		}
	}
	return NULL;
}

/* A mapping is not whole from the first instant; then the next look finds it so. */
static int add_ring(struct sm_trace_follow *follow, const char *directory, const char *name)
{
	char path[PATH_BYTES + NAME_BYTES];
	struct ring ring = {.reader = SM_RING_READER_EMPTY, .listed = true};
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	snprintf(ring.name, sizeof(ring.name), "%s", name);
	if (follow->ring_count >= RINGS_MAX) {
		return 0;
	}
	int error = sm_ring_reader_open(&ring.reader, path, false, NULL);
	if (error) {
		return error == -ENOMEM ? error : 0;
	}
	error = sm_mem_grow(&follow->rings, &follow->ring_capacity, follow->ring_count + 1,
		sizeof(*follow->rings));
	if (error) {
		sm_ring_reader_close(&ring.reader);
		return error;
	}
	follow->rings[follow->ring_count++] = ring;
	return 0;
}

static int list_rings(struct sm_trace_follow *follow, const char *directory)
{
	DIR *listing = opendir(directory);
	int error = 0;
	for (struct dirent *entry; listing && !error && (entry = readdir(listing));) {
		struct ring *ring =
			ends_with(entry->d_name, ".ring") ? find_ring(follow, entry->d_name) : NULL;
		if (ring) {
			ring->listed = true;
		} else if (ends_with(entry->d_name, ".ring")) {
			error = add_ring(follow, directory, entry->d_name);
		}
	}
	if (listing) {
		closedir(listing);
	}
	return error;
}

/* The collector has taken away what is in a file to the last word. */
static void drop_unlisted(struct sm_trace_follow *follow)
{
	size_t kept = 0;
	for (size_t i = 0; i < follow->ring_count; i++) {
		if (follow->rings[i].listed) {
			follow->rings[kept++] = follow->rings[i];
		} else {
			sm_ring_reader_close(&follow->rings[i].reader);
		}
	}
	follow->ring_count = kept;
}

static int find_rings(struct sm_trace_follow *follow)
{
	char directory[PATH_BYTES + NAME_BYTES], elsewhere[PATH_BYTES];
	for (size_t i = 0; i < follow->ring_count; i++) {
		follow->rings[i].listed = false;
	}
	snprintf(directory, sizeof(directory), "%s/live", follow->run);
	int error = list_rings(follow, directory);
	if (!error && sm_salvage_live_path(follow->run, elsewhere)) {
		error = list_rings(follow, elsewhere);
	}
	drop_unlisted(follow);
	return error;
}

struct looking {
	struct sm_trace_follow *follow;
	struct ring *ring;
	uint32_t ordinal;
};

static int keep_piece(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct looking *looking = context;
	struct sm_trace_follow *follow = looking->follow;
	int error = sm_mem_grow(&follow->pieces, &follow->piece_capacity, follow->piece_count + 1,
		sizeof(*follow->pieces));
	error = error ? error
		      : sm_mem_grow(&follow->words, &follow->word_capacity,
				follow->word_bytes + bytes, 1);
	if (error) {
		return error;
	}
	memcpy(follow->words + follow->word_bytes, words, bytes);
	follow->pieces[follow->piece_count++] = (struct piece){
		.ordinal = looking->ordinal,
		.tick_shift = header->tick_shift,
		.ns_per_tick = sm_ring_cursor_rate(header, segment),
		.segment = *segment,
		.at = follow->word_bytes,
		.bytes = bytes,
	};
	follow->word_bytes += bytes;
	return 0;
}

/* The file may say them once more, which harms nothing. */
static int tell_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct looking *looking = context;
	int stop = sm_trace_delivery_names(
		&looking->follow->telling.delivery, looking->ordinal, entries, bytes);
	return stop == -SM_ERR_FORMAT ? 0 : stop;
}

static int look_into(struct sm_trace_follow *follow, struct ring *ring)
{
	struct sm_trace_known *known =
		sm_trace_delivery_find(&follow->telling.delivery, ring->reader.header.unique);
	if (!known) {
		return 0;
	}
	struct looking looking = {follow, ring, known->shown.ordinal};
	const struct sm_ring_sink sink = {
		.context = &looking, .segment = keep_piece, .names = tell_names};
	int stop = sm_ring_reader_drain(&ring->reader, SM_RING_DRAIN_ALL, &sink);
	return stop == -EIO || stop == -SM_ERR_FORMAT ? 0 : stop;
}

static int look(struct sm_trace_follow *follow)
{
	follow->piece_count = follow->word_bytes = 0;
	int stop = find_rings(follow);
	for (size_t i = 0; !stop && i < follow->ring_count; i++) {
		stop = look_into(follow, &follow->rings[i]);
	}
	return stop;
}

/* --- mappings: the telling --- */

static int tell_piece(struct sm_trace_follow *follow, const struct piece *piece)
{
	struct sm_trace_telling *telling = &follow->telling;
	struct sm_trace_raw_cursor cursor;
	uint64_t known = 0, key = sm_trace_telling_key(piece->ordinal, piece->segment.sequence);
	uint64_t begin = piece->segment.reserved, end = begin + piece->bytes;
	uint32_t tid;
	int got;
	sm_map_find(&follow->told, key, &known);
	if (known >= end) {
		return 0;
	}
	sm_trace_columns_begin_segment(&cursor, &piece->segment, piece->tick_shift,
		piece->ns_per_tick, follow->words + piece->at, piece->bytes);
	sm_trace_columns_skip(&cursor, known > begin ? known - begin : 0);
	while ((got = sm_trace_columns_next_raw(&cursor, &telling->columns, SM_TRACE_BATCH, &tid)) >
		0) {
		got = sm_trace_delivery_events(
			&telling->delivery, piece->ordinal, tid, &telling->columns);
		if (got) {
			return got;
		}
	}
	return got ? got : sm_map_set(&follow->told, key, end);
}

static int tell_pieces(struct sm_trace_follow *follow)
{
	int stop = 0;
	follow->telling.delivery.offset_ns = 0; /* mappings are of this host's clock */
	for (size_t i = 0; !stop && i < follow->piece_count; i++) {
		stop = tell_piece(follow, &follow->pieces[i]);
	}
	follow->piece_count = 0;
	return stop;
}

/* --- the whole --- */

/* Behind a look the files are told to their ends, whatever that takes: they have grown by a moment's worth. */
int sm_trace_follow_more(struct sm_trace_follow *follow, uint64_t bytes)
{
	int stop = 0;
	if (!follow->caught_up) {
		stop = tell_files(follow, bytes);
		follow->caught_up = !stop;
	}
	stop = stop ? stop : look(follow);
	stop = stop ? stop : tell_files(follow, UINT64_MAX);
	return stop ? stop : tell_pieces(follow);
}

uint64_t sm_trace_follow_done(const struct sm_trace_follow *follow, uint64_t *ret_total)
{
	uint64_t done = 0, total = 0;
	for (size_t i = 0; i < follow->file_count; i++) {
		done += follow->files[i].told_to;
		total += follow->files[i].input.file_bytes;
	}
	*ret_total = total;
	return done;
}

const struct sm_trace_summary *sm_trace_follow_summary(const struct sm_trace_follow *follow)
{
	return &follow->telling.delivery.summary;
}

void sm_trace_follow_close(struct sm_trace_follow *follow)
{
	if (!follow) {
		return;
	}
	for (size_t i = 0; i < follow->file_count; i++) {
		sm_trace_input_close(&follow->files[i].input);
		sm_mem_free(follow->files[i].locals);
	}
	for (size_t i = 0; i < follow->ring_count; i++) {
		sm_ring_reader_close(&follow->rings[i].reader);
	}
	sm_mem_free(follow->files);
	sm_mem_free(follow->rings);
	sm_mem_free(follow->pieces);
	sm_mem_free(follow->words);
	sm_map_finish(&follow->told);
	sm_trace_telling_finish(&follow->telling);
	sm_mem_free(follow);
}

int sm_trace_follow_open(struct sm_trace_follow **ret_follow, const char *run,
	const struct sm_trace_visitor *visitor, struct sm_error *reterr)
{
	struct sm_trace_follow *follow = sm_mem_calloc(1, sizeof(*follow));
	int error = follow ? sm_trace_telling_init(&follow->telling, visitor) : -ENOMEM;
	if (!error && snprintf(follow->run, sizeof(follow->run), "%s", run) >= PATH_BYTES) {
		error = -ENAMETOOLONG;
	}
	error = error ? error : find_files(follow);
	if (error) {
		sm_trace_follow_close(follow);
		return sm_error_set(reterr, error, -1, "%s", sm_error_text(error));
	}
	follow->telling.told = &follow->told;
	*ret_follow = follow;
	return 0;
}
