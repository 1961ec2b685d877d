/* What a thread does, by the kernel's account: whether it ran since the last look, and what it waits for. */
#ifndef SM_COLLECT_STACKS_STATE_H
#define SM_COLLECT_STACKS_STATE_H

#include "probe/source.h"
#include "trace/trace_reader.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_stacks_state {
	struct sm_source schedstat, wchan;
	uint64_t cpu_ns;  /* at the last look */
	uint64_t used_ns; /* from the look before it to the last */
	bool known;	  /* cpu_ns is of a look before */
	enum sm_trace_stack_state last;
};

/* What cannot be opened is not known: then every look says that it ran. */
void sm_stacks_state_open(struct sm_stacks_state *state, pid_t pid, uint32_t tid);
void sm_stacks_state_close(struct sm_stacks_state *state); /* fine on a zeroed one */
/* True: it may have run since the last time. False: it cannot have, so its stack is what it was. Asked before the stack is
 * read. */
bool sm_stacks_state_has_run(struct sm_stacks_state *state);
/* What it does now, into `last`; asked behind the stack, of one that has run. */
void sm_stacks_state_name(struct sm_stacks_state *state);

#endif
