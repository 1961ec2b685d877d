/* How fast the CPU really runs: a chain of dependent multiplications, timed. In most guests and containers it is the
 * only sign of a clock that is held down, of a busy sibling thread or of stolen time.
 *
 * The chain waits for nothing but itself, and a 64-bit multiplication takes the same number of cycles on all x86-64
 * of the last fifteen years (AMD: since Zen). Other machines differ too much among themselves: there we say so. Three short
 * chains, the shortest counts, so that an interrupt is not taken for a slow clock. 12 us in all. */
#include "probe/source.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

enum { CHAINS = 3, MULTIPLICATIONS = 4000, CYCLES_EACH = 3, NS_PER_S = 1000000000 };

static int open_frequency(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
#if defined(__x86_64__)
	if (!root[0]) {
		return 0;
	}
	snprintf(why, SM_SOURCE_WHY, "a recorded machine has no clock to time");
#else
	snprintf(why, SM_SOURCE_WHY,
		"cycles of a multiplication are not known for this kind of CPU");
#endif
	return -ENOENT;
}

static int64_t time_chain(void)
{
	uint64_t x = 0x9e3779b97f4a7c15;
	int64_t begin_ns = sm_clock_mono_ns();
	for (int i = 0; i < MULTIPLICATIONS; i++) {
		x *= 0x5851f42d4c957f2d;
		__asm__ volatile(
			""
			: "+r"(x)); /* one at a time, whatever the compiler knows about powers */
	}
	return sm_clock_mono_ns() - begin_ns;
}

static int sample_frequency(void *state, const struct sm_probe_sink *sink)
{
	int64_t best_ns = INT64_MAX;
	for (int i = 0; i < CHAINS; i++) {
		int64_t ns = time_chain();
		best_ns = ns < best_ns ? ns : best_ns;
	}
	if (best_ns <= 0) {
		return -EAGAIN; /* a clock too coarse, or false time */
	}
	sm_probe_emit(sink, SM_METRIC_CPU_FREQUENCY, 0,
		(double)MULTIPLICATIONS * CYCLES_EACH * NS_PER_S / (double)best_ns);
	return 0;
}

static void close_frequency(void *state)
{
}

const struct sm_probe sm_probe_frequency = {
	.name = "frequency",
	.summary = "effective clock of the CPU, from a timed chain of multiplications",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_CPU,
	.state_bytes = 1,
	.open = open_frequency,
	.sample = sample_frequency,
	.close = close_frequency,
};
