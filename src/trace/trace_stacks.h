/* Stacks as the bodies of STACKS and STACK_SAMPLES blocks: the table of what they are made of, and who stood where. */
#ifndef SM_TRACE_TRACE_STACKS_H
#define SM_TRACE_TRACE_STACKS_H

#include "base/str.h"
#include "trace/trace_reader.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SM_TRACE_STACK_SAMPLES_MAX = 4096, /* in one block */
	SM_TRACE_STACK_SAMPLE_BYTES = 31,
	SM_TRACE_STACKS_IDS_MAX = 1 << 23, /* a reader refuses larger numbers */
};

/* In front of a STACKS body: which numbers follow. Numbers go up by one, of each kind, over the whole file. */
struct sm_trace_stacks_head {
	uint32_t first_function, function_count;
	uint32_t first_place, place_count;
	uint32_t first_thread, thread_count;
};
_Static_assert(sizeof(struct sm_trace_stacks_head) == 24, "layout is frozen");

/* In front of a STACK_SAMPLES body. */
struct sm_trace_stack_samples_head {
	uint64_t interval_ns; /* between two looks at a thread */
	uint32_t torn;	      /* looks at a stack that changed meanwhile */
	uint32_t unread;      /* that could not be read, or kept */
	uint32_t missed;      /* rounds that came too late and were left out */
	uint32_t reserved;
};
_Static_assert(sizeof(struct sm_trace_stack_samples_head) == 24, "layout is frozen");

struct sm_trace_stack_columns {
	size_t count;
	int64_t time_ns[SM_TRACE_STACK_SAMPLES_MAX];
	uint64_t span_ns[SM_TRACE_STACK_SAMPLES_MAX];
	uint32_t thread[SM_TRACE_STACK_SAMPLES_MAX];
	uint32_t place[SM_TRACE_STACK_SAMPLES_MAX];
	uint32_t cpu_us[SM_TRACE_STACK_SAMPLES_MAX];
	uint16_t looks[SM_TRACE_STACK_SAMPLES_MAX];
	uint8_t state[SM_TRACE_STACK_SAMPLES_MAX];
};

/* Entries of a STACKS body, in this order: functions, places, threads. */
void sm_trace_stacks_add_function(
	struct sm_str *body, const char *file, const char *name, uint32_t first_line);
void sm_trace_stacks_add_place(
	struct sm_str *body, uint32_t caller, uint32_t function, uint32_t line);
void sm_trace_stacks_add_thread(struct sm_str *body, int32_t pid, uint32_t tid, const char *name);

/* Into `to`, which has room for the head and count * SM_TRACE_STACK_SAMPLE_BYTES; returns the bytes. */
size_t sm_trace_stacks_encode(const struct sm_trace_stack_samples_head *head,
	const struct sm_trace_stack_columns *columns, unsigned char *to);

/* How many of each kind the files before had: numbers count on over a run. */
struct sm_trace_stacks_base {
	uint32_t function, place, thread;
	uint32_t next_function, next_place, next_thread;
	struct sm_str text[2]; /* scratch */
};
void sm_trace_stacks_finish(struct sm_trace_stacks_base *base); /* fine on a zeroed one */
void sm_trace_stacks_begin_file(struct sm_trace_stacks_base *base);
/* To the visitor. 0, -SM_ERR_FORMAT, or what the visitor stopped with. */
int sm_trace_stacks_tell(const struct sm_trace_visitor *visitor, struct sm_trace_stacks_base *base,
	const unsigned char *body, size_t bytes);
int sm_trace_stacks_tell_samples(const struct sm_trace_visitor *visitor,
	const struct sm_trace_stacks_base *base, struct sm_trace_stack_columns *columns,
	const unsigned char *body, size_t bytes, uint64_t count, int64_t offset_ns);

#endif
