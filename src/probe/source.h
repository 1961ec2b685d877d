/* One file of /proc or /sys, kept open and read again and again: opening costs three times the reading, and a kept
 * descriptor can never reach a process that took over a dead one's pid.
 *
 * An all-zero source is empty. The text of a read lies in one buffer that all sources share (it stays warm in the
 * cache), so it is good until the next read: probes are driven by one thread. */
#ifndef SM_PROBE_SOURCE_H
#define SM_PROBE_SOURCE_H

#include "probe/scan.h"

#include <stdbool.h>
#include <stddef.h>

enum { SM_SOURCE_TEXT_MAX = 256 * 1024, SM_SOURCE_PATH_MAX = 1024, SM_SOURCE_WHY = 160 };

struct sm_source {
	int fd_plus_one; /* owned; 0: empty */
};

/* 0, -ENOENT or -EACCES, as a probe's open returns them; why[] then says it in words. */
int sm_source_open(struct sm_source *source, char why[SM_SOURCE_WHY], const char *root,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* 0 and *ret_text, or -errno; -ESRCH when it belonged to a process that is gone. */
int sm_source_read(const struct sm_source *source, struct sm_scan *ret_text);
void sm_source_close(struct sm_source *source);
bool sm_source_is_open(const struct sm_source *source);

/* Reads a small file once into buffer[size], NUL-terminated. Returns its length or -errno. */
int sm_source_read_once(char *buffer, size_t size, const char *root, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* An errno of open as a probe answers it, and its reason. */
int sm_source_refuse(char why[SM_SOURCE_WHY], int error, const char *path);

#endif
