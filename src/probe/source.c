#include "probe/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Multi-record files of /proc give at most about a page a read, single-record ones everything at once. A read
 * that is shorter than this was the last one, which saves a system call for nearly every file. */
enum { SURELY_LAST_BYTES = 2048 };

static char shared_text[SM_SOURCE_TEXT_MAX];

int sm_source_refuse(char why[SM_SOURCE_WHY], int error, const char *path)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
	case ENOTDIR:
	case ENODEV:
		snprintf(why, SM_SOURCE_WHY, "no %s here", path);
		return -ENOENT;
	case EACCES:
	case EPERM:
		snprintf(why, SM_SOURCE_WHY, "may not read %s", path);
		return -EACCES;
	case EMFILE:
	case ENFILE:
		snprintf(why, SM_SOURCE_WHY, "too many open files to read %s", path);
		return -EACCES;
	default:
		snprintf(why, SM_SOURCE_WHY, "%s: %s", path, strerror(error));
		return error == EOPNOTSUPP ? -ENOENT : -EACCES;
	}
}

/* root and path in one; false when they do not fit. The path alone, as people know it, is at *ret_shown. */
static bool build_path(char path[SM_SOURCE_PATH_MAX], const char **ret_shown, const char *root,
	const char *format, va_list args)
{
	int begin = snprintf(path, SM_SOURCE_PATH_MAX, "%s", root);
	if (begin < 0 || begin >= SM_SOURCE_PATH_MAX) {
		return false;
	}
	*ret_shown = path + begin;
	int length = vsnprintf(path + begin, (size_t)(SM_SOURCE_PATH_MAX - begin), format, args);
	return length >= 0 && length < SM_SOURCE_PATH_MAX - begin;
}

int sm_source_open(struct sm_source *source, char why[SM_SOURCE_WHY], const char *root,
	const char *format, ...)
{
	char path[SM_SOURCE_PATH_MAX];
	const char *shown = path;
	va_list args;
	va_start(args, format);
	bool fits = build_path(path, &shown, root, format, args);
	va_end(args);
	int fd = fits ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		return sm_source_refuse(why, fits ? errno : ENAMETOOLONG, shown);
	}
	source->fd_plus_one = fd + 1;
	return 0;
}

int sm_source_read(const struct sm_source *source, struct sm_scan *ret_text)
{
	size_t length = 0;
	while (length < sizeof(shared_text)) {
		ssize_t got = pread(source->fd_plus_one - 1, shared_text + length,
			sizeof(shared_text) - length, (off_t)length);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		length += (size_t)got;
		if (got < SURELY_LAST_BYTES) {
			break;
		}
	}
	*ret_text = sm_scan_text(shared_text, length);
	return 0;
}

void sm_source_close(struct sm_source *source)
{
	if (source->fd_plus_one > 0) {
		close(source->fd_plus_one - 1);
	}
	source->fd_plus_one = 0;
}

bool sm_source_is_open(const struct sm_source *source)
{
	return source->fd_plus_one > 0;
}

int sm_source_read_once(char *buffer, size_t size, const char *root, const char *format, ...)
{
	char path[SM_SOURCE_PATH_MAX];
	const char *shown;
	va_list args;
	va_start(args, format);
	bool fits = build_path(path, &shown, root, format, args);
	va_end(args);
	int fd = fits ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		return fits ? -errno : -ENAMETOOLONG;
	}
	ssize_t got = read(fd, buffer, size - 1);
	int error = got < 0 ? errno : 0;
	close(fd);
	if (error) {
		return -error;
	}
	buffer[got] = '\0';
	return (int)got;
}
