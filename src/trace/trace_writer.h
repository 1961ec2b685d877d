/* Appends blocks to one `.stall` file. Every block is written by one write(2); a full disk or a limit loses whole blocks,
 * counts what was in them, and says so with a LOSS block as soon as one fits. */
#ifndef SM_TRACE_TRACE_WRITER_H
#define SM_TRACE_TRACE_WRITER_H

#include "base/err.h"
#include "ring/ring_layout.h"
#include "trace/trace_alert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_trace_writer; /* opaque, heap */

struct sm_trace_writer_options {
	int32_t rank;
	uint64_t limit_bytes; /* 0: none */
	const char *run_id;
	int64_t started_real_ns, started_mono_ns;
};

int sm_trace_writer_create(const char *path, const struct sm_trace_writer_options *options,
	struct sm_trace_writer **ret_writer,
	struct sm_error *reterr); /* -EEXIST: never overwrites */
void sm_trace_writer_destroy(
	struct sm_trace_writer *writer); /* NULL is fine; leaves a readable, unfinished file */
/* Index and tail. The file is complete afterwards. */
int sm_trace_writer_finish(struct sm_trace_writer *writer, struct sm_error *reterr);

int sm_trace_writer_run(struct sm_trace_writer *writer, const char *lines); /* key=value\n... */
int sm_trace_writer_note(struct sm_trace_writer *writer, const char *what, const char *why);
int sm_trace_writer_alert(struct sm_trace_writer *writer, const struct sm_trace_alert *alert);
/* Ordinal of a new process of this file. */
int sm_trace_writer_process(
	struct sm_trace_writer *writer, const struct sm_ring_header *header, uint32_t *ret_process);
int sm_trace_writer_process_ended(struct sm_trace_writer *writer, uint32_t process,
	int64_t ended_ns, int exit_status, bool complete);
int sm_trace_writer_names(struct sm_trace_writer *writer, uint32_t process, const void *entries,
	size_t bytes, uint64_t count);
/* One slot's words, copied as they are. */
int sm_trace_writer_segment(struct sm_trace_writer *writer, uint32_t process,
	const struct sm_ring_header *header, const struct sm_ring_segment *segment,
	const void *words, size_t bytes);
int sm_trace_writer_loss(struct sm_trace_writer *writer, uint32_t process, uint64_t events,
	int64_t first_ns, int64_t last_ns);
/* One counter value; kept in a column buffer and written as a SAMPLES block when that is full or flushed. */
int sm_trace_writer_sample(struct sm_trace_writer *writer, int64_t time_ns, uint16_t metric,
	int64_t instance, double value);
/* A body of trace_stacks.h; of samples the times of the first and the last. -SM_ERR_LIMIT or another error: it is not in
 * the file, and nothing else is lost. */
int sm_trace_writer_stacks(struct sm_trace_writer *writer, const void *body, size_t bytes);
int sm_trace_writer_stack_samples(struct sm_trace_writer *writer, const void *body, size_t bytes,
	uint64_t count, int64_t first_ns, int64_t last_ns);
int sm_trace_writer_flush(struct sm_trace_writer *writer);
/* From here on no more than this; 0: no limit. What is written stays. */
void sm_trace_writer_set_limit(struct sm_trace_writer *writer, uint64_t limit_bytes);
uint64_t sm_trace_writer_bytes(const struct sm_trace_writer *writer);
uint64_t sm_trace_writer_lost(const struct sm_trace_writer *writer);

/* Rewrites a finished file with PACKED events, beside it, and renames it into place. The old file stays on any error. */
int sm_trace_writer_pack(const char *path, struct sm_error *reterr);

#endif
