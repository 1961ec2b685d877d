#include "ring/ring_clock.h"

#include "base/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char kernel_clocksource[] =
	"/sys/devices/system/clocksource/clocksource0/current_clocksource";

static bool all_distrusted;

static bool kernel_keeps_time_by(const char *path, const char *counter)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 && !strncmp(text, counter, strlen(counter)) &&
	       text[strlen(counter)] == '\n';
}

static bool counter_is_trusted(const char *clocksource)
{
#if defined(__x86_64__)
	const uint32_t invariant = 1u << 8;
	uint32_t a, b, c, d;
	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & invariant) &&
	       kernel_keeps_time_by(clocksource, "tsc");
#elif defined(__aarch64__)
	return kernel_keeps_time_by(clocksource, "arch_sys_counter");
#else
	return false;
#endif
}

static double measure_pace(const struct sm_ring_clock *clock)
{
	const int64_t window_ns = 30 * 1000;
	struct sm_ring_instant first = sm_ring_clock_instant(clock, 4), second;
	do {
		second = sm_ring_clock_instant(clock, 4);
	} while (second.mono_ns - first.mono_ns < window_ns);
	return (double)(second.ticks - first.ticks) / (double)(second.mono_ns - first.mono_ns);
}

void sm_ring_clock_choose(struct sm_ring_clock *clock, const char *clocksource)
{
	*clock = (struct sm_ring_clock){.kind = SM_RING_CLOCK_MONOTONIC, .ticks_per_ns = 1};
	if (!all_distrusted && counter_is_trusted(clocksource ? clocksource : kernel_clocksource)) {
		clock->kind = SM_RING_CLOCK_TSC;
		clock->tick_shift = SM_INLINE_TICK_SHIFT;
		clock->ticks_per_ns = measure_pace(clock);
	}
}

void sm_ring_clock_distrust(bool distrusted)
{
	all_distrusted = distrusted;
}

uint64_t sm_ring_clock_ticks(const struct sm_ring_clock *clock)
{
	return clock->kind == SM_RING_CLOCK_TSC ? sm_inline_ticks() : (uint64_t)sm_clock_mono_ns();
}

struct sm_ring_instant sm_ring_clock_instant(const struct sm_ring_clock *clock, int tries)
{
	struct sm_ring_instant best = {0};
	uint64_t tightest = UINT64_MAX;
	for (int i = 0; i < tries; i++) {
		uint64_t before = sm_ring_clock_ticks(clock);
		int64_t mono_ns = sm_clock_mono_ns();
		uint64_t after = sm_ring_clock_ticks(clock);
		if (after - before < tightest) {
			tightest = after - before;
			best.ticks = before + (after - before) / 2;
			best.mono_ns = mono_ns;
			best.real_ns = sm_clock_real_ns();
		}
	}
	if (clock->kind == SM_RING_CLOCK_MONOTONIC) {
		best.ticks = (uint64_t)best.mono_ns;
	}
	return best;
}
