#include "probe/nvml.h"

#include "base/clock.h"
#include "base/mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	NVML_SUCCESS = 0,
	NVML_CLOCK_SM = 1,
	NVML_PCIE_RX = 1,
	START_WAIT_MS = 100, /* to learn that there is no driver; a working one may take longer */
	PERIOD_MS = 1000,
	PCIE_EVERY = 5, /* rounds: this one call sleeps 20 ms in the driver */
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
};
#define STALE_NS (3000LL * NS_PER_MS)

/* Our own words for the structures of the library that we fill. */
struct utilization {
	unsigned gpu, memory; /* percent */
};
struct memory {
	unsigned long long total, free, used;
};

struct library {
	void *handle; /* owned */
	int (*init)(void);
	int (*shutdown)(void);
	int (*count)(unsigned *);
	int (*device)(unsigned, void **);
	int (*utilization)(void *, struct utilization *);
	int (*memory)(void *, struct memory *);
	int (*power)(void *, unsigned *);
	int (*clock)(void *, int, unsigned *);
	int (*pcie)(void *, int, unsigned *);
	const char *(*error)(int);
};

enum progress { STARTING, RUNNING, FAILED };

struct sm_nvml { /* owned by caller and thread together; the last to leave frees it */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int holders;
	bool stop;
	enum progress progress;
	char failure[SM_SOURCE_WHY];
	struct sm_nvml_reading latest;
	struct library library; /* the thread's alone once it runs */
};

