/* What a session is made of that a forked child inherits: the switch, the options, the clock, the names. What it must
 * not inherit is in fork.h. */
#ifndef SM_RECORD_SESSION_H
#define SM_RECORD_SESSION_H

#include "ring/ring_clock.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct sm_session {
	int on; /* atomic; set last, cleared first */
	uint64_t limit_bytes;
	int32_t rank;
	int64_t long_span_us; /* spans from this length on may carry their cause; negative: none */
	struct sm_ring_clock clock;
	char directory[PATH_MAX];
	char boot_id[40];
	char program[256];
	char unique[24]; /* of the newest file in the line of forks that leads here */
};
extern struct sm_session sm_session_here;

/* A span from here on is long; shifted as struct sm_inline_thread wants it. */
uint64_t sm_session_long_span(void);

static inline bool sm_session_is_on(void)
{
	return __atomic_load_n(&sm_session_here.on, __ATOMIC_ACQUIRE);
}

#endif
