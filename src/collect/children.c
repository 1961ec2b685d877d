#include "collect/children.h"

#include "base/clock.h"
#include "base/mem.h"
#include "probe/source.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PPID_COLUMN = 1,
	START_COLUMN = 19, /* behind the name, state is column 0 */
	LIST_MAX = 16 * 1024,
};

/* Where the kernel has no such file, the list stays closed. */
static void open_list(struct sm_source *list, const char *root_path, pid_t pid)
{
	char why[SM_SOURCE_WHY];
	(void)sm_source_open(list, why, root_path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
}

void sm_children_init(struct sm_children *children, pid_t reaper, int epoll_fd,
	const char *root_path, unsigned without, const struct sm_sampler_listener *listener)
{
	*children = (struct sm_children){.reaper = reaper,
		.epoll_fd = epoll_fd,
		.root_path = root_path,
		.without = without,
		.listener = listener};
	if (reaper) {
		open_list(&children->reaper_list, root_path, reaper);
	}
}

bool sm_children_read_stat(
	const char *root_path, pid_t pid, uint64_t *ret_start_ticks, pid_t *ret_ppid)
{
	char text[1024];
	int length = sm_source_read_once(text, sizeof(text), root_path, "/proc/%d/stat", (int)pid);
	const char *bracket = length > 0 ? memrchr(text, ')', (size_t)length) : NULL;
	if (!bracket) {
		return false;
	}
	struct sm_scan line = sm_scan_text(bracket + 1, (size_t)(text + length - bracket - 1));
	uint64_t ppid;
	if (!sm_scan_skip(&line, PPID_COLUMN) || !sm_scan_u64(&line, &ppid) ||
		!sm_scan_skip(&line, START_COLUMN - PPID_COLUMN - 1) ||
		!sm_scan_u64(&line, ret_start_ticks)) {
		return false;
	}
	*ret_ppid = (pid_t)ppid;
	return true;
}

struct sm_child *sm_children_find(const struct sm_children *children, pid_t pid)
{
	for (size_t i = 0; i < children->count; i++) {
		if (children->item[i].pid == pid && !children->item[i].ended) {
			return &children->item[i];
		}
	}
	return NULL;
}

static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	errno = ENOSYS;
	return -1;
#endif
}

static bool watch(const struct sm_children *children, struct sm_child *child)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)child->pid};
	child->pidfd = children->root_path[0] ? -1 : open_pidfd(child->pid);
	if (child->pidfd < 0) {
		return errno != ESRCH && errno != EMFILE && errno != ENFILE;
	}
	return !epoll_ctl(children->epoll_fd, EPOLL_CTL_ADD, child->pidfd, &event);
}

static void let_go(struct sm_child *child)
{
	sm_sampler_close(&child->probes);
	sm_inherited_finish(&child->inherited);
	sm_source_close(&child->list);
	if (child->pidfd >= 0) {
		close(child->pidfd); /* leaves the epoll set by itself */
	}
	child->pidfd = -1;
}

struct sm_child *sm_children_add(struct sm_children *children, pid_t pid)
{
	struct sm_child *known = sm_children_find(children, pid);
	if (known) {
		return known;
	}
	struct sm_child child = {.pid = pid, .pidfd = -1, .seen_ns = sm_clock_mono_ns()};
	errno = 0;
	if (children->count >= SM_CHILDREN_MAX ||
		sm_mem_grow(
			&children->item, &children->capacity, children->count + 1, sizeof(child)) ||
		!watch(children, &child) ||
		!sm_children_read_stat(children->root_path, pid, &child.start_ticks, &child.ppid)) {
		children->missed += errno != ESRCH && errno != ENOENT;
		let_go(&child);
		return NULL;
	}
	open_list(&child.list, children->root_path, pid);
	if (sm_sampler_open(&child.probes, children->root_path, pid, children->without,
		    children->listener)) {
		children->missed++;
	}
	children->item[children->count] = child;
	return &children->item[children->count++];
}

static void add_pids(struct sm_children *children, struct sm_scan list)
{
	uint64_t pid;
	while (sm_scan_u64(&list, &pid)) {
		if ((pid_t)pid != getpid()) {
			sm_children_add(children, (pid_t)pid);
		}
	}
}

