/* What a visitor was told, as text: two readings are equal when their listings are. */
#ifndef TESTS_UNIT_TRACE_TRACE_LISTING_H
#define TESTS_UNIT_TRACE_TRACE_LISTING_H

#include "base/str.h"
#include "trace/trace_reader.h"

struct trace_listing {
	struct sm_str words;  /* run, process, name, note, loss, samples: in their order */
	struct sm_str events; /* one line an event, in their order */
	struct sm_trace_summary summary;
	int code;
	struct sm_error error;
	uint64_t told_lost, told_events;
	bool out_of_order; /* a thread's time ran backward */
	bool unknown_name; /* a name was used before it was told */
	int stop_after;	   /* batches; 0: never */
};

struct trace_listing *trace_listing_read(const char *path);
void trace_listing_read_into(struct trace_listing *listing, const char *path);
/* For readings of several calls. */
struct listing_state;
struct trace_listing_visit {
	struct listing_state *state; /* owned */
	struct sm_trace_visitor visitor;
};
struct trace_listing_visit trace_listing_begin(struct trace_listing *listing);
void trace_listing_end(struct trace_listing_visit *visit);
void trace_listing_free(struct trace_listing *listing);

#endif
