/* The counters that stand above the workers: CPU, memory, /dev/shm, disks, devices. What was not sampled is left out. */
#ifndef SM_LIVE_MACHINE_H
#define SM_LIVE_MACHINE_H

#include "live/gauges.h"
#include "live/view.h"

void sm_machine_fill(struct sm_view *view, const struct sm_gauges *gauges,
	const struct sm_model_growing *growing);

#endif
