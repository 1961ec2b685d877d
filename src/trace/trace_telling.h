/* Blocks of a file, one after the other, to the visitor: what each type of block says. */
#ifndef SM_TRACE_TRACE_TELLING_H
#define SM_TRACE_TRACE_TELLING_H

#include "trace/salvage.h"
#include "trace/trace_delivery.h"
#include "trace/trace_lines.h"
#include "trace/trace_samples.h"
#include "trace/trace_stacks.h"

struct sm_trace_unpacker;

struct sm_trace_telling {
	const struct sm_trace_visitor *visitor; /* borrowed */
	struct sm_trace_delivery delivery;
	struct sm_salvage salvage; /* mappings left behind, and what of them the files have */
	const struct sm_trace_file_header *header; /* borrowed; of the file being read */
	struct sm_trace_local *locals;		   /* owned; its processes */
	size_t local_capacity;
	struct sm_trace_unpacker *unpacker; /* owned */
	struct sm_trace_columns columns;
	struct sm_trace_samples_columns *samples;     /* owned */
	struct sm_trace_stack_columns *stack_columns; /* owned; NULL before the first */
	struct sm_trace_stacks_base stacks_base;
	unsigned char *plain; /* owned; a body out of its zstd frame */
	size_t plain_capacity;
	struct sm_trace_lines lines;
	struct sm_map *
		told; /* borrowed; of each segment (sm_trace_telling_key) how many of its bytes were told already.
				NULL: blocks never say again what was said */
};

int sm_trace_telling_init(struct sm_trace_telling *telling,
	const struct sm_trace_visitor *visitor); /* `finish` it also when it failed */
void sm_trace_telling_finish(struct sm_trace_telling *telling);
uint64_t sm_trace_telling_key(uint32_t ordinal, uint64_t sequence); /* of a segment, in `told` */
/* Ordinals of processes begin anew. `header` must stay while the file is told. */
void sm_trace_telling_begin_file(
	struct sm_trace_telling *telling, const struct sm_trace_file_header *header);
/* All return 0, an error, or what the visitor stopped with. */
int sm_trace_telling_run(struct sm_trace_telling *telling, const unsigned char *body, size_t bytes);
int sm_trace_telling_note(struct sm_trace_telling *telling, const char *what, const char *why);
int sm_trace_telling_block(struct sm_trace_telling *telling, const struct sm_trace_block *block,
	const unsigned char *body); /* all but RUN */
int sm_trace_telling_damage(struct sm_trace_telling *telling,
	const struct sm_trace_block *block); /* its body is not what it was */

#endif
