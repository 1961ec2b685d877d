/* /proc/<pid>/io: what a process read. `rchar` passes through read calls, cache hits, pipes and sockets included, so a
 * main process whose batches arrive as pickles instead of shared tensors shows there; `read_bytes` came from storage.
 * Only for processes of the same user. */
#include "probe/source.h"

#include <errno.h>

struct io {
	struct sm_source io;
	int64_t pid;
};

static const struct sm_scan_field fields[] = {
	{"rchar", SM_METRIC_PROC_READ_CHARS, 1},
	{"syscr", SM_METRIC_PROC_READ_CALLS, 1},
	{"syscw", SM_METRIC_PROC_WRITE_CALLS, 1},
	{"read_bytes", SM_METRIC_PROC_READ, 1},
	{"write_bytes", SM_METRIC_PROC_WRITE, 1},
	{0},
};

static int open_io(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct io *io = state;
	io->pid = pid;
	return sm_source_open(&io->io, why, root, "/proc/%d/io", (int)pid);
}

static int sample_io(void *state, const struct sm_probe_sink *sink)
{
	const struct io *io = state;
	struct sm_scan text;
	int r = sm_source_read(&io->io, &text);
	if (r < 0) {
		return r;
	}
	return sm_scan_fields(text, fields, io->pid, sink) > 0 ? 0 : -EBADMSG;
}

static void close_io(void *state)
{
	struct io *io = state;
	sm_source_close(&io->io);
}

const struct sm_probe sm_probe_process_io = {
	.name = "process_io",
	.summary = "bytes and calls that every process of the job reads and writes",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_IO,
	.per_process = 1,
	.state_bytes = sizeof(struct io),
	.open = open_io,
	.sample = sample_io,
	.close = close_io,
};
