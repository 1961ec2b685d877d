/* Rounds of sampling: the machine's probes and those of every process, tier by tier, at the level's rates stretched by the
 * governor. What is absent, refused or too much is noted once. */
#ifndef SM_COLLECT_ROUNDS_H
#define SM_COLLECT_ROUNDS_H

#include "collect/alerts.h"
#include "collect/children.h"
#include "collect/governor.h"
#include "collect/level.h"
#include "collect/run_files.h"
#include "collect/sampler.h"

#include <stdbool.h>
#include <stdint.h>

enum { SM_ROUNDS_PROBES_MAX = 64 };

struct sm_rounds {
	const struct sm_level_rates *rates;
	struct sm_run_files *files;   /* borrowed */
	struct sm_children *children; /* borrowed */
	const char *root_path;
	unsigned without; /* enum sm_tracking, or-ed: not sampled */
	struct sm_alerts alerts;
	struct sm_sampler_set machine;	     /* owned */
	struct sm_child *sampled;	     /* borrowed, while its probes are read; else NULL */
	struct sm_sampler_listener listener; /* the children's too */
	struct sm_governor governor;
	int64_t due_ns[SM_TIER_COUNT];
	bool told_missing[SM_ROUNDS_PROBES_MAX]; /* by place in the table */
	bool told_crowded,
		told_silent; /* told_silent: a process that loads torch was not reached */
};

/* It must not move afterwards: its listener points to it. */
void sm_rounds_init(struct sm_rounds *rounds, const struct sm_level_rates *rates,
	struct sm_run_files *files, struct sm_children *children,
	const struct sm_collector_options *options);
int sm_rounds_open(struct sm_rounds *rounds);
void sm_rounds_close(struct sm_rounds *rounds); /* fine where nothing was opened */

/* Runs the tiers that are due; also looks for new processes. */
void sm_rounds_run(struct sm_rounds *rounds, int64_t now_ns);
int64_t sm_rounds_due_ns(const struct sm_rounds *rounds);
/* Every tier once more, so that what grows has an end. */
void sm_rounds_last(struct sm_rounds *rounds);

void sm_rounds_note(struct sm_rounds *rounds, const char *what, const char *why);
int64_t sm_rounds_own_cpu_ns(void); /* of this process */

#endif
