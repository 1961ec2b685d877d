/* What found no room in the file: kept or counted, and written as soon as it fits. */
#ifndef SM_TRACE_TRACE_BACKLOG_H
#define SM_TRACE_TRACE_BACKLOG_H

#include "trace/trace_output.h"

struct sm_trace_held { /* a block of words */
	struct sm_trace_block block;
	char *body; /* owned */
};

struct sm_trace_pending { /* events of a process, lost and not yet in the file */
	uint64_t events;
	int64_t first_ns, last_ns;
	uint64_t told; /* lost, in LOSS blocks so far */
};

struct sm_trace_backlog {
	struct sm_trace_held *held; /* owned; in their order */
	size_t held_count, held_capacity;
	struct sm_trace_pending *pending; /* owned; per process */
	size_t process_count, process_capacity;
	bool has_pending;
	uint64_t lost; /* events, of all processes */
};

void sm_trace_backlog_finish(struct sm_trace_backlog *backlog); /* fine on a zeroed one */
int sm_trace_backlog_add_process(
	struct sm_trace_backlog *backlog); /* the next ordinal; 0 or -ENOMEM */
int sm_trace_backlog_hold(struct sm_trace_backlog *backlog, const struct sm_trace_block *block,
	const void *body, size_t bytes);
int sm_trace_backlog_write_held(struct sm_trace_backlog *backlog, struct sm_trace_output *output);
void sm_trace_backlog_lose(struct sm_trace_backlog *backlog, struct sm_trace_output *output,
	uint32_t process, uint64_t events, int64_t first_ns, int64_t last_ns);

enum sm_trace_losses { SM_TRACE_LOSSES_ALL, SM_TRACE_LOSSES_THAT_DOUBLED };
/* Writes what should be in the file before the next block of data. */
int sm_trace_backlog_settle(struct sm_trace_backlog *backlog, struct sm_trace_output *output,
	enum sm_trace_losses which);

#endif
