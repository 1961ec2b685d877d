/* The Python interpreter of one process: where it is, which version, which threads it has. */
#ifndef SM_COLLECT_STACKS_INTERPRETER_H
#define SM_COLLECT_STACKS_INTERPRETER_H

#include "collect/stacks_layout.h"
#include "collect/stacks_memory.h"

#include <stdint.h>
#include <sys/types.h>

enum { SM_STACKS_THREADS_MAX = 512, SM_STACKS_WHY = 160 };

struct sm_stacks_interpreter {
	struct sm_stacks_memory memory;
	struct sm_stacks_layout layout;
	uint64_t runtime;
};

struct sm_stacks_python_thread {
	uint64_t address, interpreter; /* of its state */
	uint64_t native_id;	       /* 0 before 3.11 */
	uint64_t pthread;
	uint64_t
		gil; /* of its interpreter: who held it last, and whether it is held; 0: not found */
};

/* 0; -ENOENT: no Python in this process, or none yet; -EPERM: its memory may not be read; -ENOTSUP: no layout of ours fits
 * it. why[] then says it for people. */
int sm_stacks_interpreter_open(
	struct sm_stacks_interpreter *interpreter, pid_t pid, char why[SM_STACKS_WHY]);
/* The same where the addresses are known; `version` 0: there is no such symbol. */
int sm_stacks_interpreter_open_at(struct sm_stacks_interpreter *interpreter,
	struct sm_stacks_memory memory, uint64_t runtime, uint64_t version,
	char why[SM_STACKS_WHY]);
/* How many, up to SM_STACKS_THREADS_MAX; or -errno. -EAGAIN: the list changed while it was read. */
int sm_stacks_interpreter_threads(const struct sm_stacks_interpreter *interpreter,
	struct sm_stacks_python_thread threads[SM_STACKS_THREADS_MAX]);

#endif
