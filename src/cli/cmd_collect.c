/* stallmeter collect DIR: leaves a collector beside a process that is running already, and returns as soon as mappings
 * may be made in DIR/live (or where DIR/live.path says). Started by the Python interface, not by people. */
#include "cli/beside.h"
#include "cli/command.h"

#include "base/tracking.h"
#include "collect/level.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct collect_options {
	const char *pid, *name, *until, *without;
	int level; /* enum sm_level */
	uint64_t limit_bytes;
	double interval_s, memory_threshold, gpu_threshold;
};

static const struct collect_options defaults = {.level = SM_LEVEL_DETAILED,
	.memory_threshold = SM_COLLECTOR_MEMORY_THRESHOLD,
	.gpu_threshold = SM_COLLECTOR_GPU_THRESHOLD};

static const struct sm_option options[] = {
	{"pid", 'p', SM_OPTION_TEXT, offsetof(struct collect_options, pid), "PID",
		"the process to stay beside (default: the caller)"},
	{"level", 'l', SM_OPTION_CHOICE, offsetof(struct collect_options, level), SM_LEVEL_CHOICES,
		"how much is recorded (default: detailed)"},
	{"name", 0, SM_OPTION_TEXT, offsetof(struct collect_options, name), "TEXT",
		"what the run is called in reports"},
	{"limit", 0, SM_OPTION_SIZE, offsetof(struct collect_options, limit_bytes), "SIZE",
		"no more than this on disk"},
	{"until", 0, SM_OPTION_TEXT, offsetof(struct collect_options, until), "FD",
		"end when this socket can be read, not only when the process ends; alerts are "
		"told there, a line of JSON each"},
	{"interval", 0, SM_OPTION_SECONDS, offsetof(struct collect_options, interval_s), "SECONDS",
		"between samples of counters, never shorter than the level's"},
	{"memory-threshold", 0, SM_OPTION_SHARE, offsetof(struct collect_options, memory_threshold),
		"SHARE",
		"alert above this share of the memory that the job may use (default: 0.8)"},
	{"gpu-threshold", 0, SM_OPTION_SHARE, offsetof(struct collect_options, gpu_threshold),
		"SHARE", "alert above this share of a device's memory (default: 0.9)"},
	{"without", 0, SM_OPTION_TEXT, offsetof(struct collect_options, without), "GROUPS",
		"leave counters out: any of memory,gpu,cpu,io"},
	{0},
};

static bool find_pid(const struct collect_options *collect, pid_t *ret_pid)
{
	char *end;
	if (!collect->pid) {
		*ret_pid = getppid();
		return true;
	}
	long pid = strtol(collect->pid, &end, 10);
	*ret_pid = (pid_t)pid;
	return pid > 0 && pid <= INT32_MAX && !*end && (!kill((pid_t)pid, 0) || errno == EPERM);
}

/* -1 where none was given; false for what is no open descriptor. */
static bool find_until(const struct collect_options *collect, int *ret_fd)
{
	char *end;
	*ret_fd = -1;
	if (!collect->until) {
		return true;
	}
	long fd = strtol(collect->until, &end, 10);
	*ret_fd = (int)fd;
	return fd > STDERR_FILENO && fd <= INT32_MAX && !*end && fcntl((int)fd, F_GETFD) >= 0;
}

static int complain(const char *what, const char *fact, int code)
{
	sm_complain(&(struct sm_complaint){.what = what, .fact = fact});
	return code;
}

/* The command line of a process, split up; for the record. Its memory is in `text`. */
static void read_command(pid_t pid, char *text, size_t size, char **command, int room)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);
	if (fd >= 0) {
		close(fd);
	}
	int count = 0;
	for (char *at = text; length > 0 && at < text + length && count < room - 1;
		at += strlen(at) + 1) {
		text[length] = '\0';
		command[count++] = at;
	}
	command[count] = NULL;
}

