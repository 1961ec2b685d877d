/* One pass over a run.
 *
 * First the facts: every file is skimmed by its block headers, and its RUN blocks told, so that the visitor knows level
 * and host before the first event. Then the files one after the other, blocks as they lie; then what is still in mappings
 * (salvage.c). Memory is a window of the file, one batch of columns, and a few bytes for each process and thread. */
#include "trace/trace_reader.h"

#include "base/mem.h"
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
	PATH_BYTES = 4096,
	PROGRESS_BYTES = 1024 * 1024, /* between two reports of progress */
};

struct file {
	char *path; /* owned */
	struct sm_trace_file_header header;
	char boot_id[40];
	uint64_t bytes;
};

struct reading {
	struct sm_trace_telling telling;
	struct sm_error *reterr;
	struct sm_merge merge;
	struct file *files; /* owned */
	size_t file_count, file_capacity;
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
		error = error ? error : sm_salvage_find(&reading->telling.salvage, path);
	} else {
		error = add_file(reading, path);
	}
	if (error) {
		return sm_error_set(reading->reterr, error, -1, "%s", sm_error_text(error));
	}
	if (!reading->file_count && !reading->telling.salvage.count) {
		return sm_error_set(reading->reterr, -SM_ERR_EMPTY, -1,
			"no rank<N>.stall in it, nor a mapping under live/");
	}
	return 0;
}

/* --- blocks --- */

static int tell_progress(struct reading *reading, uint64_t bytes, bool at_end)
{
	const struct sm_trace_visitor *visitor = reading->telling.visitor;
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
			stop = sm_trace_telling_block(&reading->telling, &block, body);
		} else if (got == SM_TRACE_INPUT_DAMAGED) {
			stop = sm_trace_telling_damage(&reading->telling, &block);
		} else {
			sm_trace_delivery_break_all(&reading->telling.delivery);
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
			stop = sm_trace_telling_run(&reading->telling, body, block.stored_bytes);
			continue;
		}
		stop = file->boot_id[0] ? 0
					: sm_trace_lines_begin(&reading->telling.lines, body,
						  block.stored_bytes);
		while (!stop && !file->boot_id[0] &&
			sm_trace_lines_next(&reading->telling.lines, &key, &value)) {
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
	reading->telling.delivery.offset_ns =
		sm_merge_offset(&reading->merge, &file->header, file->boot_id, &other_host);
	char why[120];
	snprintf(why, sizeof(why),
		"rank %d ran on another host: its times are aligned by the two wall clocks",
		file->header.rank);
	return other_host ? sm_trace_telling_note(&reading->telling, "order between hosts", why)
			  : 0;
}

static int visit_file(struct reading *reading, const struct file *file)
{
	struct sm_trace_input input;
	struct sm_trace_summary *summary = &reading->telling.delivery.summary;
	int stop = sm_trace_input_open(&input, file->path, reading->reterr);
	if (stop) {
		return stop;
	}
	sm_trace_telling_begin_file(&reading->telling, &file->header);
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

static int tell_begin(struct reading *reading)
{
	const struct sm_trace_visitor *visitor = reading->telling.visitor;
	return visitor->begin && reading->file_count
		       ? visitor->begin(visitor->context, reading->files[0].header.started_mono_ns)
		       : 0;
}

static int visit_all(struct reading *reading)
{
	int stop = 0;
	for (size_t i = 0; !stop && i < reading->file_count; i++) {
		stop = skim_file(reading, &reading->files[i]);
		reading->bytes_total += reading->files[i].bytes;
	}
	for (size_t i = 0; i < reading->telling.salvage.count; i++) {
		reading->bytes_total += reading->telling.salvage.rings[i].bytes;
	}
	stop = stop ? stop : tell_begin(reading);
	for (size_t i = 0; !stop && i < reading->file_count; i++) {
		stop = visit_file(reading, &reading->files[i]);
	}
	stop = stop ? stop
		    : sm_salvage_deliver(&reading->telling.salvage, &reading->telling.delivery);
	stop = stop ? stop : sm_trace_delivery_rest_of_losses(&reading->telling.delivery);
	return stop ? stop : tell_progress(reading, reading->bytes_total, true);
}

static void finish(struct reading *reading)
{
	for (size_t i = 0; i < reading->file_count; i++) {
		sm_mem_free(reading->files[i].path);
	}
	sm_mem_free(reading->files);
	sm_trace_telling_finish(&reading->telling);
}

int sm_trace_reader_visit(const char *path, const struct sm_trace_visitor *visitor,
	struct sm_trace_summary *ret_summary, struct sm_error *reterr)
{
	struct sm_error own;
	struct reading reading = {.reterr = reterr ? reterr : &own};
	*reading.reterr = (struct sm_error){.offset = -1};
	int stop = sm_trace_telling_init(&reading.telling, visitor);
	stop = stop ? stop : find_files(&reading, path);
	stop = stop ? stop : visit_all(&reading);
	if (stop && !reading.reterr->code) {
		sm_error_set(reading.reterr, stop, -1, "%s",
			stop < 0 ? sm_error_text(stop) : "stopped by its reader");
	}
	struct sm_trace_summary *summary = &reading.telling.delivery.summary;
	summary->complete &= !summary->events_lost && !summary->blocks_damaged;
	if (!stop && ret_summary) {
		*ret_summary = *summary;
	}
	finish(&reading);
	return stop;
}
