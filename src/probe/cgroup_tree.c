/* Two files tell where we are: /proc/self/cgroup names the group of each hierarchy, /proc/self/mountinfo says where
 * hierarchies are mounted and which part of them. Both may be cut by a namespace: a container without a cgroup
 * namespace sees its host's path in the first and its own subtree as root of the mount in the second; then the mount
 * itself is the group. */
#include "probe/cgroup_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	MOUNTINFO_ROOT = 3,		/* columns in front of it */
	CGROUP_V1_UNLIMITED_SHIFT = 60, /* v1 writes "no limit" as the largest whole page count */
};

static bool copy_word(char *text, size_t size, const struct sm_scan *word)
{
	size_t length = (size_t)(word->end - word->at);
	if (length >= size) {
		return false;
	}
	memcpy(text, word->at, length);
	text[length] = '\0';
	return true;
}

/* Is `what` one of the words between commas? */
static bool is_listed(struct sm_scan list, const char *what)
{
	size_t length = strlen(what);
	while (list.at < list.end) {
		const char *comma = memchr(list.at, ',', (size_t)(list.end - list.at));
		const char *end = comma ? comma : list.end;
		if ((size_t)(end - list.at) == length && !memcmp(list.at, what, length)) {
			return true;
		}
		list.at = comma ? comma + 1 : list.end;
	}
	return false;
}

/* A line "4:memory:/path", or "0::/path" for version 2: its path when it is of that controller (NULL: version 2). */
static bool match_group(struct sm_scan line, const char *controller, struct sm_scan *ret_path)
{
	const char *first = memchr(line.at, ':', (size_t)(line.end - line.at));
	const char *second = first ? memchr(first + 1, ':', (size_t)(line.end - first - 1)) : NULL;
	if (!second) {
		return false;
	}
	struct sm_scan controllers = {.at = first + 1, .end = second};
	*ret_path = (struct sm_scan){.at = second + 1, .end = line.end};
	return controller ? is_listed(controllers, controller) : first + 1 == second;
}

/* 31 23 0:29 /root /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu */
static bool match_mount(struct sm_scan line, const char *controller, struct sm_scan *ret_root,
	struct sm_scan *ret_mount)
{
	struct sm_scan word, type, options;
	if (!sm_scan_skip(&line, MOUNTINFO_ROOT) || !sm_scan_word(&line, ret_root) ||
		!sm_scan_word(&line, ret_mount)) {
		return false;
	}
	do {
		if (!sm_scan_word(&line, &word)) {
			return false;
		}
	} while (!sm_scan_is(&word, "-"));
	if (!sm_scan_word(&line, &type) || !sm_scan_skip(&line, 1) ||
		!sm_scan_word(&line, &options)) {
		return false;
	}
	return controller ? sm_scan_is(&type, "cgroup") && is_listed(options, controller)
			  : sm_scan_is(&type, "cgroup2");
}

static bool find_path(const char *root, const char *controller, char path[SM_SOURCE_PATH_MAX])
{
	char text[8192];
	int length = sm_source_read_once(text, sizeof(text), root, "/proc/self/cgroup");
	struct sm_scan rest = sm_scan_text(text, length > 0 ? (size_t)length : 0), line, found;
	while (sm_scan_line(&rest, &line)) {
		if (match_group(line, controller, &found)) {
			return copy_word(path, SM_SOURCE_PATH_MAX, &found);
		}
	}
	return false;
}

static bool find_mount(const char *root, const char *controller, char top[SM_SOURCE_PATH_MAX],
	char mount[SM_SOURCE_PATH_MAX])
{
	struct sm_source mountinfo = {0};
	char why[SM_SOURCE_WHY];
	struct sm_scan text, line, found_top, found_mount;
	bool found = false;
	if (sm_source_open(&mountinfo, why, root, "/proc/self/mountinfo")) {
		return false;
	}
	if (!sm_source_read(&mountinfo, &text)) {
		while (!found && sm_scan_line(&text, &line)) {
			found = match_mount(line, controller, &found_top, &found_mount) &&
				copy_word(top, SM_SOURCE_PATH_MAX, &found_top) &&
				copy_word(mount, SM_SOURCE_PATH_MAX, &found_mount);
		}
	}
	sm_source_close(&mountinfo);
	return found;
}

