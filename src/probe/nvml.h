/* NVIDIA's management library, asked on a thread of its own.
 *
 * A call into the driver may take milliseconds, now and then seconds, and once in a while never returns; sampling must
 * not wait for it. So one thread asks, once a second, and leaves what it heard with the time at which it heard it. The
 * library is loaded when it is there, never linked; our declarations are the few we use, and every question but
 * the first three may be missing from it. */
#ifndef SM_PROBE_NVML_H
#define SM_PROBE_NVML_H

#include "probe/source.h"

#include <stdint.h>

enum { SM_NVML_GPUS_MAX = 32 };

struct sm_nvml_gpu { /* NaN: not answered */
	double busy_share, used_bytes, total_bytes, power_w, sm_clock_hz, pcie_rx_bytes_per_s;
};

struct sm_nvml_reading {
	int64_t taken_ns; /* CLOCK_MONOTONIC; 0: none yet */
	int count;
	struct sm_nvml_gpu gpu[SM_NVML_GPUS_MAX];
};

struct sm_nvml; /* opaque, heap */

/* 0, or -ENOENT with a reason. Waits for the library's start at most a moment; a slow one goes on by itself. */
int sm_nvml_start(struct sm_nvml **ret_nvml, const char *root, char why[SM_SOURCE_WHY]);
/* The latest reading. -EAGAIN: nothing new enough. */
int sm_nvml_read(struct sm_nvml *nvml, struct sm_nvml_reading *ret_reading);
/* Never waits for a call that hangs: its thread is then left behind. */
void sm_nvml_stop(struct sm_nvml *nvml);

#endif
