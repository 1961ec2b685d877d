/* One pass over a run.
 *
 * First the facts: every file is skimmed by its block headers, and its RUN blocks told, so that the visitor knows level
 * and host before the first event. Then the files one after the other, blocks as they lie; then what is still in mappings
 * (salvage.c). Memory is a window of the file, one batch of columns, and a few bytes for each process and thread. */
#include "trace/trace_reader.h"

#include "base/mem.h"
#include "trace/merge.h"
#include "trace/salvage.h"
#include "trace/trace_delivery.h"
#include "trace/trace_input.h"
#include "trace/trace_lines.h"
#include "trace/trace_samples.h"
#include "trace/trace_unpacker.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

enum {
	PATH_BYTES = 4096,
	PROGRESS_BYTES = 1024 * 1024, /* between two reports of progress */
};

struct local {		  /* a process of the file being read */
	uint32_t ordinal; /* in the run */
	int ring;	  /* its mapping that was left behind; -1: none */
	bool known;
};

struct file {
	char *path; /* owned */
	struct sm_trace_file_header header;
	char boot_id[40];
	uint64_t bytes;
};

struct reading {
	const struct sm_trace_visitor *visitor;
	struct sm_error *reterr;
	struct sm_trace_delivery delivery;
	struct sm_salvage salvage;
	struct sm_merge merge;
	struct file *files; /* owned */
	size_t file_count, file_capacity;
	struct local *locals; /* owned */
	size_t local_count, local_capacity;
	struct sm_trace_unpacker *unpacker; /* owned */
	struct sm_trace_columns columns;
	struct sm_trace_samples_columns *samples; /* owned */
	unsigned char *plain;			  /* owned; a SAMPLES body out of its frame */
	size_t plain_capacity;
	struct sm_trace_lines lines;
	const struct sm_trace_file_header *header; /* of the file being read */
	uint64_t bytes_before, bytes_total, bytes_told;
};

/* --- which files --- */

static int add_file(struct reading *reading, const char *path)
{
	int error = sm_mem_grow(&reading->files, &reading->file_capacity, reading->file_count + 1,
		sizeof(*reading->files));
	char *copy = error ? NULL : sm_mem_strdup(path);
	if (!copy) {
		return -ENOMEM;
	}
	reading->files[reading->file_count++] = (struct file){.path = copy};
	return 0;
}

static bool is_trace_name(const char *name)
{
	size_t length = strlen(name);
	return length > 6 && !strcmp(name + length - 6, ".stall");
}

/* rank2 before rank10. */
static int compare_files(const void *left, const void *right)
{
	const struct file *a = left, *b = right;
	return strverscmp(a->path, b->path);
}

static int add_files_of(struct reading *reading, const char *directory)
{
	DIR *listing = opendir(directory);
	int error = 0;
	if (!listing) {
		return -errno;
	}
	for (struct dirent *entry; !error && (entry = readdir(listing));) {
		char path[PATH_BYTES];
		int length = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (is_trace_name(entry->d_name) && length < PATH_BYTES) {
			error = add_file(reading, path);
		}
	}
	closedir(listing);
	if (reading->file_count) {
		qsort(reading->files, reading->file_count, sizeof(*reading->files), compare_files);
	}
	return error;
}

static int find_files(struct reading *reading, const char *path)
{
	struct stat st;
	if (stat(path, &st)) {
		int error = -errno;
		return sm_error_set(reading->reterr, error, -1, "%s", sm_error_text(error));
	}
	int error = 0;
	if (S_ISDIR(st.st_mode)) {
		error = add_files_of(reading, path);
		error = error ? error : sm_salvage_find(&reading->salvage, path);
	} else {
		error = add_file(reading, path);
	}
	if (error) {
		return sm_error_set(reading->reterr, error, -1, "%s", sm_error_text(error));
	}
	if (!reading->file_count && !reading->salvage.count) {
		return sm_error_set(reading->reterr, -SM_ERR_EMPTY, -1,
			"no rank<N>.stall in it, nor a mapping under live/");
	}
	return 0;
}

/* --- words --- */

