#include "cli/hazards.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	/* Docker's default is 64 MiB. Eight workers that keep two batches each of 256 images of 224x224 floats need 2.3
	 * GiB; below 1 GiB even common settings do not fit. */
	SHM_BYTES_MIN = 1 << 30,
	/* With the default sharing strategy a tensor on its way holds a descriptor; 1024 is the usual limit, and loaders
	 * that keep many small tensors reach it. */
	OPEN_FILES_MIN = 4096,
};

static void add(struct sm_hazard *hazards, int *count, const char *help, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add(struct sm_hazard *hazards, int *count, const char *help, const char *format, ...)
{
	va_list args;
	struct sm_hazard *hazard = &hazards[(*count)++];
	va_start(args, format);
	vsnprintf(hazard->what, sizeof(hazard->what), format, args);
	va_end(args);
	snprintf(hazard->help, sizeof(hazard->help), "%s", help);
}

static void check_shm(const struct sm_hazards_facts *facts, struct sm_hazard *hazards, int *count)
{
	double mib = facts->host.shm_bytes / (1 << 20);
	if (facts->host.shm_bytes < SHM_BYTES_MIN) {
		add(hazards, count,
			"docker run --shm-size=8g, or an emptyDir with medium: Memory at /dev/shm "
			"in Kubernetes",
			"/dev/shm holds %.0f MiB: workers put their batches there and die of a bus "
			"error when it is full",
			mib);
	} else if (facts->shm_free_bytes < SHM_BYTES_MIN) {
		add(hazards, count,
			"ls -l /dev/shm shows what fills it; torch_* files of dead jobs may go",
			"/dev/shm has only %.0f MiB free: workers put their batches there",
			facts->shm_free_bytes / (1 << 20));
	}
}

static void check_cores(const struct sm_hazards_facts *facts, struct sm_hazard *hazards, int *count)
{
	const struct sm_host *host = &facts->host;
	if (host->cpus_usable < host->cpus) {
		add(hazards, count, "choose num_workers by the usable ones",
			"only %.3g of %d cores are usable (%s), but os.cpu_count() says %d",
			host->cpus_usable, host->cpus,
			host->cpu_quota < host->cpus_allowed ? "control-group quota"
							     : "affinity mask",
			host->cpus);
	}
}

int sm_hazards_find(const struct sm_hazards_facts *facts, struct sm_hazard hazards[SM_HAZARDS_MAX])
{
	int count = 0;
	check_shm(facts, hazards, &count);
	check_cores(facts, hazards, &count);
	if (facts->open_files_limit && facts->open_files_limit < OPEN_FILES_MIN) {
		add(hazards, &count,
			"ulimit -n 65536, or "
			"torch.multiprocessing.set_sharing_strategy('file_system')",
			"a process may open %llu files: tensors on their way between processes "
			"hold one each",
			(unsigned long long)facts->open_files_limit);
	}
	if (facts->clock_source[0] && strcmp(facts->clock_source, "tsc") != 0 &&
		strcmp(facts->clock_source, "kvm-clock") != 0 &&
		strcmp(facts->clock_source, "arch_sys_counter") != 0) {
		add(hazards, &count, "boot with clocksource=tsc where the hardware allows it",
			"the clock source is %s: reading the time takes a system call or more",
			facts->clock_source);
	}
	if (facts->folder_trouble) {
		add(hazards, &count,
			"read training data from a local copy, or with more workers than cores",
			"this folder is on %s: each small file costs a round trip",
			facts->folder_trouble);
	}
	return count;
}
