/* One process of the job: its interpreter, its threads, and a look at each of them. */
#ifndef SM_COLLECT_STACKS_PROCESS_H
#define SM_COLLECT_STACKS_PROCESS_H

#include "collect/stacks_code.h"
#include "collect/stacks_interpreter.h"
#include "collect/stacks_kept.h"
#include "collect/stacks_walk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_stacks_thread; /* opaque */

struct sm_stacks_process {
	pid_t pid;
	pid_t own_pid;	      /* as it sees itself, and as its spans name it */
	uint64_t start_ticks; /* tells it from a later one of the same pid */
	bool open, stays;     /* stays: it is still among the job's processes */
	int tries;
	int64_t try_ns; /* when to look for its interpreter (again) */
	struct sm_stacks_interpreter interpreter;
	struct sm_stacks_codes codes;
	struct sm_stacks_thread **thread; /* owned, and each */
	size_t thread_count, thread_capacity;
	int tid_offset; /* 3.10: of the thread's id in what pthread_self() points to; 0: not found yet */
};

/* What all processes share. */
struct sm_stacks_tools {
	struct sm_stacks_walk *walk;
	struct sm_stacks_code_bodies bodies;
	struct sm_stacks_kept kept;
};

/* Finds the interpreter when it is time to. 0, -EAGAIN: not now; else as sm_stacks_interpreter_open. */
int sm_stacks_process_open(
	struct sm_stacks_process *process, int64_t now_ns, char why[SM_STACKS_WHY]);
/* Takes on new threads and drops those that ended. */
void sm_stacks_process_refresh(struct sm_stacks_process *process, struct sm_stacks_tools *tools);
void sm_stacks_process_look(
	struct sm_stacks_process *process, struct sm_stacks_tools *tools, int64_t now_ns);
/* What was seen and not kept yet is kept. */
void sm_stacks_process_close(struct sm_stacks_process *process, struct sm_stacks_tools *tools);

#endif