static int tell_run(struct reading *reading, const unsigned char *body, size_t bytes)
{
	const char *key, *value;
	int stop = reading->visitor->run ? sm_trace_lines_begin(&reading->lines, body, bytes) : 0;
	while (!stop && reading->visitor->run &&
		sm_trace_lines_next(&reading->lines, &key, &value)) {
		stop = reading->visitor->run(reading->visitor->context, key, value);
	}
	return stop;
}

static int tell_note(struct reading *reading, const char *what, const char *why)
{
	const struct sm_trace_visitor *visitor = reading->visitor;
	return visitor->note ? visitor->note(visitor->context, what, why) : 0;
}

static int tell_notes(struct reading *reading, const unsigned char *body, size_t bytes)
{
	const char *key, *value;
	int stop = sm_trace_lines_begin(&reading->lines, body, bytes);
	while (!stop && sm_trace_lines_next(&reading->lines, &key, &value)) {
		stop = tell_note(reading, key, value);
	}
	return stop;
}

/* The process an ordinal of this file stands for; made up when its block was damaged. */
static int local_of(struct reading *reading, uint32_t process, struct local **ret_local)
{
	if (process > 1 << 20) {
		return -SM_ERR_FORMAT;
	}
	size_t had = reading->local_capacity;
	int error = sm_mem_grow(&reading->locals, &reading->local_capacity, (size_t)process + 1,
		sizeof(*reading->locals));
	if (error) {
		return error;
	}
	memset(reading->locals + had, 0,
		(reading->local_capacity - had) * sizeof(*reading->locals));
	struct local *local = &reading->locals[process];
	if (!local->known) {
		struct sm_trace_process shown = {
			.pid = -1,
			.ppid = -1,
			.rank = reading->header->rank,
			.started_ns = -1,
			.ended_ns = -1,
		};
		error = sm_trace_delivery_add(&reading->delivery, &shown, "", &local->ordinal);
		local->ring = -1;
		local->known = !error;
	}
	*ret_local = local;
	return error;
}

static int known_local(struct reading *reading, uint32_t process, struct local **ret_local)
{
	bool shown = process < reading->local_capacity && reading->locals[process].known;
	int error = local_of(reading, process, ret_local);
	return error || shown ? error
			      : sm_trace_delivery_show(&reading->delivery, (*ret_local)->ordinal);
}

static int set_text(char **text, const char *value)
{
	char *copy = sm_mem_strdup(value);
	if (!copy) {
		return -ENOMEM;
	}
	sm_mem_free(*text);
	*text = copy;
	return 0;
}

static int learn(struct sm_trace_known *known, const char *key, const char *value)
{
	struct sm_trace_process *shown = &known->shown;
	int64_t number = sm_trace_lines_number(value, -1);
	if (!strcmp(key, "pid")) {
		shown->pid = (int32_t)number;
	} else if (!strcmp(key, "ppid")) {
		shown->ppid = (int32_t)number;
	} else if (!strcmp(key, "rank")) {
		shown->rank = (int32_t)number;
	} else if (!strcmp(key, "opened_mono_ns")) {
		shown->started_ns = number;
	} else if (!strcmp(key, "ended_ns")) {
		shown->ended_ns = number;
	} else if (!strcmp(key, "complete")) {
		shown->complete = number == 1;
	} else if (!strcmp(key, "lost_events")) {
		known->lost_said = number > 0 ? (uint64_t)number : 0;
	} else if (!strcmp(key, "unique")) {
		snprintf(known->unique, sizeof(known->unique), "%s", value);
	} else if (!strcmp(key, "program")) {
		int error = set_text(&known->program, value);
		shown->program = known->program;
		return error;
	}
	return 0;
}

static int tell_process(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	struct local *local;
	const char *key, *value;
	int error = local_of(reading, block->process, &local);
	error = error ? error : sm_trace_lines_begin(&reading->lines, body, block->stored_bytes);
	if (error) {
		return error;
	}
	struct sm_trace_known *known = &reading->delivery.processes[local->ordinal];
	while (!error && sm_trace_lines_next(&reading->lines, &key, &value)) {
		error = learn(known, key, value);
	}
	local->ring = sm_salvage_ring_of(&reading->salvage, known->unique);
	return error ? error : sm_trace_delivery_show(&reading->delivery, local->ordinal);
}

/* --- events --- */