/* A copy of the list, because taking on a process reads more files. */
static void add_listed(struct sm_children *children, const struct sm_source *list)
{
	char copy[LIST_MAX];
	struct sm_scan text;
	if (!sm_source_is_open(list) || sm_source_read(list, &text) || text.at == text.end) {
		return;
	}
	size_t length = (size_t)(text.end - text.at);
	length = length < sizeof(copy) ? length : sizeof(copy);
	memcpy(copy, text.at, length);
	add_pids(children, sm_scan_text(copy, length));
}

static void add_of_thread(struct sm_children *children, pid_t pid, int tid)
{
	char text[LIST_MAX];
	int length = sm_source_read_once(text, sizeof(text), children->root_path,
		"/proc/%d/task/%d/children", (int)pid, tid);
	if (length > 0) {
		add_pids(children, sm_scan_text(text, (size_t)length));
	}
}

static void add_of_all_threads(struct sm_children *children, pid_t pid)
{
	char path[SM_SOURCE_PATH_MAX];
	snprintf(path, sizeof(path), "%s/proc/%d/task", children->root_path, (int)pid);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		int tid = atoi(entry->d_name);
		if (tid > 0 && tid != pid) {
			add_of_thread(children, pid, tid);
		}
	}
	if (directory) {
		closedir(directory);
	}
}

/* Without `children` files: everybody whose parent is one of ours. A full look at /proc, so only in deep rounds. */
static void add_by_parents(struct sm_children *children)
{
	char path[SM_SOURCE_PATH_MAX];
	snprintf(path, sizeof(path), "%s/proc", children->root_path);
	DIR *directory = opendir(path);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		uint64_t start;
		pid_t ppid, pid = atoi(entry->d_name);
		if (pid > 0 && pid != getpid() &&
			sm_children_read_stat(children->root_path, pid, &start, &ppid) &&
			(ppid == children->reaper || sm_children_find(children, ppid))) {
			sm_children_add(children, pid);
		}
	}
	if (directory) {
		closedir(directory);
	}
}

void sm_children_update(struct sm_children *children, bool deep)
{
	bool has_lists = sm_source_is_open(&children->reaper_list);
	add_listed(children, &children->reaper_list);
	for (size_t i = 0; i < children->count; i++) { /* grows as we go: grandchildren too */
		if (children->item[i].ended) {
			continue;
		}
		struct sm_source list = children->item[i].list; /* the array may move */
		has_lists |= sm_source_is_open(&list);
		add_listed(children, &list);
		if (deep) {
			add_of_all_threads(children, children->item[i].pid);
		}
	}
	if (deep && !has_lists) {
		add_by_parents(children);
	}
}

void sm_children_check(struct sm_children *children)
{
	for (size_t i = 0; i < children->count; i++) {
		struct sm_child *child = &children->item[i];
		uint64_t start;
		pid_t ppid;
		if (child->pidfd < 0 && !child->ended) {
			child->ended = !sm_children_read_stat(
					       children->root_path, child->pid, &start, &ppid) ||
				       start != child->start_ticks;
		}
	}
}

static void leave_to_parent(struct sm_children *children, const struct sm_child *child)
{
	struct sm_child *parent = sm_children_find(children, child->ppid);
	if (parent) {
		sm_inherited_add(&parent->inherited, &child->inherited);
	}
}

void sm_children_sweep(struct sm_children *children)
{
	size_t kept = 0;
	for (size_t i = 0; i < children->count; i++) {
		if (children->item[i].ended) {
			leave_to_parent(children, &children->item[i]);
		}
	}
	for (size_t i = 0; i < children->count; i++) {
		if (children->item[i].ended) {
			let_go(&children->item[i]);
		} else {
			children->item[kept++] = children->item[i];
		}
	}
	children->count = kept;
}

void sm_children_finish(struct sm_children *children)
{
	for (size_t i = 0; i < children->count; i++) {
		let_go(&children->item[i]);
	}
	sm_source_close(&children->reaper_list);
	sm_mem_free(children->item);
	children->item = NULL;
	children->count = children->capacity = 0;
}
