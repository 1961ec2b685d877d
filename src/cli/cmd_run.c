/* stallmeter run: records a command without changing it.
 *
 *     make a place for the run      or say in one line why not, and become the command
 *     fork the collector            it waits
 *     fork the command              as the shell would have started it
 *     stand in for the command      signals, stops, orphans
 *     tell the collector, wait      until the trace is whole
 *     say the verdict               in a process of its own
 *     exit as the command did
 *
 * Whatever of ours fails on the way, the command runs, and its exit code is ours. */
#include "cli/beside.h"
#include "cli/command.h"
#include "cli/inject.h"
#include "cli/launch.h"
#include "cli/run_name.h"
#include "cli/run_verdict.h"
#include "cli/supervise.h"

#include "base/clock.h"
#include "collect/level.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

struct run_options {
	const char *output, *name;
	int level; /* enum sm_level */
	uint64_t limit_bytes;
	bool quiet, no_report;
};

static const struct run_options defaults = {.level = SM_LEVEL_DETAILED};

static const struct sm_option options[] = {
	{"output", 'o', SM_OPTION_TEXT, offsetof(struct run_options, output), "DIR",
		"where the run is kept; a name that is taken gets -2, -3, ... "
		"(default: stallmeter-<script>-<date>-<time>)"},
	{"level", 'l', SM_OPTION_CHOICE, offsetof(struct run_options, level), SM_LEVEL_CHOICES,
		"how much is recorded (default: detailed)"},
	{"name", 0, SM_OPTION_TEXT, offsetof(struct run_options, name), "TEXT",
		"what the run is called in reports"},
	{"limit", 0, SM_OPTION_SIZE, offsetof(struct run_options, limit_bytes), "SIZE",
		"no more than this on disk; what is dropped is counted (default: by level, 2G for "
		"detailed)"},
	{"quiet", 'q', SM_OPTION_FLAG, offsetof(struct run_options, quiet), NULL,
		"say nothing but errors"},
	{"no-report", 0, SM_OPTION_FLAG, offsetof(struct run_options, no_report), NULL,
		"record only; 'stallmeter report DIR' judges it later"},
	{0},
};

/* Where standard streams are closed, our own files must not take their numbers. The command does not get these. */
static void fill_standard_streams(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO) {
		close(fd);
	}
}

static const char *temporary_folder(void)
{
	const char *told = getenv("TMPDIR");
	return told && *told ? told : "/var/tmp";
}

static void warn_fallback(const struct sm_error *error, const struct sm_place *place)
{
	char what[sizeof(error->msg) + PATH_MAX + 64];
	snprintf(what, sizeof(what), "cannot record here (%s); this run is kept in %s", error->msg,
		place->run);
	sm_warn(&(struct sm_complaint){.what = what});
}

static void warn_not_recorded(const struct sm_error *error)
{
	char what[sizeof(error->msg) + 160];
	snprintf(what, sizeof(what),
		"this run is not recorded: %s; give it another place with -o DIR", error->msg);
	sm_warn(&(struct sm_complaint){.what = what});
}

/* Where the user said, or in the current folder; where neither can be, under TMPDIR. */
static int make_place(struct sm_place *place, const struct run_options *run, char *const *command)
{
	char name[SM_RUN_NAME_MAX], elsewhere[PATH_MAX];
	struct sm_error error = {0}, second = {0};
	sm_run_name_directory(command, sm_clock_real_ns() / NS_PER_S, name);
	const struct sm_place_options here = {
		.wanted = run->output ? run->output : name, .temporary = temporary_folder()};
	int r = sm_place_make(place, &here, &error);
	if (!r) {
		return 0;
	}
	snprintf(elsewhere, sizeof(elsewhere), "%s/%s", temporary_folder(), name);
	const struct sm_place_options there = {
		.wanted = elsewhere, .temporary = temporary_folder()};
	if (sm_place_make(place, &there, &second)) {
		warn_not_recorded(&error);
		return r;
	}
	warn_fallback(&error, place);
	return 0;
}

static int32_t own_rank(void)
{
	const char *rank = getenv("RANK");
	char *end = NULL;
	long value = rank && *rank ? strtol(rank, &end, 10) : -1;
	return end && !*end && value >= 0 && value <= INT32_MAX ? (int32_t)value : -1;
}

static void warn_no_inject(bool quiet)
{
	if (!quiet) {
		sm_warn(&(struct sm_complaint){
			.what = "the Python recorder is not installed beside this program; only "
				"counters are recorded"});
	}
}

static int start_command(char *const *command, const struct sm_place *place,
	const struct run_options *run, struct sm_supervise *supervise)
{
	char inject[PATH_MAX];
	bool has_inject = sm_inject_find(inject);
	const struct sm_launch_environment environment = {
		.live = place->live,
		.run = place->run,
		.level = sm_level_name((enum sm_level)run->level),
		.inject = has_inject ? inject : NULL,
	};
	if (!has_inject) {
		warn_no_inject(run->quiet);
	}
	return sm_launch_start(command, &environment, &supervise->before, &supervise->job);
}

/* Whoever reads or writes at the other end must deal with the command alone. */
static void let_go_of_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