static int tell_raw(struct reading *reading, const struct sm_trace_block *block,
	const unsigned char *body, uint32_t ordinal, uint64_t *told)
{
	struct sm_trace_raw_cursor cursor;
	uint32_t tid;
	int got = sm_trace_columns_begin_raw(&cursor, block, body);
	while (!got && (got = sm_trace_columns_next_raw(
				&cursor, &reading->columns, SM_TRACE_BATCH, &tid)) > 0) {
		*told += reading->columns.count;
		got = sm_trace_delivery_events(&reading->delivery, ordinal, tid, &reading->columns);
	}
	return got ? got : cursor.damaged ? -SM_ERR_FORMAT : 0;
}

static int tell_packed(struct reading *reading, const struct sm_trace_block *block,
	const unsigned char *body, uint32_t ordinal, uint64_t *told)
{
	int got = sm_trace_unpacker_begin(reading->unpacker, block, body);
	while (!got && (got = sm_trace_unpacker_next(
				reading->unpacker, &reading->columns, SM_TRACE_BATCH)) > 0) {
		*told += reading->columns.count;
		got = sm_trace_delivery_events(
			&reading->delivery, ordinal, block->tid, &reading->columns);
	}
	return got;
}

/* Where the mapping's words begin and end is at the same place in both bodies. */
static int note_segment(struct reading *reading, const struct sm_trace_block *block,
	const unsigned char *body, int ring)
{
	struct sm_trace_raw raw;
	_Static_assert(offsetof(struct sm_trace_raw, end_bytes) ==
			       offsetof(struct sm_trace_packed, end_bytes),
		"one front for both");
	if (ring < 0 || block->stored_bytes < sizeof(raw)) {
		return 0;
	}
	memcpy(&raw, body, sizeof(raw));
	return sm_salvage_note(&reading->salvage, ring, raw.sequence, raw.end_bytes);
}

static int tell_events(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	struct local *local;
	uint64_t told = 0;
	int error = known_local(reading, block->process, &local);
	if (error) {
		return error;
	}
	uint32_t ordinal = local->ordinal;
	error = note_segment(reading, block, body, local->ring);
	if (error) {
		return error;
	}
	if (block->codec == SM_TRACE_RAW) {
		error = tell_raw(reading, block, body, ordinal, &told);
	} else if (block->codec == SM_TRACE_PACKED) {
		error = tell_packed(reading, block, body, ordinal, &told);
	} else {
		error = -SM_ERR_FORMAT; /* a coding of a later version */
	}
	if (error != -SM_ERR_FORMAT) {
		return error;
	}
	reading->delivery.summary.blocks_damaged++;
	uint64_t rest = block->count > told ? block->count - told : 0;
	return sm_trace_delivery_loss(
		&reading->delivery, ordinal, rest, block->first_ns, block->last_ns);
}

/* --- samples --- */

static int open_samples(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	if (block->codec == SM_TRACE_PLAIN) {
		return sm_trace_samples_decode(
			reading->samples, body, block->stored_bytes, block->count);
	}
	if (block->codec != SM_TRACE_ZSTD) {
		return -SM_ERR_FORMAT;
	}
	int error = sm_mem_grow(
		&reading->plain, &reading->plain_capacity, (size_t)block->plain_bytes + 1, 1);
	if (error) {
		return error;
	}
	size_t got = ZSTD_decompress(reading->plain, block->plain_bytes, body, block->stored_bytes);
	return ZSTD_isError(got) ? -SM_ERR_FORMAT
				 : sm_trace_samples_decode(
					   reading->samples, reading->plain, got, block->count);
}

static int tell_samples(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	const struct sm_trace_visitor *visitor = reading->visitor;
	struct sm_trace_samples_columns *columns = reading->samples;
	if (!visitor->samples) {
		return 0;
	}
	int error = open_samples(reading, block, body);
	if (error == -SM_ERR_FORMAT) {
		reading->delivery.summary.blocks_damaged++;
		return 0;
	}
	if (error) {
		return error;
	}
	for (size_t i = 0; i < columns->count; i++) {
		columns->time_ns[i] = (int64_t)((uint64_t)columns->time_ns[i] +
						(uint64_t)reading->delivery.offset_ns);
	}
	struct sm_trace_samples samples = {
		.count = columns->count,
		.time_ns = columns->time_ns,
		.metric = columns->metric,
		.instance = columns->instance,
		.value = columns->value,
	};
	return visitor->samples(visitor->context, &samples);
}

