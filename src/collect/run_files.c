#include "collect/run_files.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int add_file(struct sm_run_files *files, int32_t rank, struct sm_error *reterr)
{
	struct sm_run_file file = {.rank = rank < 0 ? 0 : rank};
	const struct sm_trace_writer_options options = {
		.rank = rank,
		.limit_bytes = files->limit_bytes,
		.run_id = files->id,
		.started_real_ns = files->started_real_ns,
		.started_mono_ns = files->started_mono_ns,
	};
	if (sm_mem_grow(&files->file, &files->capacity, files->count + 1, sizeof(file))) {
		return sm_error_set(reterr, -ENOMEM, -1, "out of memory");
	}
	if (snprintf(file.path, sizeof(file.path), "%s/rank%d.stall", files->directory,
		    file.rank) >= PATH_MAX) {
		return sm_error_set(
			reterr, -ENAMETOOLONG, -1, "%s: name too long", files->directory);
	}
	int r = sm_trace_writer_create(file.path, &options, &file.writer, reterr);
	if (r) {
		return r;
	}
	files->file[files->count++] = file;
	return 0;
}

static void make_id(char id[24])
{
	uint64_t random[1];
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
		random[0] = (uint64_t)sm_clock_mono_ns() ^ (uint64_t)getpid() << 32;
	}
	snprintf(id, 24, "%016llx", (unsigned long long)random[0]);
}

int sm_run_files_open(struct sm_run_files *files, const char *directory, int32_t rank,
	uint64_t limit_bytes, struct sm_error *reterr)
{
	*files = (struct sm_run_files){
		.limit_bytes = limit_bytes,
		.started_real_ns = sm_clock_real_ns(),
		.started_mono_ns = sm_clock_mono_ns(),
	};
	snprintf(files->directory, sizeof(files->directory), "%s", directory);
	make_id(files->id);
	return add_file(files, rank, reterr);
}

struct sm_trace_writer *sm_run_files_first(const struct sm_run_files *files)
{
	return files->file[0].writer;
}

/* A process without a rank (a launcher, say) goes into the first file. */
struct sm_trace_writer *sm_run_files_of_rank(
	struct sm_run_files *files, int32_t rank, struct sm_error *reterr)
{
	if (rank < 0) {
		return files->file[0].writer;
	}
	for (size_t i = 0; i < files->count; i++) {
		if (files->file[i].rank == rank) {
			return files->file[i].writer;
		}
	}
	return add_file(files, rank, reterr) ? NULL : files->file[files->count - 1].writer;
}

int sm_run_files_flush(struct sm_run_files *files)
{
	int result = 0;
	for (size_t i = 0; i < files->count; i++) {
		int r = sm_trace_writer_flush(files->file[i].writer);
		result = result ? result : r;
	}
	return result;
}

void sm_run_files_share_limit(struct sm_run_files *files)
{
	uint64_t used = 0;
	for (size_t i = 0; i < files->count; i++) {
		used += sm_trace_writer_bytes(files->file[i].writer);
	}
	for (size_t i = 0; files->limit_bytes && i < files->count; i++) {
		struct sm_trace_writer *writer = files->file[i].writer;
		uint64_t others = used - sm_trace_writer_bytes(writer);
		sm_trace_writer_set_limit(
			writer, files->limit_bytes > others ? files->limit_bytes - others : 1);
	}
}

uint64_t sm_run_files_lost(const struct sm_run_files *files)
{
	uint64_t lost = 0;
	for (size_t i = 0; i < files->count; i++) {
		lost += sm_trace_writer_lost(files->file[i].writer);
	}
	return lost;
}

int sm_run_files_finish(struct sm_run_files *files, bool pack, struct sm_error *reterr)
{
	int result = 0;
	for (size_t i = 0; i < files->count; i++) {
		struct sm_run_file *file = &files->file[i];
		int r = sm_trace_writer_finish(file->writer, result ? NULL : reterr);
		sm_trace_writer_destroy(file->writer);
		file->writer = NULL;
		if (!r && pack) {
			(void)sm_trace_writer_pack(
				file->path, NULL); /* the file is whole without it */
		}
		result = result ? result : r;
	}
	return result;
}

void sm_run_files_close(struct sm_run_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		sm_trace_writer_destroy(files->file[i].writer);
	}
	sm_mem_free(files->file);
	files->file = NULL;
	files->count = files->capacity = 0;
}