static bool find_symbol(void *handle, const char *name, const char *older, void *ret_function)
{
	void *symbol = dlsym(handle, name);
	if (!symbol && older) {
		symbol = dlsym(handle, older);
	}
	memcpy(ret_function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void *open_library(const char *root)
{
	char path[SM_SOURCE_PATH_MAX];
	if (root[0]) {
		snprintf(path, sizeof(path), "%s/usr/lib/libnvidia-ml.so.1", root);
		return dlopen(path, RTLD_NOW | RTLD_LOCAL);
	}
	void *handle = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL);
	return handle ? handle : dlopen("libnvidia-ml.so", RTLD_LAZY | RTLD_LOCAL);
}

static bool load_library(struct library *library, const char *root, char why[SM_SOURCE_WHY])
{
	void *handle = library->handle = open_library(root);
	if (!handle) {
		snprintf(why, SM_SOURCE_WHY, "no NVML library");
		return false;
	}
	bool usable = find_symbol(handle, "nvmlInit_v2", "nvmlInit", &library->init);
	usable &=
		find_symbol(handle, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount", &library->count);
	usable &= find_symbol(handle, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex",
		&library->device);
	find_symbol(handle, "nvmlShutdown", NULL, &library->shutdown);
	find_symbol(handle, "nvmlDeviceGetUtilizationRates", NULL, &library->utilization);
	find_symbol(handle, "nvmlDeviceGetMemoryInfo", NULL, &library->memory);
	find_symbol(handle, "nvmlDeviceGetPowerUsage", NULL, &library->power);
	find_symbol(handle, "nvmlDeviceGetClockInfo", NULL, &library->clock);
	find_symbol(handle, "nvmlDeviceGetPcieThroughput", NULL, &library->pcie);
	find_symbol(handle, "nvmlErrorString", NULL, &library->error);
	if (!usable) {
		snprintf(why, SM_SOURCE_WHY, "the NVML library here lacks what every version has");
	}
	return usable;
}

static void close_library(struct library *library)
{
	if (library->handle) {
		dlclose(library->handle);
	}
	library->handle = NULL;
}

static void let_go(struct sm_nvml *nvml)
{
	pthread_mutex_lock(&nvml->lock);
	int holders = --nvml->holders;
	pthread_mutex_unlock(&nvml->lock);
	if (!holders) {
		close_library(&nvml->library);
		pthread_cond_destroy(&nvml->changed);
		pthread_mutex_destroy(&nvml->lock);
		sm_mem_free(nvml);
	}
}

static void ask_gpu(
	const struct library *library, void *device, bool with_pcie, struct sm_nvml_gpu *gpu)
{
	struct utilization utilization;
	struct memory memory;
	unsigned value;
	*gpu = (struct sm_nvml_gpu){NAN, NAN, NAN, NAN, NAN, NAN};
	if (library->utilization && library->utilization(device, &utilization) == NVML_SUCCESS) {
		gpu->busy_share = utilization.gpu / 100.0;
	}
	if (library->memory && library->memory(device, &memory) == NVML_SUCCESS) {
		gpu->used_bytes = (double)memory.used;
		gpu->total_bytes = (double)memory.total;
	}
	if (library->power && library->power(device, &value) == NVML_SUCCESS) {
		gpu->power_w = value / 1e3;
	}
	if (library->clock && library->clock(device, NVML_CLOCK_SM, &value) == NVML_SUCCESS) {
		gpu->sm_clock_hz = value * 1e6;
	}
	if (with_pcie && library->pcie &&
		library->pcie(device, NVML_PCIE_RX, &value) == NVML_SUCCESS) {
		gpu->pcie_rx_bytes_per_s = value * 1024.0;
	}
}

static void ask_all(const struct library *library, bool with_pcie, struct sm_nvml_reading *reading)
{
	unsigned count = 0;
	*reading = (struct sm_nvml_reading){0};
	if (library->count(&count) != NVML_SUCCESS) {
		return;
	}
	for (unsigned i = 0; i < count && i < SM_NVML_GPUS_MAX; i++) {
		void *device;
		if (library->device(i, &device) == NVML_SUCCESS) {
			ask_gpu(library, device, with_pcie, &reading->gpu[i]);
		} else {
			reading->gpu[i] = (struct sm_nvml_gpu){NAN, NAN, NAN, NAN, NAN, NAN};
		}
		reading->count = (int)i + 1;
	}
	reading->taken_ns = sm_clock_mono_ns();
}

/* Until `ms` from now, or until somebody changes something. Holds the lock. */
static void wait_locked(struct sm_nvml *nvml, int ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + (int64_t)(ms % MS_PER_S) * NS_PER_MS;
	until.tv_sec += ms / MS_PER_S + ns / ((int64_t)MS_PER_S * NS_PER_MS);
	until.tv_nsec = ns % ((int64_t)MS_PER_S * NS_PER_MS);
	pthread_cond_timedwait(&nvml->changed, &nvml->lock, &until);
}

static void settle(struct sm_nvml *nvml, int result)
{
	const char *words = result && nvml->library.error ? nvml->library.error(result) : NULL;
	pthread_mutex_lock(&nvml->lock);
	nvml->progress = result ? FAILED : RUNNING;
	if (result) {
		snprintf(nvml->failure, sizeof(nvml->failure), "NVML does not start: %s",
			words ? words : "no reason given");
	}
	pthread_cond_broadcast(&nvml->changed);
	pthread_mutex_unlock(&nvml->lock);
}

static void *ask_for_ever(void *argument)
{
	struct sm_nvml *nvml = argument;
	struct sm_nvml_reading reading;
	int result = nvml->library.init();
	settle(nvml, result);
	for (int round = 0; !result; round++) {
		ask_all(&nvml->library, round % PCIE_EVERY == PCIE_EVERY - 1, &reading);
		pthread_mutex_lock(&nvml->lock);
		nvml->latest = reading.taken_ns ? reading : nvml->latest;
		if (!nvml->stop) {
			wait_locked(nvml, PERIOD_MS);
		}
		bool stop = nvml->stop;
		pthread_mutex_unlock(&nvml->lock);
		if (stop) {
			break;
		}
	}
	if (!result && nvml->library.shutdown) {
		nvml->library.shutdown();
	}
	let_go(nvml);
	return NULL;
}

static bool start_thread(struct sm_nvml *nvml)
{
	pthread_t thread;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&nvml->lock, NULL);
	pthread_cond_init(&nvml->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	nvml->holders = 2;
	if (pthread_create(&thread, NULL, ask_for_ever, nvml)) {
		nvml->holders = 1;
		return false;
	}
	pthread_detach(thread);
	return true;
}

static enum progress wait_for_start(struct sm_nvml *nvml, char why[SM_SOURCE_WHY])
{
	pthread_mutex_lock(&nvml->lock);
	if (nvml->progress == STARTING) {
		wait_locked(nvml, START_WAIT_MS);
	}
	enum progress progress = nvml->progress;
	memcpy(why, nvml->failure, SM_SOURCE_WHY);
	pthread_mutex_unlock(&nvml->lock);
	return progress;
}

int sm_nvml_start(struct sm_nvml **ret_nvml, const char *root, char why[SM_SOURCE_WHY])
{
	struct sm_nvml *nvml = sm_mem_calloc(1, sizeof(*nvml));
	if (!nvml) {
		snprintf(why, SM_SOURCE_WHY, "out of memory");
		return -ENOMEM;
	}
	if (!load_library(&nvml->library, root, why)) {
		close_library(&nvml->library);
		sm_mem_free(nvml);
		return -ENOENT;
	}
	if (!start_thread(nvml)) {
		snprintf(why, SM_SOURCE_WHY, "no thread for NVML to be had");
		let_go(nvml);
		return -EACCES;
	}
	if (wait_for_start(nvml, why) == FAILED) {
		let_go(nvml);
		return -ENOENT;
	}
	*ret_nvml = nvml;
	return 0;
}

int sm_nvml_read(struct sm_nvml *nvml, struct sm_nvml_reading *ret_reading)
{
	pthread_mutex_lock(&nvml->lock);
	struct sm_nvml_reading reading = nvml->latest;
	pthread_mutex_unlock(&nvml->lock);
	if (!reading.taken_ns || sm_clock_mono_ns() - reading.taken_ns > STALE_NS) {
		return -EAGAIN;
	}
	*ret_reading = reading;
	return 0;
}

void sm_nvml_stop(struct sm_nvml *nvml)
{
	if (!nvml) {
		return;
	}
	pthread_mutex_lock(&nvml->lock);
	nvml->stop = true;
	pthread_cond_broadcast(&nvml->changed);
	pthread_mutex_unlock(&nvml->lock);
	let_go(nvml);
}