/* --- blocks --- */

static int tell_names(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	struct local *local;
	int error = known_local(reading, block->process, &local);
	error = error ? error
		      : sm_trace_delivery_names(
				&reading->delivery, local->ordinal, body, block->stored_bytes);
	if (error == -SM_ERR_FORMAT) {
		reading->delivery.summary.blocks_damaged++;
		return 0;
	}
	return error;
}

static int tell_loss(struct reading *reading, const struct sm_trace_block *block)
{
	struct local *local;
	int error = known_local(reading, block->process, &local);
	return error ? error
		     : sm_trace_delivery_loss(&reading->delivery, local->ordinal, block->count,
			       block->first_ns, block->last_ns);
}

static int tell_block(
	struct reading *reading, const struct sm_trace_block *block, const unsigned char *body)
{
	switch (block->type) {
	case SM_TRACE_PROCESS:
		return tell_process(reading, block, body);
	case SM_TRACE_NAMES:
		return tell_names(reading, block, body);
	case SM_TRACE_EVENTS:
		return tell_events(reading, block, body);
	case SM_TRACE_SAMPLES:
		return tell_samples(reading, block, body);
	case SM_TRACE_LOSS:
		return tell_loss(reading, block);
	case SM_TRACE_NOTE:
		return tell_notes(reading, body, block->stored_bytes);
	default:
		return 0; /* RUN was told before; the index is not needed; later versions have more */
	}
}

/* A body is gone; its header still says what was in it. */
static int tell_damage(struct reading *reading, const struct sm_trace_block *block)
{
	if (block->type == SM_TRACE_EVENTS) {
		return tell_loss(reading, block);
	}
	sm_trace_delivery_break_all(&reading->delivery);
	return 0;
}

static int tell_progress(struct reading *reading, uint64_t bytes, bool at_end)
{
	const struct sm_trace_visitor *visitor = reading->visitor;
	if (!visitor->progress || (!at_end && bytes - reading->bytes_told < PROGRESS_BYTES)) {
		return 0;
	}
	reading->bytes_told = bytes;
	return visitor->progress(visitor->context, bytes, reading->bytes_total);
}

static int tell_blocks(struct reading *reading, struct sm_trace_input *input)
{
	struct sm_trace_block block;
	const unsigned char *body;
	int got, stop = 0;
	while (!stop && (got = sm_trace_input_next(input, &block, &body)) > 0) {
		if (got == SM_TRACE_INPUT_BLOCK) {
			stop = tell_block(reading, &block, body);
		} else if (got == SM_TRACE_INPUT_DAMAGED) {
			stop = tell_damage(reading, &block);
		} else {
			sm_trace_delivery_break_all(&reading->delivery);
		}
		stop = stop ? stop
			    : tell_progress(reading, reading->bytes_before + input->at, false);
	}
	return stop ? stop : got;
}

/* --- files --- */

/* Tells the RUN blocks, and learns on which host the file was written. */
static int skim_file(struct reading *reading, struct file *file)
{
	struct sm_trace_input input;
	struct sm_trace_block block;
	const unsigned char *body;
	const unsigned types = 1U << SM_TRACE_RUN | 1U << SM_TRACE_PROCESS;
	int got = sm_trace_input_open(&input, file->path, reading->reterr), stop = got;
	file->header = input.header;
	file->bytes = input.file_bytes;
	while (!stop && (got = sm_trace_input_skim(&input, types, &block, &body)) > 0) {
		const char *key, *value;
		if (got != SM_TRACE_INPUT_BLOCK || !body) {
			continue;
		}
		if (block.type == SM_TRACE_RUN) {
			stop = tell_run(reading, body, block.stored_bytes);
			continue;
		}
		stop = file->boot_id[0]
			       ? 0
			       : sm_trace_lines_begin(&reading->lines, body, block.stored_bytes);
		while (!stop && !file->boot_id[0] &&
			sm_trace_lines_next(&reading->lines, &key, &value)) {
			if (!strcmp(key, "boot_id")) {
				snprintf(file->boot_id, sizeof(file->boot_id), "%s", value);
			}
		}
	}
	sm_trace_input_close(&input);
	return stop ? stop : got;
}

