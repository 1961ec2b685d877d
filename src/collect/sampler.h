/* Probes at work: one set for the machine, one for each process of the job. */
#ifndef SM_COLLECT_SAMPLER_H
#define SM_COLLECT_SAMPLER_H

#include "probe/probe.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_sampler_source {
	const struct sm_probe *probe;
	void *state;  /* owned; NULL: not open */
	int failures; /* in a row */
};

struct sm_sampler_set {
	struct sm_sampler_source *sources; /* owned */
	int count;
};
#define SM_SAMPLER_SET_EMPTY ((struct sm_sampler_set){0})

/* Told once for each probe that is absent, refused, or has stopped answering. */
struct sm_sampler_listener {
	void *context;
	void (*missing)(void *context, const struct sm_probe *probe, const char *why);
};

/* `pid` 0: the probes of the machine, else those of that process, but for probes of which all groups (enum sm_tracking)
 * are in `without`. What cannot be opened is told to the listener. 0 or -ENOMEM. */
int sm_sampler_open(struct sm_sampler_set *set, const char *root, pid_t pid, unsigned without,
	const struct sm_sampler_listener *listener);
/* Samples the sources of one tier. -ESRCH: the process is gone. */
int sm_sampler_sample(struct sm_sampler_set *set, enum sm_probe_tier tier,
	const struct sm_probe_sink *sink, const struct sm_sampler_listener *listener);
void sm_sampler_close(struct sm_sampler_set *set); /* fine on an empty one */

#endif
