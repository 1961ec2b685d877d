/* Probes: each reads one source of system counters, with descriptors kept open.
 *
 * A probe is a `const struct sm_probe` at the end of probe_<source>.c; the list is one word in meson.build. Paths are
 * relative to `root` ("" on a real machine), so tests point it at a folder of canned /proc and /sys. */
#ifndef SM_PROBE_PROBE_H
#define SM_PROBE_PROBE_H

#include "base/metric.h"
#include "base/tracking.h"

#include <stddef.h>
#include <stdint.h>

enum sm_probe_tier {
	SM_TIER_FAST,
	SM_TIER_SECOND,
	SM_TIER_SLOW,
	SM_TIER_COUNT
}; /* 10 Hz, 1 Hz, 0.1 Hz */

enum sm_probe_state { SM_PROBE_PRESENT, SM_PROBE_ABSENT, SM_PROBE_REFUSED };

struct sm_probe_sink {
	void *context;
	void (*sample)(void *context, enum sm_metric metric, int64_t instance, double value);
};

struct sm_probe {
	const char *name;    /* "cpu" */
	const char *summary; /* one line for doctor and docs */
	enum sm_probe_tier tier;
	unsigned
		groups; /* enum sm_tracking, or-ed, of all it samples; 0: it is never switched off */
	int per_process;    /* one instance for each process of the job */
	size_t state_bytes; /* of the probe's own state, zeroed before open */
	/* 0, or -ENOENT (absent), -EACCES (refused): then why[] has a line for people. `pid` is 0 unless per_process. */
	int (*open)(void *state, const char *root, int32_t pid, char why[160]);
	/* 0, or -ESRCH when the process is gone; other errors are counted and the source is tried again. A value that
	 * cannot be read or understood is not handed on: there is no stand-in for a number. */
	int (*sample)(void *state, const struct sm_probe_sink *sink);
	void (*close)(void *state); /* only after an open that succeeded */
};

extern const struct sm_probe *const sm_probe_table[];
extern const int sm_probe_table_count;
const struct sm_probe *sm_probe_find(const char *name); /* NULL: none */

static inline void sm_probe_emit(
	const struct sm_probe_sink *sink, enum sm_metric metric, int64_t instance, double value)
{
	sink->sample(sink->context, metric, instance, value);
}

#endif
