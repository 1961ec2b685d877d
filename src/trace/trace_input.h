/* A `.stall` file being read, block by block, through a window of bounded size. */
#ifndef SM_TRACE_TRACE_INPUT_H
#define SM_TRACE_TRACE_INPUT_H

#include "base/err.h"
#include "trace/trace_block.h"

#include <stdbool.h>

struct sm_trace_input {
	int fd; /* owned, -1 when empty */
	struct sm_trace_file_header header;
	uint64_t file_bytes;   /* when it was opened; what is appended later is not read */
	uint64_t at;	       /* of the next block */
	unsigned char *window; /* owned */
	size_t window_capacity, window_bytes;
	size_t read_ahead; /* bytes to read at least */
	uint64_t window_at;
	uint64_t blocks;  /* whole ones so far */
	uint64_t damaged; /* headers or bodies that fail their checksum */
	bool complete;	  /* the tail was reached and agrees */
	bool torn;	  /* the file ends in the middle of a block */
};
#define SM_TRACE_INPUT_EMPTY ((struct sm_trace_input){.fd = -1})

/* -SM_ERR_FORMAT: not ours; -SM_ERR_VERSION: of a later major version; -SM_ERR_TORN: not even a whole file header. */
int sm_trace_input_open(struct sm_trace_input *input, const char *path, struct sm_error *reterr);
void sm_trace_input_close(struct sm_trace_input *input); /* fine on an empty one */

enum sm_trace_input_got {
	SM_TRACE_INPUT_END = 0,
	SM_TRACE_INPUT_BLOCK =
		1, /* *ret_body holds stored_bytes, and SM_TRACE_UNPACKER_SLACK readable bytes behind */
	SM_TRACE_INPUT_DAMAGED = 2, /* a header whose body fails its checksum; it was counted */
	SM_TRACE_INPUT_GAP = 3,	    /* bytes that are no block were skipped; counted */
};
/* One of the above, or a negative error. */
int sm_trace_input_next(struct sm_trace_input *input, struct sm_trace_block *ret_block,
	const unsigned char **ret_body);
/* The same without reading the bodies, but for blocks of the types in the set `1 << type | ...`. Others have *ret_body NULL. */
int sm_trace_input_skim(struct sm_trace_input *input, unsigned types,
	struct sm_trace_block *ret_block, const unsigned char **ret_body);
void sm_trace_input_rewind(struct sm_trace_input *input);
/* The file has grown meanwhile: what `next` finds behind `at`, where it was before it met the torn end, is read anew. */
int sm_trace_input_go_on(struct sm_trace_input *input, uint64_t at);

#endif
