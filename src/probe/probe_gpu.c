/* NVIDIA devices, through nvml.h. `gpu.busy` is the share of time with some kernel resident: it says duty, not work, so a
 * device can be 100 % busy at a third of its throughput. */
#include "probe/nvml.h"

#include <math.h>

struct gpu {
	struct sm_nvml *nvml; /* owned */
	int64_t seen_ns;      /* reading that was handed on last */
};

static int open_gpu(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct gpu *gpu = state;
	return sm_nvml_start(&gpu->nvml, root, why);
}

static void emit_known(
	const struct sm_probe_sink *sink, enum sm_metric metric, int index, double value)
{
	if (!isnan(value)) {
		sm_probe_emit(sink, metric, index, value);
	}
}

static int sample_gpu(void *state, const struct sm_probe_sink *sink)
{
	struct gpu *gpu = state;
	struct sm_nvml_reading reading;
	int r = sm_nvml_read(gpu->nvml, &reading);
	if (r || reading.taken_ns == gpu->seen_ns) {
		return r;
	}
	gpu->seen_ns = reading.taken_ns;
	for (int i = 0; i < reading.count; i++) {
		const struct sm_nvml_gpu *one = &reading.gpu[i];
		emit_known(sink, SM_METRIC_GPU_BUSY, i, one->busy_share);
		emit_known(sink, SM_METRIC_GPU_MEM, i, one->used_bytes);
		emit_known(sink, SM_METRIC_GPU_MEM_TOTAL, i, one->total_bytes);
		emit_known(sink, SM_METRIC_GPU_POWER, i, one->power_w);
		emit_known(sink, SM_METRIC_GPU_SM_CLOCK, i, one->sm_clock_hz);
		emit_known(sink, SM_METRIC_GPU_PCIE_RX, i, one->pcie_rx_bytes_per_s);
	}
	return 0;
}

static void close_gpu(void *state)
{
	struct gpu *gpu = state;
	sm_nvml_stop(gpu->nvml);
}

const struct sm_probe sm_probe_gpu = {
	.name = "gpu",
	.summary = "NVIDIA devices: busy share, memory, power, clock, PCIe",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_GPU,
	.state_bytes = sizeof(struct gpu),
	.open = open_gpu,
	.sample = sample_gpu,
	.close = close_gpu,
};
