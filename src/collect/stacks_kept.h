/* What of the stacks goes to the trace: the table of what they are made of, before the samples that name it. */
#ifndef SM_COLLECT_STACKS_KEPT_H
#define SM_COLLECT_STACKS_KEPT_H

#include "collect/stacks_table.h"
#include "trace/trace_stacks.h"
#include "trace/trace_writer.h"

#include <stdint.h>

struct sm_stacks_look { /* the same look at a thread, once or several times */
	int64_t first_ns, last_ns;
	uint32_t looks; /* 0: none */
	uint64_t cpu_ns;
	uint32_t thread, place;
	uint8_t state; /* enum sm_trace_stack_state */
};

struct sm_stacks_kept {
	struct sm_stacks_table table;
	size_t functions_written, nodes_written, threads_written;
	struct sm_trace_stack_columns *columns;	 /* owned */
	struct sm_trace_stack_samples_head head; /* of the samples in `columns` */
	unsigned char *body;			 /* owned; for a whole block */
	struct sm_trace_writer *writer;		 /* borrowed */
	uint64_t lost;				 /* looks that found no room in the file */
};

int sm_stacks_kept_open(struct sm_stacks_kept *kept, struct sm_trace_writer *writer);
void sm_stacks_kept_close(struct sm_stacks_kept *kept); /* fine on a zeroed one */
void sm_stacks_kept_add(struct sm_stacks_kept *kept, const struct sm_stacks_look *look);
/* Writes what there is; from here on looks are `interval_ns` apart. */
void sm_stacks_kept_flush(struct sm_stacks_kept *kept, int64_t interval_ns);

#endif
