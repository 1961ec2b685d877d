/* Python stacks of every process of the job, read from outside without stopping any: all processes at each wake-up, a
 * hundred times a second where the level says so, less often when that costs too much. */
#ifndef SM_COLLECT_STACKS_H
#define SM_COLLECT_STACKS_H

#include "collect/children.h"
#include "collect/governor.h"
#include "collect/stacks_process.h"
#include "trace/trace_writer.h"

#include <stdbool.h>
#include <stdint.h>

struct sm_stacks {
	int64_t interval_ns; /* of the level; 0: off */
	int64_t due_ns, grid_ns, refresh_ns, flush_ns;
	uint64_t random;
	struct sm_governor governor;
	int slowest; /* the largest slowdown there was */
	struct sm_stacks_tools tools;
	struct sm_stacks_process *process; /* owned */
	size_t count, capacity;
	struct sm_trace_writer *writer; /* borrowed */
	bool told_forbidden, told_unknown;
};

/* 0 or -ENOMEM. `interval_ns` 0: everything below does nothing. */
int sm_stacks_open(struct sm_stacks *stacks, int64_t interval_ns, struct sm_trace_writer *writer);
void sm_stacks_close(struct sm_stacks *stacks);		  /* fine on a zeroed one */
int64_t sm_stacks_due_ns(const struct sm_stacks *stacks); /* INT64_MAX: never */
/* A look, if it is due. `cpu_ns`: the collector's CPU time before it went to sleep, so that its waking counts too. */
void sm_stacks_run(struct sm_stacks *stacks, const struct sm_children *children, int64_t now_ns,
	int64_t cpu_ns);
/* What is not in the file yet, and what there is to say. */
void sm_stacks_finish(struct sm_stacks *stacks);

#endif