static bool directory_exists(const char *root, const char *directory)
{
	char path[SM_SOURCE_PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s%s", root, directory);
	return length > 0 && length < SM_SOURCE_PATH_MAX && !access(path, F_OK);
}

/* The group's directory: mount point, then what its path has beyond the part that is mounted. */
static bool place_group(
	struct sm_cgroup_place *place, const char *root, const char *top, const char *path)
{
	size_t shared = strcmp(top, "/") ? strlen(top) : 0;
	const char *below = !strncmp(path, top, shared) ? path + shared : "";
	if (!strcmp(below, "/") || strstr(below, "/..")) {
		below = "";
	}
	int length =
		snprintf(place->directory, sizeof(place->directory), "%s%s", place->mount, below);
	if (length < 0 || length >= SM_SOURCE_PATH_MAX ||
		!directory_exists(root, place->directory)) {
		snprintf(place->directory, sizeof(place->directory), "%s", place->mount);
	}
	return directory_exists(root, place->directory);
}

static bool find_version(struct sm_cgroup_place *place, const char *root, const char *controller)
{
	char path[SM_SOURCE_PATH_MAX], top[SM_SOURCE_PATH_MAX];
	return find_path(root, controller, path) &&
	       find_mount(root, controller, top, place->mount) &&
	       place_group(place, root, top, path);
}

int sm_cgroup_tree_find(struct sm_cgroup_place *place, const char *root, const char *controller,
	char why[SM_SOURCE_WHY])
{
	/* On a mixed machine a controller belongs to version 1 when it is mounted there. */
	place->v2 = false;
	if (find_version(place, root, controller)) {
		return 0;
	}
	place->v2 = true;
	if (find_version(place, root, NULL)) {
		return 0;
	}
	snprintf(why, SM_SOURCE_WHY, "no control group with the %s controller is mounted",
		controller);
	return -ENOENT;
}

bool sm_cgroup_tree_up(const struct sm_cgroup_place *place, char directory[SM_SOURCE_PATH_MAX])
{
	char *slash = strrchr(directory, '/');
	if (!slash || strlen(directory) <= strlen(place->mount)) {
		return false;
	}
	*slash = '\0';
	return true;
}

static bool read_number(
	const char *root, const char *directory, const char *file, uint64_t *ret_value)
{
	char text[64];
	int length = sm_source_read_once(text, sizeof(text), root, "%s/%s", directory, file);
	struct sm_scan rest = sm_scan_text(text, length > 0 ? (size_t)length : 0), line;
	return sm_scan_line(&rest, &line) && sm_scan_u64(&line, ret_value);
}

/* cpu.max: "max 100000" or "50000 100000" */
static bool read_cpu_limit_v2(const char *root, const char *directory, double *ret_cores)
{
	char text[64];
	int length = sm_source_read_once(text, sizeof(text), root, "%s/cpu.max", directory);
	struct sm_scan rest = sm_scan_text(text, length > 0 ? (size_t)length : 0), line;
	uint64_t quota, period;
	if (!sm_scan_line(&rest, &line) || !sm_scan_u64(&line, &quota) ||
		!sm_scan_u64(&line, &period) || !period) {
		return false;
	}
	*ret_cores = (double)quota / (double)period;
	return true;
}

static bool read_cpu_limit(const struct sm_cgroup_place *place, const char *root,
	const char *directory, double *ret_cores)
{
	uint64_t quota, period;
	if (place->v2) {
		return read_cpu_limit_v2(root, directory, ret_cores);
	}
	if (!read_number(root, directory, "cpu.cfs_quota_us", &quota) || /* -1 is none */
		!read_number(root, directory, "cpu.cfs_period_us", &period) || !period) {
		return false;
	}
	*ret_cores = (double)quota / (double)period;
	return true;
}

static bool read_memory_limit(const struct sm_cgroup_place *place, const char *root,
	const char *directory, double *ret_bytes)
{
	uint64_t bytes;
	const char *file = place->v2 ? "memory.max" : "memory.limit_in_bytes"; /* "max" is none */
	if (!read_number(root, directory, file, &bytes) || bytes >> CGROUP_V1_UNLIMITED_SHIFT) {
		return false;
	}
	*ret_bytes = (double)bytes;
	return true;
}

typedef bool read_limit(const struct sm_cgroup_place *place, const char *root,
	const char *directory, double *ret_limit);

static bool find_tightest(const struct sm_cgroup_place *place, const char *root, read_limit *read,
	double *ret_limit, char ret_where[SM_SOURCE_PATH_MAX])
{
	char directory[SM_SOURCE_PATH_MAX];
	bool found = false;
	memcpy(directory, place->directory, sizeof(directory));
	do {
		double limit;
		if (read(place, root, directory, &limit) && (!found || limit < *ret_limit)) {
			*ret_limit = limit;
			memcpy(ret_where, directory, SM_SOURCE_PATH_MAX);
			found = true;
		}
	} while (sm_cgroup_tree_up(place, directory));
	return found;
}

bool sm_cgroup_tree_cpu_limit(const struct sm_cgroup_place *place, const char *root,
	double *ret_cores, char ret_where[SM_SOURCE_PATH_MAX])
{
	return find_tightest(place, root, read_cpu_limit, ret_cores, ret_where);
}

bool sm_cgroup_tree_memory_limit(const struct sm_cgroup_place *place, const char *root,
	double *ret_bytes, char ret_where[SM_SOURCE_PATH_MAX])
{
	return find_tightest(place, root, read_memory_limit, ret_bytes, ret_where);
}
