/* What one process of the job used: CPU to the nanosecond, memory, faults, threads, priority.
 *
 * Faults and CPU are of all its threads. The CPU clock of another process can be asked for without a file and without
 * privilege, in 0.2 us, where /proc/<pid>/stat counts ticks of 10 ms; a recorded machine has the ticks only. */
#include "probe/source.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Columns of stat behind the name, which may hold blanks, brackets and newlines: state is the first. */
enum {
	STATE,
	MINOR_FAULTS = 7,
	MAJOR_FAULTS = 9,
	USER_TICKS = 11,
	SYSTEM_TICKS,
	NICE = 16,
	THREADS,
	POLICY = 38,
	COLUMNS
};

struct process {
	struct sm_source stat, statm;
	clockid_t clock;
	bool has_clock;
	double tick_s, page_bytes;
	int64_t pid;
};

static void close_process(void *state)
{
	struct process *process = state;
	sm_source_close(&process->stat);
	sm_source_close(&process->statm);
}

static int open_process(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct process *process = state;
	char unneeded[SM_SOURCE_WHY];
	process->pid = pid;
	process->tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	process->page_bytes = (double)sysconf(_SC_PAGESIZE);
	process->has_clock = !root[0] && !clock_getcpuclockid(pid, &process->clock);
	int r = sm_source_open(&process->stat, why, root, "/proc/%d/stat", (int)pid);
	if (r) {
		return r;
	}
	(void)sm_source_open(&process->statm, unneeded, root, "/proc/%d/statm", (int)pid);
	return 0;
}

/* What follows the name: behind the last bracket, for the name itself may hold some. */
static bool skip_name(struct sm_scan *text)
{
	const char *bracket = memrchr(text->at, ')', (size_t)(text->end - text->at));
	if (!bracket || text->end[-1] != '\n') {
		return false;
	}
	*text = (struct sm_scan){.at = bracket + 1, .end = text->end - 1};
	return true;
}

/* How many of them could be read. One that does not fit (a limit without end, an address) is skipped. */
static int read_columns(struct sm_scan text, int64_t column[COLUMNS])
{
	if (!skip_name(&text) || !sm_scan_skip(&text, 1)) {
		return 0;
	}
	for (int i = STATE + 1; i < COLUMNS; i++) {
		bool wanted = i <= THREADS || i == POLICY;
		if (wanted ? !sm_scan_i64(&text, &column[i]) : !sm_scan_skip(&text, 1)) {
			return i;
		}
	}
	return COLUMNS;
}

static void emit_cpu(const struct process *process, const int64_t column[COLUMNS],
	const struct sm_probe_sink *sink)
{
	struct timespec used;
	double s = ((double)column[USER_TICKS] + (double)column[SYSTEM_TICKS]) * process->tick_s;
	if (process->has_clock && !clock_gettime(process->clock, &used)) {
		s = (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
	}
	sm_probe_emit(sink, SM_METRIC_PROC_CPU, process->pid, s);
}

static int sample_stat(const struct process *process, const struct sm_probe_sink *sink)
{
	struct sm_scan text;
	int64_t column[COLUMNS];
	int r = sm_source_read(&process->stat, &text);
	if (r < 0) {
		return r;
	}
	if (text.at == text.end) {
		return -ESRCH;
	}
	int columns = read_columns(text, column);
	if (columns <= THREADS) {
		return -EBADMSG; /* the policy further behind may be missing */
	}
	emit_cpu(process, column, sink);
	sm_probe_emit(
		sink, SM_METRIC_PROC_MINOR_FAULTS, process->pid, (double)column[MINOR_FAULTS]);
	sm_probe_emit(
		sink, SM_METRIC_PROC_MAJOR_FAULTS, process->pid, (double)column[MAJOR_FAULTS]);
	sm_probe_emit(sink, SM_METRIC_PROC_NICE, process->pid, (double)column[NICE]);
	sm_probe_emit(sink, SM_METRIC_PROC_THREADS, process->pid, (double)column[THREADS]);
	if (columns > POLICY) {
		sm_probe_emit(sink, SM_METRIC_PROC_POLICY, process->pid, (double)column[POLICY]);
	}
	return 0;
}

static void sample_statm(const struct process *process, const struct sm_probe_sink *sink)
{
	struct sm_scan text, line;
	uint64_t size, resident, shared;
	if (!sm_source_is_open(&process->statm) || sm_source_read(&process->statm, &text) < 0) {
		return;
	}
	if (sm_scan_line(&text, &line) && sm_scan_u64(&line, &size) &&
		sm_scan_u64(&line, &resident) && sm_scan_u64(&line, &shared) &&
		size > 0) { /* all 0: a zombie */
		sm_probe_emit(sink, SM_METRIC_PROC_RSS, process->pid,
			(double)resident * process->page_bytes);
		sm_probe_emit(sink, SM_METRIC_PROC_SHARED, process->pid,
			(double)shared * process->page_bytes);
	}
}

static int sample_process(void *state, const struct sm_probe_sink *sink)
{
	const struct process *process = state;
	int r = sample_stat(process, sink);
	if (r != -ESRCH) {
		sample_statm(process, sink);
	}
	return r;
}

const struct sm_probe sm_probe_process = {
	.name = "process",
	.summary = "CPU, memory, page faults and threads of every process of the job",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_CPU | SM_TRACKING_MEMORY,
	.per_process = 1,
	.state_bytes = sizeof(struct process),
	.open = open_process,
	.sample = sample_process,
	.close = close_process,
};
