/* What a collector does with one mapping, in a few lines, for tests of what follows when it is interrupted. */
#ifndef TESTS_UNIT_TRACE_LITTLE_COLLECTOR_H
#define TESTS_UNIT_TRACE_LITTLE_COLLECTOR_H

#include "ring/ring_reader.h"
#include "trace/trace_writer.h"

struct little_collector {
	struct sm_trace_writer *writer;
	struct sm_ring_reader reader;
	uint32_t process;
	int stop_after; /* segments; then the sink fails, as if killed between the write and the giving back. 0: never */
	int room_after; /* segments; then the full disk has room again. 0: never */
};

/* `limit_bytes` 0: none. Negative errors. */
int little_collector_open(struct little_collector *collector, const char *ring_path,
	const char *stall_path, bool take_back, uint64_t limit_bytes);
int little_collector_drain(struct little_collector *collector, enum sm_ring_drain what);
int little_collector_finish(struct little_collector *collector); /* in order */
void little_collector_kill(struct little_collector *collector);	 /* or after `finish` */

#endif
