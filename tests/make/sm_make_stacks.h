/* Python stacks of a made run: functions, places, threads and looks, written as blocks of rank 0's file. */
#ifndef TESTS_MAKE_SM_MAKE_STACKS_H
#define TESTS_MAKE_SM_MAKE_STACKS_H

#include "make/sm_make.h"
#include "trace/trace_reader.h"

struct sm_make_stacks;
struct sm_make_stacks *sm_make_stacks_begin(struct sm_make_run *run);
/* Numbers; a place of the same caller, function and line is made anew each time. */
uint32_t sm_make_function(
	struct sm_make_stacks *stacks, const char *file, const char *name, uint32_t first_line);
uint32_t sm_make_place(
	struct sm_make_stacks *stacks, int64_t caller, uint32_t function, uint32_t line);
uint32_t sm_make_stack_thread(
	struct sm_make_stacks *stacks, int32_t pid, uint32_t tid, const char *name);
/* `looks` of them, `interval_ns` of `end` apart. */
void sm_make_look(struct sm_make_stacks *stacks, int64_t time_ns, uint32_t thread, uint32_t place,
	uint8_t state, uint16_t looks);
/* Writes and frees. */
void sm_make_stacks_end(struct sm_make_stacks *stacks, int64_t interval_ns, uint32_t torn);

#endif