static unsigned groups_without(const struct collect_options *collect)
{
	unsigned groups = 0;
	(void)sm_tracking_read(collect->without ? collect->without : "", ',', &groups, NULL);
	return groups;
}

static void run_daemon(
	const struct collect_options *collect, const struct sm_place *place, pid_t root, int until)
{
	static char text[8192];
	static char *command[512];
	read_command(root, text, sizeof(text), command, 512);
	const struct sm_collector_options collector = {
		.run_directory = place->run,
		.live_directory = place->live,
		.name = collect->name,
		.command = command,
		.level = (enum sm_level)collect->level,
		.limit_bytes = collect->limit_bytes,
		.interval_ns = (int64_t)(collect->interval_s * 1e9),
		.without = groups_without(collect),
		.memory_threshold = collect->memory_threshold,
		.gpu_threshold = collect->gpu_threshold,
		.told_fd = until < 0 ? 0 : until,
		.root = root,
		.rank = -1,
		.root_path = "",
	};
	const int lock = place->lock_fd;
	const int keep[] = {lock < until ? lock : until, lock < until ? until : lock};
	sm_beside_detach(until < 0 ? &lock : keep, until < 0 ? 1 : 2);
	_exit(sm_beside_collect_until(&collector, until) ? 1 : 0);
}

/* Twice forked, so that the caller's wait(-1) never meets it. */
static int leave_daemon(
	const struct collect_options *collect, const struct sm_place *place, pid_t root, int until)
{
	int status;
	pid_t middle = fork();
	if (!middle) {
		pid_t daemon = fork();
		if (!daemon) {
			run_daemon(collect, place, root, until);
		}
		if (daemon > 0 && sm_level_rates((enum sm_level)collect->level, 0).stacks_ns) {
			sm_place_sign(place, daemon);
		}
		_exit(daemon < 0);
	}
	return middle < 0 || waitpid(middle, &status, 0) < 0 || status ? SM_EXIT_ENVIRONMENT
								       : SM_EXIT_FINE;
}

/* 0, or the exit code, said. */
static int check_usage(
	const struct collect_options *collect, int operands, pid_t *ret_root, int *ret_until)
{
	const char *wrong;
	unsigned groups;
	if (operands != 1) {
		return complain("stallmeter collect: one directory, please", NULL, SM_EXIT_USAGE);
	}
	if (!find_until(collect, ret_until)) {
		return complain(
			"stallmeter collect: no such descriptor", collect->until, SM_EXIT_USAGE);
	}
	if (collect->without && !sm_tracking_read(collect->without, ',', &groups, &wrong)) {
		return complain("stallmeter collect: --without takes memory, gpu, cpu and io, with "
				"commas between",
			wrong, SM_EXIT_USAGE);
	}
	if (!find_pid(collect, ret_root)) {
		return complain(
			"stallmeter collect: no such process", collect->pid, SM_EXIT_ENVIRONMENT);
	}
	return 0;
}

static int run_collect(const void *given, int argc, char **argv)
{
	const struct collect_options *collect = given;
	const char *temporary = getenv("TMPDIR");
	struct sm_place place;
	struct sm_error error = {0};
	pid_t root;
	int until, wrong = check_usage(collect, argc, &root, &until);
	if (wrong) {
		return wrong;
	}
	const struct sm_place_options where = {.wanted = argv[0],
		.may_exist = true,
		.temporary = temporary && *temporary ? temporary : "/var/tmp"};
	if (sm_place_make(&place, &where, &error)) {
		return complain(
			"stallmeter collect: cannot record", error.msg, SM_EXIT_ENVIRONMENT);
	}
	int code = leave_daemon(collect, &place, root, until);
	sm_place_leave(&place, code != SM_EXIT_FINE);
	return code;
}

const struct sm_command sm_cmd_collect = {
	.name = "collect",
	.args = "[options] DIR",
	.summary = "stay beside a running process and record it into DIR",
	.options = options,
	.options_bytes = sizeof(struct collect_options),
	.defaults = &defaults,
	.hidden = true,
	.run = run_collect,
};