static int align_clock(struct reading *reading, const struct file *file)
{
	bool other_host;
	reading->delivery.offset_ns =
		sm_merge_offset(&reading->merge, &file->header, file->boot_id, &other_host);
	char why[120];
	snprintf(why, sizeof(why),
		"rank %d ran on another host: its times are aligned by the two wall clocks",
		file->header.rank);
	return other_host ? tell_note(reading, "order between hosts", why) : 0;
}

static int visit_file(struct reading *reading, const struct file *file)
{
	struct sm_trace_input input;
	struct sm_trace_summary *summary = &reading->delivery.summary;
	int stop = sm_trace_input_open(&input, file->path, reading->reterr);
	if (stop) {
		return stop;
	}
	reading->header = &file->header;
	if (reading->local_capacity) {
		memset(reading->locals, 0, reading->local_capacity * sizeof(*reading->locals));
	}
	stop = align_clock(reading, file);
	stop = stop ? stop : tell_blocks(reading, &input);
	summary->files++;
	summary->bytes += input.file_bytes;
	summary->blocks_damaged += input.damaged;
	summary->complete &= input.complete;
	reading->bytes_before += input.file_bytes;
	sm_trace_input_close(&input);
	return stop;
}

/* --- the whole --- */

static int get_buffers(struct reading *reading)
{
	reading->samples = sm_mem_alloc(sizeof(*reading->samples));
	int error = reading->samples ? sm_trace_unpacker_create(&reading->unpacker) : -ENOMEM;
	return error ? sm_error_set(reading->reterr, error, -1, "out of memory") : 0;
}

static int visit_all(struct reading *reading)
{
	int stop = 0;
	for (size_t i = 0; !stop && i < reading->file_count; i++) {
		stop = skim_file(reading, &reading->files[i]);
		reading->bytes_total += reading->files[i].bytes;
	}
	for (size_t i = 0; i < reading->salvage.count; i++) {
		reading->bytes_total += reading->salvage.rings[i].bytes;
	}
	for (size_t i = 0; !stop && i < reading->file_count; i++) {
		stop = visit_file(reading, &reading->files[i]);
	}
	stop = stop ? stop : sm_salvage_deliver(&reading->salvage, &reading->delivery);
	stop = stop ? stop : sm_trace_delivery_rest_of_losses(&reading->delivery);
	return stop ? stop : tell_progress(reading, reading->bytes_total, true);
}

static void finish(struct reading *reading)
{
	for (size_t i = 0; i < reading->file_count; i++) {
		sm_mem_free(reading->files[i].path);
	}
	sm_mem_free(reading->files);
	sm_mem_free(reading->locals);
	sm_mem_free(reading->samples);
	sm_mem_free(reading->plain);
	sm_trace_unpacker_destroy(reading->unpacker);
	sm_trace_columns_finish(&reading->columns);
	sm_trace_lines_finish(&reading->lines);
	sm_salvage_finish(&reading->salvage);
	sm_trace_delivery_finish(&reading->delivery);
}

int sm_trace_reader_visit(const char *path, const struct sm_trace_visitor *visitor,
	struct sm_trace_summary *ret_summary, struct sm_error *reterr)
{
	struct sm_error own = {.offset = -1};
	struct reading reading = {
		.visitor = visitor,
		.reterr = reterr ? reterr : &own,
		.delivery = {.visitor = visitor, .summary = {.complete = true}},
	};
	*reading.reterr = own;
	int stop = get_buffers(&reading);
	stop = stop ? stop : find_files(&reading, path);
	stop = stop ? stop : visit_all(&reading);
	if (stop && !reading.reterr->code) {
		sm_error_set(reading.reterr, stop, -1, "%s",
			stop < 0 ? sm_error_text(stop) : "stopped by its reader");
	}
	struct sm_trace_summary *summary = &reading.delivery.summary;
	summary->complete &= !summary->events_lost && !summary->blocks_damaged;
	if (!stop && ret_summary) {
		*ret_summary = *summary;
	}
	finish(&reading);
	return stop;
}
