/* Yama (kernel.yama.ptrace_scope = 1, the default of Debian's and Ubuntu's kernels) lets a process be read only by its
 * ancestors, and the collector is none: it is the job's sibling. A process may name one other that may, by
 * prctl(PR_SET_PTRACER); children do not inherit it, so each says it when it makes its mapping.
 *
 * There is room for one. A job that names another afterwards (a crash handler, a debugger it starts) has its way: then its
 * stacks are not seen from there on, and the report says so. One that did so before has lost it; it is the price of
 * the level, and `--level basic` does not pay it: its collector leaves no pid.
 *
 * The number counts only while it belongs to a process that calls itself what the collector does: in a container of
 * its own pids it may be anybody's. */
#include "record/permit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

enum { PATH_BYTES = 4096 + 64, TEXT_BYTES = 64 };
#define ANCESTORS_ONLY 1

static int read_text(const char *path, char text[TEXT_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);
	if (fd >= 0) {
		close(fd);
	}
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static int read_number(const char *path)
{
	char text[TEXT_BYTES];
	return read_text(path, text) ? atoi(text) : 0;
}

static int is_collector(int pid, const char *root)
{
	char path[PATH_BYTES], name[TEXT_BYTES];
	return snprintf(path, sizeof(path), "%s/proc/%d/comm", root, pid) < PATH_BYTES &&
	       read_text(path, name) && !strcmp(name, "stallmeter-coll\n");
}

int sm_permit_collector(const char *directory, const char *root)
{
	char path[PATH_BYTES];
	if (snprintf(path, sizeof(path), "%s/proc/sys/kernel/yama/ptrace_scope", root) >=
			PATH_BYTES ||
		read_number(path) != ANCESTORS_ONLY ||
		snprintf(path, sizeof(path), "%s/collector", directory) >= PATH_BYTES) {
		return 0;
	}
	int pid = read_number(path);
	if (pid <= 0 || !is_collector(pid, root)) {
		return 0;
	}
	(void)prctl(PR_SET_PTRACER, (unsigned long)pid, 0, 0, 0); /* refused: as before */
	return pid;
}
