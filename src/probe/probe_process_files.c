/* How many files a process has open, and how many it may. Workers that hand tensors over by descriptor run out of
 * them long before anything else.
 *
 * From Linux 6.2 on, stat of /proc/<pid>/fd says the number as its size, in 0.2 us; before, its entries are counted. */
#include "probe/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct files {
	struct sm_source directory, limits;
	int64_t pid;
	bool size_is_count;
	bool may_ask; /* prlimit answers: 0.2 us, where the file of all limits takes 3 */
};

static bool is_proc(int fd)
{
	struct statfs fs;
	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_files(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct files *files = state;
	char unneeded[SM_SOURCE_WHY];
	files->pid = pid;
	int r = sm_source_open(&files->directory, why, root, "/proc/%d/fd", (int)pid);
	if (r) {
		return r;
	}
	struct stat st;
	int fd = files->directory.fd_plus_one - 1;
	files->size_is_count = is_proc(fd) && !fstat(fd, &st) && st.st_size > 0;
	struct rlimit limit;
	files->may_ask = !root[0] && !prlimit(pid, RLIMIT_NOFILE, NULL, &limit);
	if (!files->may_ask) {
		(void)sm_source_open(&files->limits, unneeded, root, "/proc/%d/limits", (int)pid);
	}
	return 0;
}

static int count_entries(const struct files *files, int64_t *ret_count)
{
	int fd = openat(files->directory.fd_plus_one - 1, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		int error = errno;
		if (fd >= 0) {
			close(fd);
		}
		return error == ENOENT ? -ESRCH : -error;
	}
	*ret_count = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		*ret_count += entry->d_name[0] != '.';
	}
	closedir(directory);
	return 0;
}

static int count_files(const struct files *files, int64_t *ret_count)
{
	struct stat st;
	if (!files->size_is_count) {
		return count_entries(files, ret_count);
	}
	if (fstat(files->directory.fd_plus_one - 1, &st)) {
		return errno == ENOENT ? -ESRCH : -errno;
	}
	*ret_count = st.st_size;
	return 0;
}

static bool find_limit(const struct files *files, uint64_t *ret_soft)
{
	struct sm_scan text, line;
	if (!sm_source_is_open(&files->limits) || sm_source_read(&files->limits, &text) < 0) {
		return false;
	}
	while (sm_scan_line(&text, &line)) {
		if (sm_scan_begins(&line, "Max open files ")) {
			return sm_scan_u64(&line, ret_soft); /* "unlimited" is none */
		}
	}
	return false;
}

static bool ask_limit(const struct files *files, uint64_t *ret_soft)
{
	struct rlimit limit;
	if (prlimit((pid_t)files->pid, RLIMIT_NOFILE, NULL, &limit) ||
		limit.rlim_cur == RLIM_INFINITY) {
		return false;
	}
	*ret_soft = limit.rlim_cur;
	return true;
}

static void emit_limit(const struct files *files, const struct sm_probe_sink *sink)
{
	uint64_t soft;
	if (files->may_ask ? ask_limit(files, &soft) : find_limit(files, &soft)) {
		sm_probe_emit(sink, SM_METRIC_PROC_OPEN_FILES_LIMIT, files->pid, (double)soft);
	}
}

static int sample_files(void *state, const struct sm_probe_sink *sink)
{
	const struct files *files = state;
	int64_t count = 0;
	int r = count_files(files, &count);
	if (r < 0) {
		return r;
	}
	sm_probe_emit(sink, SM_METRIC_PROC_OPEN_FILES, files->pid, (double)count);
	emit_limit(files, sink);
	return 0;
}

static void close_files(void *state)
{
	struct files *files = state;
	sm_source_close(&files->directory);
	sm_source_close(&files->limits);
}

const struct sm_probe sm_probe_process_files = {
	.name = "process_files",
	.summary = "open files of every process of the job, and the limit",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_IO,
	.per_process = 1,
	.state_bytes = sizeof(struct files),
	.open = open_files,
	.sample = sample_files,
	.close = close_files,
};
