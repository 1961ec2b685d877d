/* What a span cost its thread: CPU, waiting for a CPU, faults, block input, switches. Read at both edges of a span that
 * is long enough to pay for it (about a microsecond an edge). */
#ifndef SM_RECORD_CAUSE_H
#define SM_RECORD_CAUSE_H

#include "ring/ring_layout.h"

#include <stdint.h>

enum sm_cause_missing {
	SM_CAUSE_NO_RUN_DELAY = 1,
	SM_CAUSE_NO_THREAD_CPU = 2,
	SM_CAUSE_NO_PROCESS_CPU = 4,
};

/* A thread's totals at one edge. */
struct sm_cause_reading {
	uint64_t cpu_ns, run_delay_ns, process_cpu_ns;
	uint32_t block_inputs, minor_faults, major_faults, voluntary_switches, involuntary_switches;
	uint16_t missing; /* enum sm_cause_missing */
	uint16_t alone;	  /* the process has one thread: process_cpu_ns was not needed */
};

/* The thread's /proc/thread-self/schedstat, kept open, and what it said. Zero: not tried yet. */
struct sm_cause_source {
	int fd_plus_one;
	uint32_t failures;
	uint64_t seen_plus_one; /* switches of the thread at the last look; 0: none, or it failed */
	uint64_t run_delay_ns;	/* as it was then, and is until the next switch */
};

/* The order of the clocks puts the span's own edge next to the CPU clock, so that what a reading costs is not
 * in it: at a begin the CPU clock is read last, at an end first. */
void sm_cause_read_begin(struct sm_cause_source *source, struct sm_cause_reading *ret_reading);
void sm_cause_read_end(struct sm_cause_source *source, struct sm_cause_reading *ret_reading);
struct sm_ring_cause sm_cause_between(
	const struct sm_cause_reading *begin, const struct sm_cause_reading *end);
/* In a child: closes what its parent's threads had open. */
void sm_cause_close_inherited(void);
void sm_cause_close(struct sm_cause_source *source);

#endif
