/* What the visitor is told: numbers processes over all files, keeps each thread's time from running backward, marks
 * threads whose events were lost, and adds up what was. Files and mappings left behind go through here alike. */
#ifndef SM_TRACE_TRACE_DELIVERY_H
#define SM_TRACE_TRACE_DELIVERY_H

#include "base/map.h"
#include "base/str.h"
#include "trace/trace_columns.h"
#include "trace/trace_reader.h"

struct sm_trace_known {		       /* a process of the run */
	struct sm_trace_process shown; /* `program` is owned here */
	char *program;		       /* owned */
	char unique[24];
	uint64_t lost_told; /* through `loss`, from its own LOST words */
	uint64_t lost_said; /* by its mapping's header */
	uint32_t losses;    /* how often something of it was lost outside of its words */
};

struct sm_trace_delivery {
	const struct sm_trace_visitor *visitor; /* borrowed */
	struct sm_trace_summary summary;
	struct sm_trace_known *processes; /* owned */
	size_t process_count, process_capacity;
	struct sm_map threads;		      /* process << 32 | tid -> place in `states` */
	struct sm_trace_thread_state *states; /* owned */
	size_t state_count, state_capacity;
	int64_t offset_ns;  /* added to every time */
	struct sm_str text; /* scratch */
};

void sm_trace_delivery_finish(struct sm_trace_delivery *delivery); /* frees; fine on a zeroed one */

/* Ordinal of a new process; `shown` without ordinal, times and program as they stand in the file. */
int sm_trace_delivery_add(struct sm_trace_delivery *delivery, const struct sm_trace_process *shown,
	const char *unique, uint32_t *ret_ordinal);
/* Tells it (again). */
int sm_trace_delivery_show(struct sm_trace_delivery *delivery, uint32_t ordinal);
struct sm_trace_known *sm_trace_delivery_find(
	struct sm_trace_delivery *delivery, const char *unique); /* NULL: none */
int sm_trace_delivery_names(
	struct sm_trace_delivery *delivery, uint32_t ordinal, const void *entries, size_t bytes);
/* Changes the times in `columns`. */
int sm_trace_delivery_events(struct sm_trace_delivery *delivery, uint32_t ordinal, uint32_t tid,
	struct sm_trace_columns *columns);
int sm_trace_delivery_loss(struct sm_trace_delivery *delivery, uint32_t ordinal, uint64_t events,
	int64_t first_ns, int64_t last_ns);
void sm_trace_delivery_break_all(
	struct sm_trace_delivery *delivery); /* something of unknown processes is missing */
/* What mappings say was lost beyond what was told. */
int sm_trace_delivery_rest_of_losses(struct sm_trace_delivery *delivery);

#endif
