/* /sys/block/<disk>/stat of every real disk. These numbers explain slow storage, they do not prove it: a limit above
 * the driver (a cloud volume's, a control group's) leaves the device quick and idle while readers wait. */
#include "probe/source.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DISKS_MAX = 64, SECTOR_BYTES = 512 };
#define MILLISECOND 1e-3

/* Columns of the file, in its order. */
enum {
	READS,
	READS_MERGED,
	READ_SECTORS,
	READ_MS,
	WRITES,
	WRITES_MERGED,
	WRITE_SECTORS,
	WRITE_MS,
	IN_FLIGHT,
	BUSY_MS,
	COLUMNS
};

struct disk {
	struct sm_source stat;
	int64_t instance; /* major << 20 | minor */
};

struct disks {
	struct disk *disk; /* owned */
	int count;
};

static bool is_real(const char *name)
{
	return name[0] != '.' && strncmp(name, "loop", 4) != 0 && strncmp(name, "ram", 3) != 0 &&
	       strncmp(name, "zram", 4) != 0;
}

static bool has_size(const char *root, const char *name)
{
	char text[32];
	return sm_source_read_once(text, sizeof(text), root, "/sys/block/%s/size", name) > 0 &&
	       strcmp(text, "0\n") != 0;
}

static bool find_instance(const char *root, const char *name, int64_t *ret_instance)
{
	char text[32];
	int length = sm_source_read_once(text, sizeof(text), root, "/sys/block/%s/dev", name);
	unsigned major, minor;
	if (length <= 0 || sscanf(text, "%7u:%7u", &major, &minor) != 2) {
		return false;
	}
	*ret_instance = (int64_t)major << 20 | minor;
	return true;
}

static void add_disk(struct disks *disks, const char *root, const char *name)
{
	char why[SM_SOURCE_WHY];
	struct disk disk = {0};
	if (disks->count < DISKS_MAX && is_real(name) && has_size(root, name) &&
		find_instance(root, name, &disk.instance) &&
		!sm_source_open(&disk.stat, why, root, "/sys/block/%s/stat", name)) {
		disks->disk[disks->count++] = disk;
	}
}

static void close_disks(void *state)
{
	struct disks *disks = state;
	for (int i = 0; i < disks->count; i++) {
		sm_source_close(&disks->disk[i].stat);
	}
	sm_mem_free(disks->disk);
}

static int open_disks(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct disks *disks = state;
	char path[SM_SOURCE_PATH_MAX];
	snprintf(path, sizeof(path), "%s/sys/block", root);
	DIR *directory = opendir(path);
	if (!directory) {
		return sm_source_refuse(why, errno, "/sys/block");
	}
	disks->disk = sm_mem_calloc(DISKS_MAX, sizeof(*disks->disk));
	for (struct dirent *entry; disks->disk && (entry = readdir(directory));) {
		add_disk(disks, root, entry->d_name);
	}
	closedir(directory);
	if (!disks->count) {
		sm_mem_free(disks->disk);
		snprintf(why, SM_SOURCE_WHY, "no disk to be seen in /sys/block");
		return -ENOENT;
	}
	return 0;
}

static int sample_disk(const struct disk *disk, const struct sm_probe_sink *sink)
{
	struct sm_scan text, line;
	uint64_t column[COLUMNS];
	int r = sm_source_read(&disk->stat, &text);
	if (r < 0) {
		return r;
	}
	if (!sm_scan_line(&text, &line)) {
		return -EBADMSG;
	}
	for (int i = 0; i < COLUMNS; i++) {
		if (!sm_scan_u64(&line, &column[i])) {
			return -EBADMSG;
		}
	}
	sm_probe_emit(sink, SM_METRIC_DISK_READ, disk->instance,
		(double)column[READ_SECTORS] * SECTOR_BYTES);
	sm_probe_emit(sink, SM_METRIC_DISK_READS, disk->instance, (double)column[READS]);
	sm_probe_emit(sink, SM_METRIC_DISK_READ_TIME, disk->instance,
		(double)column[READ_MS] * MILLISECOND);
	sm_probe_emit(sink, SM_METRIC_DISK_WRITE, disk->instance,
		(double)column[WRITE_SECTORS] * SECTOR_BYTES);
	sm_probe_emit(
		sink, SM_METRIC_DISK_BUSY, disk->instance, (double)column[BUSY_MS] * MILLISECOND);
	return 0;
}

static int sample_disks(void *state, const struct sm_probe_sink *sink)
{
	const struct disks *disks = state;
	int result = 0;
	for (int i = 0; i < disks->count; i++) {
		int r = sample_disk(&disks->disk[i], sink);
		result = result ? result : r;
	}
	return result;
}

const struct sm_probe sm_probe_disk = {
	.name = "disk",
	.summary = "requests, bytes and busy time of every disk",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_IO,
	.state_bytes = sizeof(struct disks),
	.open = open_disks,
	.sample = sample_disks,
	.close = close_disks,
};
