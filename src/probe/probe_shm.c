/* /dev/shm, where workers put their batches. When it is full they die of a bus error. A container's has 64 MiB
 * unless somebody asked for more. */
#include "probe/source.h"

#include <errno.h>
#include <sys/statvfs.h>

struct shm {
	struct sm_source directory;
};

static int open_shm(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct shm *shm = state;
	return sm_source_open(&shm->directory, why, root, "/dev/shm");
}

static int sample_shm(void *state, const struct sm_probe_sink *sink)
{
	const struct shm *shm = state;
	struct statvfs fs;
	if (fstatvfs(shm->directory.fd_plus_one - 1, &fs)) {
		return -errno;
	}
	double block_bytes = (double)fs.f_frsize;
	if (fs.f_blocks) { /* 0: a tmpfs without a limit */
		sm_probe_emit(sink, SM_METRIC_SHM_TOTAL, 0, (double)fs.f_blocks * block_bytes);
		sm_probe_emit(sink, SM_METRIC_SHM_FREE, 0, (double)fs.f_bavail * block_bytes);
	}
	return 0;
}

static void close_shm(void *state)
{
	struct shm *shm = state;
	sm_source_close(&shm->directory);
}

const struct sm_probe sm_probe_shm = {
	.name = "shm",
	.summary = "size and free space of /dev/shm, where workers put their batches",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_MEMORY,
	.state_bytes = sizeof(struct shm),
	.open = open_shm,
	.sample = sample_shm,
	.close = close_shm,
};
