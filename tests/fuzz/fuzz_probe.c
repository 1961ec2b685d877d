/* Every probe on a machine whose files hold whatever the fuzzer likes.
 *
 * The input is a heap of files: a byte that says which (below), two of length, then the bytes. They are laid out under a
 * folder in memory, and every probe is opened, sampled twice and closed. Values handed on must be finite: a probe that
 * made a number out of garbage made it from digits it saw. */
#include "collect/host.h"
#include "probe/cgroup_tree.h"
#include "probe/probe.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {
	"proc/stat",
	"proc/meminfo",
	"proc/vmstat",
	"proc/pressure/cpu",
	"proc/pressure/io",
	"proc/pressure/memory",
	"proc/net/dev",
	"sys/class/net/eth0/ifindex",
	"sys/block/vda/stat",
	"sys/block/vda/size",
	"sys/block/vda/dev",
	"proc/self/cgroup",
	"proc/self/mountinfo",
	"sys/fs/cgroup/a/cpu.max",
	"sys/fs/cgroup/a/cpu.stat",
	"sys/fs/cgroup/a/memory.max",
	"sys/fs/cgroup/a/memory.stat",
	"sys/fs/cgroup/a/memory.events",
	"sys/fs/cgroup/a/memory.current",
	"sys/fs/cgroup/cpu.cfs_quota_us",
	"sys/fs/cgroup/cpu.cfs_period_us",
	"sys/fs/cgroup/memory.limit_in_bytes",
	"proc/7/stat",
	"proc/7/statm",
	"proc/7/schedstat",
	"proc/7/io",
	"proc/7/status",
	"proc/7/limits",
	"proc/7/wchan",
	"proc/7/syscall",
	"proc/driver/nvidia/gpus/0/information",
};
enum { FILES = sizeof(files) / sizeof(files[0]), PID = 7 };

static char root[64];

static void make_folders(void)
{
	for (int i = 0; i < FILES; i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
			slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(path, 0777);
			*slash = '/';
		}
	}
	char path[128];
	snprintf(path, sizeof(path), "%s/proc/7/fd", root);
	mkdir(path, 0777);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void remove_root(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_root(void)
{
	snprintf(root, sizeof(root), "/dev/shm/stallmeter-fuzz-XXXXXX");
	if (!mkdtemp(root)) {
		perror(root);
		abort();
	}
	make_folders();
	atexit(remove_root);
}

static void put_file(int which, const uint8_t *bytes, size_t length)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, files[which]);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
		perror(path);
		abort();
	}
	close(fd);
}

static void lay_out(const uint8_t *data, size_t size)
{
	bool used[FILES] = {false};
	while (size > 3) {
		int which = data[0] % FILES;
		size_t length = (size_t)data[1] | (size_t)data[2] << 8;
		data += 3;
		size -= 3;
		length = length < size ? length : size;
		put_file(which, data, length);
		used[which] = true;
		data += length;
		size -= length;
	}
	for (int i = 0; i < FILES; i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		if (!used[i]) {
			unlink(path);
		}
	}
}

static void check_sample(void *context, enum sm_metric metric, int64_t instance, double value)
{
	assert(isfinite(value));
	assert(sm_metric_find(metric));
}

static void run_probe(const struct sm_probe *probe)
{
	const struct sm_probe_sink sink = {.sample = check_sample};
	char why[160] = "";
	void *state = calloc(1, probe->state_bytes);
	if (!probe->open(state, root, probe->per_process ? PID : 0, why)) {
		probe->sample(state, &sink);
		probe->sample(state, &sink);
		probe->close(state);
	} else {
		assert(why[0] && memchr(why, '\0', sizeof(why)));
	}
	free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sm_host host;
	if (!root[0]) {
		make_root();
	}
	lay_out(data, size);
	for (int i = 0; i < sm_probe_table_count; i++) {
		run_probe(sm_probe_table[i]);
	}
	sm_host_read(&host, root);
	assert(memchr(host.gpus, '\0', sizeof(host.gpus)));
	return 0;
}
