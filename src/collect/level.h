/* How much is recorded, in numbers. The recorder reads the same words from STALLMETER_LEVEL. */
#ifndef SM_COLLECT_LEVEL_H
#define SM_COLLECT_LEVEL_H

#include "collect/collector.h"
#include "probe/probe.h"

#include <stdint.h>

#define SM_LEVEL_CHOICES "basic|detailed|comprehensive|production"

struct sm_level_rates {
	int64_t interval_ns[SM_TIER_COUNT]; /* between samples of a tier */
	int64_t stacks_ns;		    /* between looks at the stacks; 0: none */
	int64_t drain_ns;		    /* between looks at the mappings */
	uint64_t limit_bytes;		    /* of a run, unless somebody says otherwise */
};

const char *sm_level_name(enum sm_level level);
/* The level's rates, none faster than once in `interval_ns` (0: as the level has them). */
struct sm_level_rates sm_level_rates(enum sm_level level, int64_t interval_ns);

#endif
