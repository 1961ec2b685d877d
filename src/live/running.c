#include "live/running.h"

#include "base/mem.h"
#include "collect/place.h"
#include "trace/salvage.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARENTS_MAX = 64 };

static bool ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), bytes = strlen(tail);
	return length > bytes && !strcmp(text + length - bytes, tail);
}

static void cut_last_part(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash) {
		*slash = '\0';
	}
}

static bool has_trace(const char *run)
{
	DIR *listing = opendir(run);
	bool found = false;
	for (struct dirent *entry; listing && !found && (entry = readdir(listing));) {
		found = ends_with(entry->d_name, ".stall");
	}
	if (listing) {
		closedir(listing);
	}
	return found;
}

static bool is_in_list(const struct sm_running_list *list, const char *run)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->items[i].run, run)) {
			return true;
		}
	}
	return false;
}

static int add(struct sm_running_list *list, const struct sm_running *running)
{
	if (is_in_list(list, running->run)) {
		return 0;
	}
	int error =
		sm_mem_grow(&list->items, &list->capacity, list->count + 1, sizeof(*list->items));
	if (!error) {
		list->items[list->count++] = *running;
	}
	return error;
}

static int64_t changed_ns(const char *live)
{
	char path[PATH_MAX + 16];
	struct stat st;
	snprintf(path, sizeof(path), "%s/collector", live);
	return stat(path, &st) ? 0 : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* --- by the open files of a process --- */

static bool read_link(const char *path, char target[PATH_MAX])
{
	ssize_t length = readlink(path, target, PATH_MAX - 1);
	target[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* The run of a collector is where its trace lies; of `run`, which stands in for the job and holds the lock as well, where the
 * live directory lies. */
static bool see_process(const char *pid, struct sm_running *ret_running)
{
	char folder[288], path[576], target[PATH_MAX];
	struct sm_running found = {0};
	snprintf(folder, sizeof(folder), "/proc/%s/fd", pid);
	DIR *listing = opendir(folder);
	for (struct dirent *entry; listing && (entry = readdir(listing));) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!isdigit((unsigned char)entry->d_name[0]) || !read_link(path, target)) {
			continue;
		}
		if (ends_with(target, "/collector") && strlen(path) < sizeof(found.holder)) {
			cut_last_part(target);
			memcpy(found.live, target, sizeof(found.live));
			memcpy(found.holder, path, sizeof(found.holder));
		} else if (ends_with(target, ".stall")) {
			cut_last_part(target);
			memcpy(found.run, target, sizeof(found.run));
		}
	}
	if (listing) {
		closedir(listing);
	}
	*ret_running = found;
	return found.live[0] && found.run[0] && has_trace(found.run);
}

static int see_all_processes(struct sm_running_list *list)
{
	DIR *listing = opendir("/proc");
	int error = 0;
	for (struct dirent *entry; listing && !error && (entry = readdir(listing));) {
		struct sm_running running;
		if (isdigit((unsigned char)entry->d_name[0]) &&
			see_process(entry->d_name, &running)) {
			running.since_ns = changed_ns(running.live);
			error = add(list, &running);
		}
	}
	if (listing) {
		closedir(listing);
	}
	return error;
}

/* --- by a directory --- */

static bool live_of(const char *run, char live[PATH_MAX])
{
	struct stat st;
	if (snprintf(live, PATH_MAX, "%s/live", run) < PATH_MAX && !stat(live, &st)) {
		return true;
	}
	return sm_salvage_live_path(run, live);
}

static bool see_directory(const char *run, struct sm_running *ret_running)
{
	struct sm_running found = {0};
	if (!realpath(run, found.run) || !has_trace(found.run) || !live_of(found.run, found.live) ||
		!sm_place_is_collected(found.live)) {
		return false;
	}
	found.since_ns = changed_ns(found.live);
	*ret_running = found;
	return true;
}

/* Runs lie in the working directory, or in a folder of it (`-o runs/base`). */
static int see_directories(struct sm_running_list *list, const char *directory, int deeper)
{
	DIR *listing = opendir(directory);
	int error = 0;
	for (struct dirent *entry; listing && !error && (entry = readdir(listing));) {
		char path[PATH_MAX], real[PATH_MAX];
		struct sm_running running;
		bool may_be_one =
			entry->d_name[0] != '.' &&
			(entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
			snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) < PATH_MAX;
		if (!may_be_one || !realpath(path, real) || is_in_list(list, real)) {
			continue;
		}
		if (see_directory(real, &running)) {
			error = add(list, &running);
		} else if (deeper) {
			error = see_directories(list, real, deeper - 1);
		}
	}
	if (listing) {
		closedir(listing);
	}
	return error;
}

static int newest_first(const void *left, const void *right)
{
	int64_t a = ((const struct sm_running *)left)->since_ns;
	int64_t b = ((const struct sm_running *)right)->since_ns;
	return a < b ? 1 : a > b ? -1 : 0;
}

int sm_running_find(struct sm_running_list *list, const char *directory)
{
	*list = (struct sm_running_list){0};
	int error = see_all_processes(list);
	error = error ? error : see_directories(list, directory, 1);
	if (list->count > 1) {
		qsort(list->items, list->count, sizeof(*list->items), newest_first);
	}
	return error;
}

void sm_running_finish(struct sm_running_list *list)
{
	sm_mem_free(list->items);
	*list = (struct sm_running_list){0};
}

bool sm_running_in(const char *run, struct sm_running *ret_running)
{
	struct sm_running_list list = {0};
	char real[PATH_MAX];
	if (!realpath(run, real) || see_all_processes(&list)) {
		sm_running_finish(&list);
		return false;
	}
	bool found = false;
	for (size_t i = 0; i < list.count && !found; i++) {
		found = !strcmp(list.items[i].run, real);
		*ret_running = list.items[i];
	}
	sm_running_finish(&list);
	return found || see_directory(real, ret_running);
}

bool sm_running_goes_on(const struct sm_running *running)
{
	char target[PATH_MAX];
	if (!running->holder[0]) {
		return sm_place_is_collected(running->live);
	}
	if (!read_link(running->holder, target) || !ends_with(target, "/collector")) {
		return false;
	}
	cut_last_part(target);
	return !strcmp(target, running->live);
}

/* --- by a process of the job --- */

static pid_t parent_of(pid_t pid)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0) {
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	const char *behind_name = strrchr(text, ')');
	int parent = 0;
	return behind_name && sscanf(behind_name + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

typedef bool names_live(const char *text, const char *live);

static bool in_environment(const char *text, const char *live)
{
	static const char key[] = "STALLMETER_LIVE=";
	return !strncmp(text, key, sizeof(key) - 1) && !strcmp(text + sizeof(key) - 1, live);
}

static bool in_mappings(const char *text, const char *live)
{
	const char *path = strchr(text, '/');
	size_t length = strlen(live);
	return path && !strncmp(path, live, length) && path[length] == '/' &&
	       strstr(path + length, ".ring");
}

/* The next text, cut to `room`. False at the end. */
static bool next_text(FILE *in, int end, char *text, size_t room)
{
	size_t length = 0;
	int got;
	while ((got = getc(in)) != EOF && got != end) {
		if (length + 1 < room) {
			text[length++] = (char)got;
		}
	}
	text[length] = '\0';
	return got != EOF || length;
}

/* Whether one of the texts of that file of /proc, which end with `end`, names the live directory. */
static bool says(pid_t pid, const char *file, int end, names_live *names, const char *live)
{
	char path[64], text[PATH_MAX + 256];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	FILE *in = fopen(path, "re");
	while (in && !found && next_text(in, end, text, sizeof(text))) {
		found = names(text, live);
	}
	if (in) {
		fclose(in);
	}
	return found;
}

static pid_t holder_of(const struct sm_running *running)
{
	int pid = 0;
	return sscanf(running->holder, "/proc/%d/", &pid) == 1 ? (pid_t)pid : 0;
}

static bool same_program(pid_t one, pid_t other)
{
	char path[64], first[PATH_MAX], second[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)one);
	bool known = read_link(path, first);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)other);
	return known && read_link(path, second) && !strcmp(first, second);
}

/* The collector, or `run`, which forked it and stands above the job. */
static bool records(pid_t pid, const struct sm_running *running)
{
	pid_t holder = holder_of(running);
	return holder && (pid == holder || (pid == parent_of(holder) && same_program(pid, holder)));
}

static bool belongs_to(pid_t pid, const struct sm_running *running)
{
	return records(pid, running) || says(pid, "environ", '\0', in_environment, running->live) ||
	       says(pid, "maps", '\n', in_mappings, running->live);
}

const struct sm_running *sm_running_of(const struct sm_running_list *list, pid_t pid)
{
	for (int up = 0; pid > 1 && up < PARENTS_MAX; up++, pid = parent_of(pid)) {
		for (size_t i = 0; i < list->count; i++) {
			if (belongs_to(pid, &list->items[i])) {
				return &list->items[i];
			}
		}
	}
	return NULL;
}
