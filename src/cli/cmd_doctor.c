/* stallmeter doctor: what this machine lets us see, and what will hurt a DataLoader here. Tries every probe on itself,
 * changes nothing. */
#include "cli/command.h"
#include "cli/found_python.h"
#include "cli/hazards.h"
#include "cli/inject.h"
#include "cli/terminal.h"

#include "base/mem.h"
#include "collect/place.h"
#include "probe/source.h"
#include "stallmeter/stallmeter.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum list { LIST_NONE, LIST_PROBES, LIST_COUNTERS };
#define LIST_CHOICES "none|probes|counters"

struct doctor_options {
	int list; /* enum list */
};

static const struct sm_option options[] = {
	{"list", 0, SM_OPTION_CHOICE, offsetof(struct doctor_options, list), LIST_CHOICES,
		"the sources of counters, or the page docs/counters.md"},
	{0},
};

struct palette {
	const char *strong, *good, *bad, *dim, *plain;
};
static const struct palette coloured = {"\033[1m", "\033[32m", "\033[33m", "\033[2m", "\033[0m"};
static const struct palette plain = {"", "", "", "", ""};

/* --- small readings --- */

static void read_line(const char *path, char *text, size_t size)
{
	int length = sm_source_read_once(text, size, "", "%s", path);
	text[length > 0 ? strcspn(text, "\n") : 0] = '\0';
}

static double read_shm_free(void)
{
	struct statvfs fs;
	return !statvfs("/dev/shm", &fs) && fs.f_blocks ? (double)fs.f_bavail * (double)fs.f_frsize
							: NAN;
}

static uint64_t read_open_files_limit(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY ? 0
										   : limit.rlim_cur;
}

/* --- rows --- */

static void print_row(const char *key, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print_row(const char *key, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("  %-16s ", key);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

static const char *bytes_text(double bytes, char text[32])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	int unit = 0;
	if (isnan(bytes)) {
		return "unknown";
	}
	for (; bytes >= 1024 && unit < 4; unit++) {
		bytes /= 1024;
	}
	snprintf(text, 32, "%.3g %s", bytes, units[unit]);
	return text;
}

static void print_cores(const struct sm_host *host)
{
	char quota[48] = "no quota";
	if (!isnan(host->cpu_quota)) {
		snprintf(quota, sizeof(quota), "control-group quota %.3g", host->cpu_quota);
	}
	print_row("cores", "%.3g usable of %d (affinity %d, %s)", host->cpus_usable, host->cpus,
		host->cpus_allowed, quota);
}

static void print_memory(const struct sm_host *host)
{
	char all[32], limit[32];
	if (isnan(host->memory_limit_bytes)) {
		print_row("memory", "%s, no limit", bytes_text(host->memory_bytes, all));
	} else {
		print_row("memory", "%s, limit %s", bytes_text(host->memory_bytes, all),
			bytes_text(host->memory_limit_bytes, limit));
	}
}

static void print_gpus(const struct sm_host *host)
{
	char names[sizeof(host->gpus)];
	snprintf(names, sizeof(names), "%s", host->gpus[0] ? host->gpus : "none");
	for (char *mark = names; (mark = strchr(mark, '\x1f'));) {
		*mark = ',';
	}
	print_row("gpus", "%s", names);
}

static void print_machine(const struct sm_hazards_facts *facts)
{
	char size[32], left[32];
	print_cores(&facts->host);
	print_memory(&facts->host);
	if (isnan(facts->host.shm_bytes)) {
		print_row("/dev/shm", "none");
	} else {
		print_row("/dev/shm", "%s, %s free", bytes_text(facts->host.shm_bytes, size),
			bytes_text(facts->shm_free_bytes, left));
	}
	print_gpus(&facts->host);
	print_row("clock", "%s", facts->clock_source[0] ? facts->clock_source : "unknown");
}

static void print_access(void)
{
	static const char *const yama_words[] = {
		"own processes", "own children only", "administrators only", "forbidden"};
	char yama[16], perf[16];
	read_line("/proc/sys/kernel/yama/ptrace_scope", yama, sizeof(yama));
	read_line("/proc/sys/kernel/perf_event_paranoid", perf, sizeof(perf));
	int scope = yama[0] ? atoi(yama) : 0;
	print_row("ptrace", "%s", yama_words[scope >= 0 && scope < 4 ? scope : 3]);
	print_row("perf events", "%s%s", perf[0] ? "perf_event_paranoid " : "none", perf);
}

static void print_python(void)
{
	struct sm_found_python python;
	char inject[PATH_MAX];
	const char *path = getenv("PATH");
	sm_found_python_look(&python, path ? path : "");
	if (python.path[0]) {
		print_row("python", "%s%s%s", python.path, python.version[0] ? "  " : "",
			python.version);
		print_row("torch", "%s", python.torch[0] ? python.torch : "not found beside it");
	} else {
		print_row("python", "none on PATH");
	}
	print_row("recorder", "%s",
		sm_inject_find(inject) ? inject : "not installed beside this program");
}

/* --- sources --- */

struct verdict {
	enum sm_probe_state state;
	char why[SM_SOURCE_WHY];
};

static void count_sample(void *context, enum sm_metric metric, int64_t instance, double value)
{
	++*(int *)context;
}

static void try_probe(const struct sm_probe *probe, struct verdict *verdict)
{
	int samples = 0;
	const struct sm_probe_sink sink = {.context = &samples, .sample = count_sample};
	void *state = sm_mem_calloc(1, probe->state_bytes);
	*verdict = (struct verdict){.state = SM_PROBE_REFUSED, .why = "out of memory"};
	int r = state ? probe->open(state, "", probe->per_process ? getpid() : 0, verdict->why)
		      : -ENOMEM;
	if (!r) {
		*verdict = (struct verdict){.state = SM_PROBE_PRESENT};
		r = probe->sample(state, &sink);
		probe->close(state);
		if (r && r != -EAGAIN) {
			verdict->state = SM_PROBE_REFUSED;
			snprintf(verdict->why, sizeof(verdict->why),
				"opens, but does not answer: %s", sm_error_text(r));
		}
	} else if (r == -ENOENT) {
		verdict->state = SM_PROBE_ABSENT;
	}
	sm_mem_free(state);
}

static void print_source(const struct sm_probe *probe, const struct palette *colours)
{
	struct verdict verdict;
	try_probe(probe, &verdict);
	switch (verdict.state) {
	case SM_PROBE_PRESENT:
		printf("  %-16s %spresent%s  %s%s%s\n", probe->name, colours->good, colours->plain,
			colours->dim, probe->summary, colours->plain);
		break;
	case SM_PROBE_ABSENT:
		printf("  %-16s absent   %s\n", probe->name, verdict.why);
		break;
	case SM_PROBE_REFUSED:
		printf("  %-16s %srefused%s  %s\n", probe->name, colours->bad, colours->plain,
			verdict.why);
		break;
	}
}

/* --- the page --- */

static void print_hazards(const struct sm_hazards_facts *facts, const struct palette *colours)
{
	struct sm_hazard hazards[SM_HAZARDS_MAX];
	int count = sm_hazards_find(facts, hazards);
	printf("\n%sWhat will hurt a DataLoader here%s\n", colours->strong, colours->plain);
	for (int i = 0; i < count; i++) {
		printf("  %s%s%s\n    help: %s\n", colours->bad, hazards[i].what, colours->plain,
			hazards[i].help);
	}
	if (!count) {
		puts("  nothing that can be seen from outside a training");
	}
}

static void examine(void)
{
	struct sm_terminal terminal = sm_terminal_of(stdout);
	const struct palette *colours = terminal.colour ? &coloured : &plain;
	struct sm_hazards_facts facts = {
		.shm_free_bytes = read_shm_free(),
		.open_files_limit = read_open_files_limit(),
		.folder_trouble = sm_place_trouble("."),
	};
	char clock_source[64];
	sm_host_read(&facts.host, "");
	read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", clock_source,
		sizeof(clock_source));
	facts.clock_source = clock_source;
	printf("%sstallmeter %s%s on %s\n\n%sMachine%s\n", colours->strong, SM_VERSION,
		colours->plain, facts.host.kernel, colours->strong, colours->plain);
	print_machine(&facts);
	printf("\n%sWays in%s\n", colours->strong, colours->plain);
	print_access();
	print_python();
	printf("\n%sSources%s\n", colours->strong, colours->plain);
	for (int i = 0; i < sm_probe_table_count; i++) {
		print_source(sm_probe_table[i], colours);
	}
	print_hazards(&facts, colours);
}

