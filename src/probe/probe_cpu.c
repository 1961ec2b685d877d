/* /proc/stat: what each CPU did. In a container it is the host's, all CPUs, whatever the job may use.
 *
 * iowait is idle time under another name, and not to be believed: it is 0 as soon as somebody else uses the CPU. It
 * is kept because people look for it. */
#include "probe/source.h"

#include <errno.h>
#include <unistd.h>

enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };

struct cpu {
	struct sm_source stat;
	double tick_s;
};

static int open_cpu(void *state, const char *root, int32_t pid, char why[SM_SOURCE_WHY])
{
	struct cpu *cpu = state;
	cpu->tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
	return sm_source_open(&cpu->stat, why, root, "/proc/stat");
}

static void emit_cpu(const struct cpu *cpu, struct sm_scan line, const struct sm_probe_sink *sink)
{
	uint64_t number, column[COLUMNS] = {0};
	int columns = 0;
	bool is_sum = line.at == line.end || *line.at == ' '; /* "cpu  1 2 3", of all CPUs */
	if (is_sum || !sm_scan_u64(&line, &number) || number > INT32_MAX) {
		return;
	}
	while (columns < COLUMNS && sm_scan_u64(&line, &column[columns])) {
		columns++;
	}
	if (columns <= IDLE) {
		return;
	}
	int64_t instance = (int64_t)number;
	double tick_s = cpu->tick_s;
	sm_probe_emit(sink, SM_METRIC_CPU_USER, instance,
		((double)column[USER] + (double)column[NICE]) * tick_s);
	sm_probe_emit(sink, SM_METRIC_CPU_SYSTEM, instance,
		((double)column[SYSTEM] + (double)column[IRQ] + (double)column[SOFTIRQ]) * tick_s);
	sm_probe_emit(sink, SM_METRIC_CPU_IDLE, instance,
		((double)column[IDLE] + (double)column[IOWAIT]) * tick_s);
	if (columns > IOWAIT) {
		sm_probe_emit(
			sink, SM_METRIC_CPU_IOWAIT, instance, (double)column[IOWAIT] * tick_s);
	}
	if (columns > STEAL) {
		sm_probe_emit(sink, SM_METRIC_CPU_STEAL, instance, (double)column[STEAL] * tick_s);
	}
}

static void emit_count(struct sm_scan line, enum sm_metric metric, const struct sm_probe_sink *sink)
{
	uint64_t value;
	if (sm_scan_u64(&line, &value)) {
		sm_probe_emit(sink, metric, 0, (double)value);
	}
}

static int sample_cpu(void *state, const struct sm_probe_sink *sink)
{
	const struct cpu *cpu = state;
	struct sm_scan text, line;
	int r = sm_source_read(&cpu->stat, &text);
	if (r < 0) {
		return r;
	}
	while (sm_scan_line(&text, &line)) {
		if (sm_scan_begins(&line, "cpu")) {
			emit_cpu(cpu, line, sink);
		} else if (sm_scan_begins(&line, "ctxt ")) {
			emit_count(line, SM_METRIC_CONTEXT_SWITCHES, sink);
		} else if (sm_scan_begins(&line, "procs_running ")) {
			emit_count(line, SM_METRIC_LOAD_RUNNABLE, sink);
		}
	}
	return 0;
}

static void close_cpu(void *state)
{
	struct cpu *cpu = state;
	sm_source_close(&cpu->stat);
}

const struct sm_probe sm_probe_cpu = {
	.name = "cpu",
	.summary = "time of every CPU of the machine, context switches, runnable tasks",
	.tier = SM_TIER_FAST,
	.groups = SM_TRACKING_CPU,
	.state_bytes = sizeof(struct cpu),
	.open = open_cpu,
	.sample = sample_cpu,
	.close = close_cpu,
};
