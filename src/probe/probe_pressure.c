/* /proc/pressure: the share of time in which tasks waited for a CPU, a disk or memory.
 *
 * Reading these files changes them, for everybody on the machine: each read gathers the times of all CPUs and weighs
 * them by whole ticks, so that readers who together come more often than the tick make the numbers vanish. (Measured:
 * a machine under full pressure reads 100 % at 10 reads a second and 2 % at 500.) So: once a second, which loses
 * nothing, since the totals are cumulative; and one reader per machine. The lock that says who it is lies on the
 * file itself: flock works on /proc, needs no right to write and leaves nothing behind when we are killed. */
#include "probe/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define MICROSECOND 1e-6

struct pressure {
	struct sm_source file[3];
};

static const struct {
	const char *path;
	int some, full; /* enum sm_metric; 0: of no use */
} kinds[3] = {
	{"/proc/pressure/cpu", SM_METRIC_PRESSURE_CPU_SOME, 0},
	{"/proc/pressure/io", SM_METRIC_PRESSURE_IO_SOME, SM_METRIC_PRESSURE_IO_FULL},
	{"/proc/pressure/memory", SM_METRIC_PRESSURE_MEM_SOME, SM_METRIC_PRESSURE_MEM_FULL},
};

static void close_pressure(void *state)
{
	struct pressure *pressure = state;
	for (int i = 0; i < 3; i++) {
		sm_source_close(&pressure->file[i]);
	}
}

static int become_the_reader(const struct pressure *pressure, char why[SM_SOURCE_WHY])
{
	if (!flock(pressure->file[0].fd_plus_one - 1, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) {
		return 0; /* ours, or a file system without locks */
	}
	snprintf(why, SM_SOURCE_WHY,
		"another stallmeter reads it already, and a second reader would falsify it for "
		"both");
	return -EACCES;
}

/* Where pressure is compiled in but switched off (psi=0), opening works and reading says EOPNOTSUPP. */
static int try_to_read(const struct pressure *pressure, char why[SM_SOURCE_WHY])
{
	struct sm_scan text;
	int r = sm_source_read(&pressure->file[0], &text);
	if (r == -EOPNOTSUPP) {
		snprintf(why, SM_SOURCE_WHY, "switched off in this kernel (boot with psi=1)");
		return -ENOENT;
	}
	return r < 0 ? sm_source_refuse(why, -r, kinds[0].path) : 0;
}

static int open_pressure(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct pressure *pressure = state;
	int r = 0;
	for (int i = 0; i < 3 && !r; i++) {
		r = sm_source_open(&pressure->file[i], why, root, "%s", kinds[i].path);
	}
	r = r ? r : become_the_reader(pressure, why);
	r = r ? r : try_to_read(pressure, why);
	if (r) {
		close_pressure(pressure);
	}
	return r;
}

/* some avg10=0.00 avg60=0.03 avg300=0.26 total=21687823 */
static bool find_total(struct sm_scan line, uint64_t *ret_us)
{
	struct sm_scan word;
	while (sm_scan_word(&line, &word)) {
		if (sm_scan_begins(&word, "total=")) {
			return sm_scan_u64(&word, ret_us);
		}
	}
	return false;
}

static int sample_pressure(void *state, const struct sm_probe_sink *sink)
{
	const struct pressure *pressure = state;
	for (int i = 0; i < 3; i++) {
		struct sm_scan text, line;
		int r = sm_source_read(&pressure->file[i], &text);
		if (r < 0) {
			return r;
		}
		while (sm_scan_line(&text, &line)) {
			uint64_t us;
			int metric = sm_scan_begins(&line, "some ")   ? kinds[i].some
				     : sm_scan_begins(&line, "full ") ? kinds[i].full
								      : 0;
			if (metric && find_total(line, &us)) {
				sm_probe_emit(
					sink, (enum sm_metric)metric, 0, (double)us * MICROSECOND);
			}
		}
	}
	return 0;
}

const struct sm_probe sm_probe_pressure = {
	.name = "pressure",
	.summary = "time in which tasks of the machine waited for a CPU, a disk or memory",
	.tier = SM_TIER_SECOND,
	.groups = SM_TRACKING_CPU | SM_TRACKING_MEMORY | SM_TRACKING_IO,
	.state_bytes = sizeof(struct pressure),
	.open = open_pressure,
	.sample = sample_pressure,
	.close = close_pressure,
};
