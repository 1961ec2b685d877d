/* Counters as they are now, and how fast they grow: the last seconds of every number that the collector samples. */
#ifndef SM_LIVE_GAUGES_H
#define SM_LIVE_GAUGES_H

#include "base/map.h"
#include "trace/trace_reader.h"

struct sm_gauge;
struct sm_gauges {
	struct sm_gauge *items; /* owned */
	size_t count, capacity;
	struct sm_map by_id;
	int64_t first_ns;  /* of all samples; INT64_MAX: none */
	int64_t newest_ns; /* INT64_MIN: none */
};

void sm_gauges_init(struct sm_gauges *gauges);
void sm_gauges_finish(struct sm_gauges *gauges); /* fine on a zeroed one */
int sm_gauges_add(struct sm_gauges *gauges, const struct sm_trace_samples *samples);

/* NaN where there is none, or where the newest is more than SM_GAUGES_STALE_S older than the newest of all: its process is
 * gone, or its probe has fallen silent. */
enum { SM_GAUGES_WINDOW_S = 10, SM_GAUGES_STALE_S = 25 };
double sm_gauges_value(const struct sm_gauges *gauges, int metric, int64_t instance);
/* A second, over the last SM_GAUGES_WINDOW_S; of a slowly sampled one between its last two samples. */
double sm_gauges_rate(const struct sm_gauges *gauges, int metric, int64_t instance);
/* Over all instances; NaN where no instance has one. */
double sm_gauges_sum_of_rates(const struct sm_gauges *gauges, int metric);
/* Of the instance that grows fastest: disks may lie on top of each other. */
double sm_gauges_largest_rate(const struct sm_gauges *gauges, int metric);

#endif