static void await_job(struct sm_supervise *supervise, struct sm_beside *beside)
{
	bool listening = true;
	while (!supervise->job_ended) {
		if (sm_supervise_step(supervise, listening ? beside->socket : -1, -1)) {
			listening = sm_beside_listen(beside);
		}
	}
}

/* Until the trace is whole and its maker gone, or somebody does not want to wait for that. */
static void await_collector(struct sm_supervise *supervise, struct sm_beside *beside)
{
	bool listening = true;
	sm_beside_job_ended(beside, supervise->job_status);
	while (!supervise->other_ended && !supervise->interrupts) {
		if (sm_supervise_step(supervise, listening ? beside->socket : -1, -1)) {
			listening = sm_beside_listen(beside);
		}
	}
	while (sm_beside_listen(beside) && supervise->other_ended) {
		/* its last words */
	}
}

static void say_end(const struct sm_place *place, const struct run_options *run,
	const struct sm_supervise *supervise, const struct sm_beside *beside)
{
	char what[SM_BESIDE_TEXT + PATH_MAX + 128];
	if (beside->trouble[0]) {
		snprintf(what, sizeof(what), "recording stopped: %s; what there is lies in %s",
			beside->trouble, place->run);
		sm_warn(&(struct sm_complaint){.what = what});
	} else if (supervise->interrupts) {
		snprintf(what, sizeof(what), "the trace is still being finished in %s", place->run);
		sm_warn(&(struct sm_complaint){.what = what});
		return;
	} else if (!beside->done) {
		snprintf(what, sizeof(what), "the collector was killed; what it had is in %s",
			place->run);
		sm_warn(&(struct sm_complaint){.what = what});
	}
	if (!run->no_report) {
		sm_run_verdict_say(place->run, run->quiet);
	} else if (!run->quiet) {
		fprintf(stderr, "stallmeter: recorded in %s\n", place->run);
	}
}

static int record(struct sm_place *place, const struct run_options *run, char *const *command)
{
	struct sm_supervise supervise;
	struct sm_beside beside = SM_BESIDE_EMPTY;
	const struct sm_collector_options collector = {
		.run_directory = place->run,
		.live_directory = place->live,
		.name = run->name,
		.command = command,
		.level = (enum sm_level)run->level,
		.limit_bytes = run->limit_bytes,
		.memory_threshold = SM_COLLECTOR_MEMORY_THRESHOLD,
		.gpu_threshold = SM_COLLECTOR_GPU_THRESHOLD,
		.reaper = getpid(),
		.rank = own_rank(),
		.root_path = "",
	};
	if (sm_supervise_start(&supervise) || sm_beside_start(&beside, place, &collector)) {
		sm_warn(&(struct sm_complaint){.what = "this run is not recorded: no process for "
						       "the collector to be had"});
		sm_supervise_finish(&supervise);
		sm_place_leave(place, true);
		return sm_launch_become(command);
	}
	supervise.other = beside.pid;
	int code = start_command(command, place, run, &supervise);
	if (code) {
		sm_beside_finish(&beside); /* it goes when it hears nothing */
		sm_place_leave(place, true);
	} else {
		let_go_of_streams();
		sm_beside_job_started(&beside, supervise.job);
		await_job(&supervise, &beside);
		await_collector(&supervise, &beside);
		say_end(place, run, &supervise, &beside);
		sm_beside_finish(&beside);
		code = sm_supervise_exit_code(&supervise);
	}
	sm_supervise_finish(&supervise);
	return code;
}

/* Inside another run its collector sees us already. */
static bool is_collected(void)
{
	const char *live = getenv("STALLMETER_LIVE");
	return live && *live && sm_place_is_collected(live);
}

static int run_run(const void *given, int argc, char **argv)
{
	const struct run_options *run = given;
	struct sm_place place;
	if (!argc) {
		sm_complain(&(struct sm_complaint){.what = "stallmeter run: no command to run",
			.help = "stallmeter run -- python train.py"});
		return SM_LAUNCH_FAILED;
	}
	if (is_collected()) {
		return sm_launch_become(argv);
	}
	fill_standard_streams();
	if (make_place(&place, run, argv)) {
		return sm_launch_become(argv);
	}
	return record(&place, run, argv);
}

const struct sm_command sm_cmd_run = {
	.name = "run",
	.args = "[options] [--] CMD...",
	.summary = "run any command unchanged and say what it waited for",
	.details = "Records CMD with all its processes, loader workers and ranks, prints the "
		   "verdict to standard error and "
		   "exits as CMD did: its own code, 128+N after signal N, 126 when it is not "
		   "executable, 127 when there is no "
		   "such command, 125 when we are called wrongly. Signals reach CMD, and the "
		   "terminal stays its own.",
	.examples = "stallmeter run -- python train.py --epochs 3\n"
		    "stallmeter run -o runs/base -- torchrun --nproc-per-node 2 train.py",
	.options = options,
	.options_bytes = sizeof(struct run_options),
	.defaults = &defaults,
	.usage_exit = SM_LAUNCH_FAILED,
	.stop_at_operand = true,
	.run = run_run,
};
