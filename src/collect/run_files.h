/* The `.stall` files of one run: one per rank, made when the rank first shows, all within one limit of bytes. */
#ifndef SM_COLLECT_RUN_FILES_H
#define SM_COLLECT_RUN_FILES_H

#include "base/err.h"
#include "trace/trace_writer.h"

#include <limits.h>
#include <stdint.h>

struct sm_run_file {
	int32_t rank;			/* of its name */
	struct sm_trace_writer *writer; /* owned */
	char path[PATH_MAX];
};

struct sm_run_files {
	char directory[PATH_MAX];
	char id[24];
	uint64_t limit_bytes; /* of all together; 0: none */
	int64_t started_real_ns, started_mono_ns;
	struct sm_run_file *file; /* owned; the first holds what concerns the whole run */
	size_t count, capacity;
};

/* Makes the first file, of rank `rank` (-1: not distributed). */
int sm_run_files_open(struct sm_run_files *files, const char *directory, int32_t rank,
	uint64_t limit_bytes, struct sm_error *reterr);
struct sm_trace_writer *sm_run_files_first(const struct sm_run_files *files);
/* The file of that rank, made if need be; NULL when it cannot be. */
struct sm_trace_writer *sm_run_files_of_rank(
	struct sm_run_files *files, int32_t rank, struct sm_error *reterr);
int sm_run_files_flush(struct sm_run_files *files);
/* Shares out what is left of the limit. */
void sm_run_files_share_limit(struct sm_run_files *files);
uint64_t sm_run_files_lost(const struct sm_run_files *files);
/* Index and tail, then packed events if `pack`. The first error; the others are tried all the same. */
int sm_run_files_finish(struct sm_run_files *files, bool pack, struct sm_error *reterr);
void sm_run_files_close(struct sm_run_files *files);

#endif
