/* Time. One clock everywhere: CLOCK_MONOTONIC in nanoseconds as int64_t. Tests may set it (false time).
 *
 * The hot path counts raw ticks instead (the time stamp counter where it is invariant and the kernel trusts it,
 * else nanoseconds); `record/` and `ring/` convert with pairs (ticks, mono) kept in the ring. */
#ifndef SM_BASE_CLOCK_H
#define SM_BASE_CLOCK_H

#include <stdint.h>

int64_t sm_clock_mono_ns(void);
int64_t sm_clock_real_ns(void); /* since 1970, UTC */

/* Tests only: both clocks stand still at these values; a negative mono_ns gives the real ones back. */
void sm_clock_pretend(int64_t mono_ns, int64_t real_ns);

#endif
