#include "collect/level.h"

#define MS     1000000LL
#define SECOND (1000 * MS)
#define MIB    (1024ULL * 1024)

static const char *const names[] = {"basic", "detailed", "comprehensive", "production"};

/* Counters are cheap beside spans, so levels differ little here: production runs for weeks and can wait longer. Stacks
 * cost as much as all counters together: they are read where everything is asked for. */
static const struct sm_level_rates rates[] = {
	[SM_LEVEL_BASIC] = {{1 * SECOND, 1 * SECOND, 10 * SECOND}, 0, 100 * MS, 256 * MIB},
	[SM_LEVEL_DETAILED] = {{100 * MS, 1 * SECOND, 10 * SECOND}, 0, 100 * MS, 2048 * MIB},
	[SM_LEVEL_COMPREHENSIVE] = {{100 * MS, 1 * SECOND, 10 * SECOND}, 10 * MS, 100 * MS,
		8192 * MIB},
	[SM_LEVEL_PRODUCTION] = {{1 * SECOND, 5 * SECOND, 60 * SECOND}, 0, 500 * MS, 1024 * MIB},
};

const char *sm_level_name(enum sm_level level)
{
	return names[level];
}

struct sm_level_rates sm_level_rates(enum sm_level level, int64_t interval_ns)
{
	struct sm_level_rates slowed = rates[level];
	for (int tier = 0; tier < SM_TIER_COUNT; tier++) {
		if (slowed.interval_ns[tier] < interval_ns) {
			slowed.interval_ns[tier] = interval_ns;
		}
	}
	return slowed;
}