/* --- lists --- */

static void list_probes(void)
{
	static const char *const tiers[] = {"10 Hz", "1 Hz", "0.1 Hz"};
	puts("| probe | rate | of | reads |\n|---|---|---|---|");
	for (int i = 0; i < sm_probe_table_count; i++) {
		const struct sm_probe *probe = sm_probe_table[i];
		printf("| `%s` | %s | %s | %s |\n", probe->name, tiers[probe->tier],
			probe->per_process ? "each process" : "machine or job", probe->summary);
	}
}

/* docs/counters.md is what this prints. */
static void list_counters(void)
{
	static const char *const scopes[] = {"machine", "CPU", "process", "control group", "disk",
		"interface", "GPU", "collector"};
	puts("# Counters\n\n"
	     "What the collector samples beside a job, made by `stallmeter doctor --list "
	     "counters`. Which of the sources this\n"
	     "machine has, `stallmeter doctor` says. A counter that grows starts anywhere; its "
	     "differences over the stamps\n"
	     "of the samples are rates. A value that could not be read is left out, never 0.\n\n"
	     "## Sources\n");
	list_probes();
	puts("\n## Counters\n\n"
	     "| id | counter | unit | of each | kind | what it says |\n|---|---|---|---|---|---|");
	for (int i = 0; i < sm_metric_table_count; i++) {
		const struct sm_metric_info *metric = &sm_metric_table[i];
		printf("| %d | `%s` | %s | %s | %s | %s |\n", metric->id, metric->name,
			metric->unit, scopes[metric->scope],
			metric->kind == SM_CUMULATIVE ? "grows" : "level", metric->summary);
	}
}

static int run_doctor(const void *given, int argc, char **argv)
{
	const struct doctor_options *doctor = given;
	if (argc) {
		sm_complain(&(struct sm_complaint){.what = "stallmeter doctor takes no operands"});
		return SM_EXIT_USAGE;
	}
	switch ((enum list)doctor->list) {
	case LIST_NONE:
		examine();
		break;
	case LIST_PROBES:
		list_probes();
		break;
	case LIST_COUNTERS:
		list_counters();
		break;
	}
	return SM_EXIT_FINE;
}

const struct sm_command sm_cmd_doctor = {
	.name = "doctor",
	.args = "[options]",
	.summary = "what this machine lets us see, and what will hurt a DataLoader here",
	.details = "Tries every source of counters on itself and says whether it is present, "
		   "absent or refused, and why. "
		   "Changes nothing.",
	.options = options,
	.options_bytes = sizeof(struct doctor_options),
	.run = run_doctor,
};
