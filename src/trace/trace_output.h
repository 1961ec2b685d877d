/* A `.stall` file being written: blocks go in whole or not at all. */
#ifndef SM_TRACE_TRACE_OUTPUT_H
#define SM_TRACE_TRACE_OUTPUT_H

#include "base/err.h"
#include "trace/trace_block.h"

#include <stdbool.h>

/* Who may use the last bytes below the limit: data leaves room for words about it, these leave room for the index. */
enum sm_trace_claim { SM_TRACE_CLAIM_DATA, SM_TRACE_CLAIM_WORDS, SM_TRACE_CLAIM_INDEX };

struct sm_trace_output {
	int fd;	     /* owned, -1 when empty */
	uint64_t at; /* where the next block goes */
	uint64_t limit_bytes;
	struct sm_trace_index_entry *index; /* owned */
	size_t block_count, index_capacity;
};
#define SM_TRACE_OUTPUT_EMPTY ((struct sm_trace_output){.fd = -1})

/* A new file with its header; -EEXIST where there is one. `limit_bytes` 0: none but RLIMIT_FSIZE. */
int sm_trace_output_open(struct sm_trace_output *output, const char *path,
	const struct sm_trace_file_header *header, uint64_t limit_bytes, struct sm_error *reterr);
void sm_trace_output_limit(struct sm_trace_output *output, uint64_t limit_bytes); /* another one */
void sm_trace_output_close(struct sm_trace_output *output); /* fine on an empty one */
bool sm_trace_output_has_room(
	const struct sm_trace_output *output, size_t body_bytes, enum sm_trace_claim claim);
/* Seals and appends. -SM_ERR_LIMIT, -ENOMEM or what write(2) said: then the file is as it was. */
int sm_trace_output_append(struct sm_trace_output *output, struct sm_trace_block *block,
	const struct sm_trace_part *parts, int count, enum sm_trace_claim claim);
/* INDEX block and tail. */
int sm_trace_output_finish(struct sm_trace_output *output);

/* Tests only: after `bytes` more bytes the disk is full; negative: it never is. */
void sm_trace_output_fill_after(int64_t bytes);

#endif
