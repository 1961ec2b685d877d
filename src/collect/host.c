#include "collect/host.h"

#include "probe/cgroup_tree.h"

#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { CPUS_MAX = 8192, KB = 1024 };

static int count_allowed(void)
{
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	int count = 0;
	if (set && !sched_getaffinity(0, CPU_ALLOC_SIZE(CPUS_MAX), set)) {
		count = CPU_COUNT_S(CPU_ALLOC_SIZE(CPUS_MAX), set);
	}
	CPU_FREE(set);
	return count;
}

static double read_memory(const char *root)
{
	char text[4096];
	uint64_t kb;
	int length = sm_source_read_once(text, sizeof(text), root, "/proc/meminfo");
	return length > 0 && sm_scan_find(sm_scan_text(text, (size_t)length), "MemTotal", &kb)
		       ? (double)kb * KB
		       : NAN;
}

static double read_shm(const char *root)
{
	char path[SM_SOURCE_PATH_MAX];
	struct statvfs fs;
	snprintf(path, sizeof(path), "%s/dev/shm", root);
	return !statvfs(path, &fs) && fs.f_blocks ? (double)fs.f_blocks * (double)fs.f_frsize : NAN;
}

static void read_limits(struct sm_host *host, const char *root)
{
	struct sm_cgroup_place place;
	char why[SM_SOURCE_WHY], where[SM_SOURCE_PATH_MAX];
	host->cpu_quota = host->memory_limit_bytes = NAN;
	if (!sm_cgroup_tree_find(&place, root, "cpu", why)) {
		sm_cgroup_tree_cpu_limit(&place, root, &host->cpu_quota, where);
	}
	if (!sm_cgroup_tree_find(&place, root, "memory", why)) {
		sm_cgroup_tree_memory_limit(&place, root, &host->memory_limit_bytes, where);
	}
}

/* The line "Model: \t NVIDIA H200" of one device. */
static void add_gpu(struct sm_host *host, const char *root, const char *device)
{
	char text[2048];
	int length = sm_source_read_once(
		text, sizeof(text), root, "/proc/driver/nvidia/gpus/%s/information", device);
	struct sm_scan rest = sm_scan_text(text, length > 0 ? (size_t)length : 0), line, first;
	while (sm_scan_line(&rest, &line)) {
		if (sm_scan_begins(&line, "Model:") && sm_scan_word(&line, &first)) {
			size_t used = strlen(host->gpus);
			snprintf(host->gpus + used, sizeof(host->gpus) - used, "%s%.*s",
				used ? "\x1f" : "", (int)(line.end - first.at), first.at);
		}
	}
}

static void read_gpus(struct sm_host *host, const char *root)
{
	char path[SM_SOURCE_PATH_MAX];
	snprintf(path, sizeof(path), "%s/proc/driver/nvidia/gpus", root);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		if (entry->d_name[0] != '.') {
			add_gpu(host, root, entry->d_name);
		}
	}
	if (directory) {
		closedir(directory);
	}
}

void sm_host_read(struct sm_host *host, const char *root_path)
{
	struct utsname name;
	*host = (struct sm_host){0};
	host->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	host->cpus_allowed = count_allowed();
	read_limits(host, root_path);
	int cores = host->cpus_allowed > 0 ? host->cpus_allowed : host->cpus;
	host->cpus_usable = fmin(cores, host->cpu_quota); /* NaN gives way to the other */
	host->memory_bytes = read_memory(root_path);
	host->shm_bytes = read_shm(root_path);
	if (!uname(&name)) {
		snprintf(host->kernel, sizeof(host->kernel), "%s %s %s", name.sysname, name.release,
			name.machine);
	}
	read_gpus(host, root_path);
}

static void add_number(struct sm_str *lines, const char *key, double value)
{
	if (!isnan(value)) {
		sm_str_addf(lines, "%s=%.15g\n", key, value);
	}
}

void sm_host_add_lines(const struct sm_host *host, struct sm_str *lines)
{
	add_number(lines, "host.cpus", host->cpus);
	add_number(lines, "host.cpus_usable", host->cpus_usable);
	add_number(lines, "host.memory_bytes", host->memory_bytes);
	add_number(lines, "host.memory_limit_bytes", host->memory_limit_bytes);
	add_number(lines, "host.shm_bytes", host->shm_bytes);
	sm_str_addf(lines, "host.gpus=%s\n", host->gpus);
	sm_str_addf(lines, "host.kernel=%s\n", host->kernel);
}
