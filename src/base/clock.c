#include "base/clock.h"

#include <time.h>

static int64_t false_mono_ns = -1;
static int64_t false_real_ns;

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t sm_clock_mono_ns(void)
{
	return false_mono_ns >= 0 ? false_mono_ns : read_clock(CLOCK_MONOTONIC);
}

int64_t sm_clock_real_ns(void)
{
	return false_mono_ns >= 0 ? false_real_ns : read_clock(CLOCK_REALTIME);
}

void sm_clock_pretend(int64_t mono_ns, int64_t real_ns)
{
	false_mono_ns = mono_ns;
	false_real_ns = real_ns;
}
