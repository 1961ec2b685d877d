/* A management library with two devices, of which the second answers little; it can be told to hang or to fail.
 * Built as libnvidia-ml.so.1 for test_nvml.c, which puts it into a folder of its own. */
#include <stdlib.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct utilization {
	unsigned gpu, memory;
};
struct memory {
	unsigned long long total, free, used;
};

EXPORT int nvmlInit_v2(void);
EXPORT int nvmlShutdown(void);
EXPORT const char *nvmlErrorString(int error);
EXPORT int nvmlDeviceGetCount_v2(unsigned *count);
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
EXPORT int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization);
EXPORT int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory);
EXPORT int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatt);

static int devices[2];

static int is_told(const char *what)
{
	return getenv(what) != NULL;
}

int nvmlInit_v2(void)
{
	if (is_told("FAKE_NVML_HANGS_AT_START")) {
		sleep(3600);
	}
	return is_told("FAKE_NVML_FAILS") ? 9 : 0;
}

int nvmlShutdown(void)
{
	return 0;
}

const char *nvmlErrorString(int error)
{
	return error == 9 ? "Driver Not Loaded" : "?";
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
	*count = 2;
	return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
	*device = &devices[index];
	return 0;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilization *utilization)
{
	if (is_told("FAKE_NVML_HANGS")) {
		sleep(3600);
	}
	utilization->gpu = 75;
	return device == &devices[0] ? 0 : 3;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
	*memory = (struct memory){.total = 1000, .free = 600, .used = 400};
	return 0;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatt)
{
	*milliwatt = 250500;
	return device == &devices[0] ? 0 : 3;
}
