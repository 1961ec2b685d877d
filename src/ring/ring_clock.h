/* The clock of the ring: raw ticks where they can be trusted, nanoseconds of CLOCK_MONOTONIC where not.
 *
 * A tick costs half of clock_gettime, and an event is little more than its tick. The counter is trusted only when
 * the processor says that it never changes its pace *and* the kernel itself keeps time by it: then it runs alike on
 * all cores. Readers convert with pairs (ticks, CLOCK_MONOTONIC) that stand in the header and at the head of every
 * slot. */
#ifndef SM_RING_RING_CLOCK_H
#define SM_RING_RING_CLOCK_H

#include "ring/ring_layout.h"

#include <stallmeter/inline.h>

#include <stdbool.h>

struct sm_ring_clock {
	enum sm_ring_clock_kind kind;
	uint32_t tick_shift; /* a time unit is 2^tick_shift ticks */
	double ticks_per_ns; /* measured once, good to a percent: thresholds, not timestamps */
};

/* Takes some 30 microseconds to measure the pace of a counter. `clocksource` is the kernel's file that names its own
 * clock, NULL for the real one. */
void sm_ring_clock_choose(struct sm_ring_clock *clock, const char *clocksource);

/* Tests only: no counter is trusted, so that time can be false (base/clock.h). */
void sm_ring_clock_distrust(bool distrusted);

uint64_t sm_ring_clock_ticks(const struct sm_ring_clock *clock);
/* The same instant on all three clocks, the tightest of `tries` brackets. */
struct sm_ring_instant sm_ring_clock_instant(const struct sm_ring_clock *clock, int tries);

static inline uint64_t sm_ring_clock_units(const struct sm_ring_clock *clock)
{
	return sm_ring_clock_ticks(clock) >> clock->tick_shift;
}

#endif
