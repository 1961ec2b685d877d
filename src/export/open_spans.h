/* The spans that are open on each thread, with the numbers attached to them so far: a trace has begins and ends, most
 * foreign formats want whole spans. */
#ifndef SM_EXPORT_OPEN_SPANS_H
#define SM_EXPORT_OPEN_SPANS_H

#include "base/map.h"
#include "trace/trace_reader.h"

struct sm_open_arg {
	uint8_t key; /* enum sm_key */
	int64_t value;
};

struct sm_open_span {
	int64_t begin_ns;
	uint32_t name;
	size_t first_arg; /* its numbers are from here to the end, while it is the innermost */
	bool has_cause;
	struct sm_trace_cause cause;
};

struct sm_open_thread {
	uint32_t process, tid;
	struct sm_open_span *spans; /* owned; innermost last */
	size_t span_count, span_capacity;
	struct sm_open_arg *args; /* owned; of the innermost last */
	size_t arg_count, arg_capacity;
	bool has_mark; /* seen, not yet told, since its numbers follow it; they are the last of `args` */
	uint32_t mark_name;
	int64_t mark_ns;
	size_t mark_arg;
};

struct sm_open_spans {
	struct sm_open_thread *threads; /* owned */
	size_t count, capacity;
	struct sm_map places; /* process << 32 | tid -> place */
};
#define SM_OPEN_SPANS_EMPTY ((struct sm_open_spans){0})

void sm_open_spans_finish(struct sm_open_spans *spans); /* fine on an empty one */
struct sm_open_thread *sm_open_spans_of(
	struct sm_open_spans *spans, uint32_t process, uint32_t tid); /* NULL: no memory */
int sm_open_spans_push(struct sm_open_thread *thread, int64_t begin_ns, uint32_t name);
void sm_open_spans_pop(struct sm_open_thread *thread);
int sm_open_spans_add_arg(struct sm_open_thread *thread, uint8_t key, int64_t value);

#endif
