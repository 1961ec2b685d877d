#include "collect/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	TAKEN_MAX = 1000,
	/* Less than this free, and the disk would soon be full under the job's mappings, at other people's cost. */
	FREE_BYTES_MIN = 16 * 1024 * 1024,
};

/* Numbers of statfs(2), from the kernel's sources: those of them that linux/magic.h does not have too. */
static const struct {
	unsigned long magic;
	const char *trouble;
} remote[] = {
	{0x6969, "NFS"},
	{0x517b, "SMB"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB"},
	{0x65735546, "FUSE"},
	{0x00c36400, "Ceph"},
	{0x0bd00bd0, "Lustre"},
	{0x47504653, "GPFS"},
	{0x5346414f, "AFS"},
	{0x01021997, "9p"},
	{0x73757245, "Coda"},
	{0x7461636f, "OCFS2"},
	{0x01161970, "GFS2"},
	{0x19830326, "BeeGFS"},
	{0xaad7aaea, "PanFS"},
	{0xbacbacbc, "VMware"},
	{0x786f4256, "VirtualBox"},
	{0x20030528, "OrangeFS"},
};

static bool is_job_memory(const char *directory)
{
	struct stat here, shm;
	return !stat(directory, &here) && !stat("/dev/shm", &shm) && here.st_dev == shm.st_dev;
}

const char *sm_place_trouble(const char *directory)
{
	struct statfs fs;
	if (statfs(directory, &fs)) {
		return "unknown";
	}
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		if ((unsigned long)fs.f_type == remote[i].magic) {
			return remote[i].trouble;
		}
	}
	return is_job_memory(directory) ? "/dev/shm" : NULL;
}

static int make_parents(const char *path)
{
	char parent[PATH_MAX];
	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, 0777) && errno != EEXIST) {
			return -errno;
		}
		*slash = '/';
	}
	return 0;
}

/* The wanted name, or the first that is free behind it. */
static int make_run(char run[PATH_MAX], const struct sm_place_options *options)
{
	char wanted[PATH_MAX];
	size_t length = strlen(options->wanted);
	while (length > 1 && options->wanted[length - 1] == '/') {
		length--;
	}
	snprintf(wanted, sizeof(wanted), "%.*s", (int)length, options->wanted);
	int r = make_parents(wanted);
	for (int n = 1; !r && n <= TAKEN_MAX; n++) {
		int fits = n == 1 ? snprintf(run, PATH_MAX, "%s", wanted)
				  : snprintf(run, PATH_MAX, "%s-%d", wanted, n);
		if (fits >= PATH_MAX) {
			return -ENAMETOOLONG;
		}
		if (!mkdir(run, 0777) || (errno == EEXIST && options->may_exist)) {
			return 0;
		}
		r = errno == EEXIST ? 0 : -errno;
	}
	return r ? r : -EEXIST;
}

static int make_absolute(char path[PATH_MAX])
{
	char real[PATH_MAX];
	if (!realpath(path, real)) {
		return -errno;
	}
	memcpy(path, real, sizeof(real));
	return 0;
}

static int check_room(const char *directory)
{
	struct statfs fs;
	if (statfs(directory, &fs)) {
		return -errno;
	}
	return (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < FREE_BYTES_MIN ? -ENOSPC : 0;
}

static int write_live_path(const struct sm_place *place)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/live.path", place->run) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		return -errno;
	}
	int r = dprintf(fd, "%s\n", place->live) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int make_live_elsewhere(struct sm_place *place, const char *temporary)
{
	if (sm_place_trouble(temporary)) {
		temporary = "/var/tmp";
	}
	if (snprintf(place->live, PATH_MAX, "%s/stallmeter-live-XXXXXX", temporary) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (!mkdtemp(place->live)) {
		return -errno;
	}
	place->live_is_elsewhere = true;
	return write_live_path(place);
}

static int make_live(struct sm_place *place, const struct sm_place_options *options)
{
	if (sm_place_trouble(place->run)) {
		return make_live_elsewhere(place, options->temporary);
	}
	if (snprintf(place->live, PATH_MAX, "%s/live", place->run) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	return mkdir(place->live, 0777) && errno != EEXIST ? -errno : 0;
}

static bool lock_path(char path[PATH_MAX], const char *live)
{
	return snprintf(path, PATH_MAX, "%s/collector", live) < PATH_MAX;
}

static int take_lock(struct sm_place *place)
{
	char path[PATH_MAX];
	if (!lock_path(path, place->live)) {
		return -ENAMETOOLONG;
	}
	place->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (place->lock_fd < 0) {
		return -errno;
	}
	return flock(place->lock_fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

bool sm_place_is_collected(const char *live_directory)
{
	char path[PATH_MAX];
	int fd = lock_path(path, live_directory) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		return false;
	}
	bool locked = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

void sm_place_sign(const struct sm_place *place, int collector_pid)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", collector_pid);
	if (place->lock_fd >= 0) {
		(void)!pwrite(place->lock_fd, text, (size_t)length, 0);
	}
}

int sm_place_make(
	struct sm_place *place, const struct sm_place_options *options, struct sm_error *reterr)
{
	*place = SM_PLACE_EMPTY;
	int r = make_run(place->run, options);
	if (r) {
		place->run[0] = '\0';
		return sm_error_set(reterr, r, -1, "%s: %s", options->wanted, sm_error_text(r));
	}
	r = make_absolute(place->run);
	r = r ? r : check_room(place->run);
	r = r ? r : make_live(place, options);
	r = r ? r : take_lock(place);
	if (r) {
		sm_error_set(reterr, r, -1, "%s: %s", place->run,
			r == -EWOULDBLOCK ? "another collector is at work there"
					  : sm_error_text(r));
		sm_place_leave(place, r != -EWOULDBLOCK);
	}
	return r;
}

void sm_place_leave(struct sm_place *place, bool remove)
{
	char path[PATH_MAX];
	if (remove && place->live[0] && lock_path(path, place->live)) {
		unlink(path);
		rmdir(place->live);
	}
	if (remove && place->run[0]) {
		if (place->live_is_elsewhere &&
			snprintf(path, PATH_MAX, "%s/live.path", place->run) < PATH_MAX) {
			unlink(path);
		}
		rmdir(place->run); /* fails, as it should, when somebody put something there */
	}
	if (place->lock_fd >= 0) {
		close(place->lock_fd);
	}
	*place = SM_PLACE_EMPTY;
}
