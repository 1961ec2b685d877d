/* stallmeter top: looks at a run that goes on. Which one is found by a process of the job, by its directory, or because it is
 * the one that is there; then it is shown once, as a line each second, or on the terminal until somebody leaves. */
#include "cli/command.h"
#include "cli/open_run.h"
#include "cli/output.h"
#include "cli/terminal.h"

#include "base/mem.h"
#include "live/attend.h"
#include "live/past.h"
#include "live/picture.h"
#include "live/running.h"
#include "live/tui.h"
#include "live/view_json.h"
#include "live/viewing.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOWER = 10 /* levels of niceness: the job goes first */, SLICE_BYTES = 64 * 1024 * 1024 };

struct options {
	bool once, jsonl;
};

struct target {
	struct sm_running running;
	char shown[PATH_MAX]; /* how the user knows it */
	bool goes_on;	      /* else it is over, and only `shown` counts */
};

/* --- which run --- */

static int complain(const char *what, const char *fact, const char *help, int code)
{
	sm_complain(
		&(struct sm_complaint){.id = "SM944", .what = what, .fact = fact, .help = help});
	return code;
}

/* Below the working directory as it is from there. */
static void show_as(struct target *target, const char *run)
{
	char here[PATH_MAX];
	size_t length = getcwd(here, sizeof(here)) ? strlen(here) : 0;
	bool below = length && !strncmp(run, here, length) && run[length] == '/';
	snprintf(target->shown, sizeof(target->shown), "%s", below ? run + length + 1 : run);
}

static void take(struct target *target, const struct sm_running *running)
{
	target->running = *running;
	target->goes_on = true;
	show_as(target, running->run);
}

static const char *const how_to_record = "stallmeter run -- python train.py";

static bool is_below(const char *run, const char *directory)
{
	size_t length = strlen(directory);
	return !strncmp(run, directory, length) && run[length] == '/';
}

static int complain_of_many(const struct sm_running_list *list)
{
	char fact[2 * PATH_MAX + 16];
	snprintf(fact, sizeof(fact), "%s, %s%s", list->items[0].run, list->items[1].run,
		list->count > 2 ? ", and more" : "");
	return complain("several runs are being recorded, none of them below this directory", fact,
		"stallmeter top RUN", SM_EXIT_USAGE);
}

static int take_newest(struct target *target, const struct sm_running_list *list)
{
	char here[PATH_MAX];
	const struct sm_running *found = NULL;
	for (size_t i = 0; !found && i < list->count && getcwd(here, sizeof(here)); i++) {
		found = is_below(list->items[i].run, here) ? &list->items[i] : NULL;
	}
	if (!found && list->count > 1) {
		return complain_of_many(list);
	}
	if (!found && !list->count) {
		return complain(
			"no run is being recorded", NULL, how_to_record, SM_EXIT_ENVIRONMENT);
	}
	take(target, found ? found : &list->items[0]);
	fprintf(stderr, "stallmeter: watching %s\n", target->shown);
	return SM_EXIT_FINE;
}

static int take_job_of(struct target *target, const struct sm_running_list *list, pid_t pid)
{
	char what[96];
	const struct sm_running *found = sm_running_of(list, pid);
	if (found) {
		take(target, found);
		return SM_EXIT_FINE;
	}
	bool lives = !kill(pid, 0) || errno == EPERM;
	snprintf(what, sizeof(what),
		lives ? "process %d is of no job that is being recorded" : "there is no process %d",
		(int)pid);
	return complain(what, NULL, how_to_record, SM_EXIT_ENVIRONMENT);
}

static bool is_pid(const char *word, pid_t *ret_pid)
{
	char *end;
	long pid = strtol(word, &end, 10);
	*ret_pid = (pid_t)pid;
	return isdigit((unsigned char)word[0]) && !*end && pid > 0 && pid <= INT_MAX;
}

/* Of "runs/base/rank0.stall" the "runs/base"; of a directory itself. */
static void folder_of(char folder[PATH_MAX], const char *path)
{
	struct stat st;
	snprintf(folder, PATH_MAX, "%s", path);
	if (stat(path, &st) || !S_ISREG(st.st_mode)) {
		return;
	}
	char *slash = strrchr(folder, '/');
	if (slash) {
		slash[slash == folder] = '\0';
	} else {
		snprintf(folder, PATH_MAX, ".");
	}
}

/* One file of a run that goes on stands for the run. */
static void take_path(struct target *target, const char *path)
{
	char folder[PATH_MAX];
	folder_of(folder, path);
	target->goes_on = sm_running_in(folder, &target->running);
	snprintf(target->shown, sizeof(target->shown), "%s", target->goes_on ? folder : path);
}

static int find_target(struct target *target, int argc, char **argv)
{
	struct sm_running_list list = {0};
	pid_t pid;
	if (argc > 1) {
		return complain("one run at a time", argv[1], "stallmeter top RUN", SM_EXIT_USAGE);
	}
	if (argc && !is_pid(argv[0], &pid)) {
		take_path(target, argv[0]);
		return SM_EXIT_FINE;
	}
	int code = sm_running_find(&list, ".")
			   ? complain("out of memory", NULL, NULL, SM_EXIT_INTERNAL)
		   : argc ? take_job_of(target, &list, pid)
			  : take_newest(target, &list);
	sm_running_finish(&list);
	return code;
}

/* --- showing it --- */

struct showing { /* too large for a stack */
	struct sm_view view;
	struct sm_picture page;
};

static int show_page(struct showing *showing)
{
	struct sm_terminal terminal = sm_terminal_of(stdout);
	const struct sm_picture_options options = {
		.columns = terminal.columns, .unicode = terminal.unicode};
	int error = sm_picture_lay(&showing->page, &showing->view, &options);
	error = error ? error : sm_picture_write(&showing->page, terminal.colour, stdout);
	sm_picture_finish(&showing->page);
	return error;
}

static int show(struct showing *showing, const struct options *options)
{
	int error = options->jsonl ? sm_view_json(&showing->view, stdout) : show_page(showing);
	return error || fflush(stdout) ? -EIO : 0;
}

static int say_error(const struct target *target, int rc, const struct sm_error *error)
{
	if (rc == -EIO && ferror(stdout)) {
		return SM_EXIT_ENVIRONMENT; /* main says that results did not reach their reader */
	}
	return sm_open_run_complain(target->shown, rc, error);
}

static int show_finished(
	struct showing *showing, const struct target *target, const struct options *options)
{
	struct sm_error error = {0};
	bool unicode = options->jsonl || sm_terminal_of(stdout).unicode;
	int rc = sm_past_see(&showing->view, target->shown, target->shown, unicode, &error);
	rc = rc ? rc : show(showing, options);
	return rc ? say_error(target, rc, &error) : SM_EXIT_FINE;
}

static int show_once(
	struct showing *showing, struct sm_viewing *viewing, const struct options *options)
{
	int rc = sm_viewing_once(viewing);
	if (!rc) {
		sm_viewing_fill(viewing, &showing->view);
		rc = show(showing, options);
	}
	return rc;
}

static void sleep_a_second(void)
{
	const struct timespec second = {.tv_sec = 1};
	nanosleep(&second, NULL);
}

/* The last line is of the finished run. */
static int show_lines(
	struct showing *showing, struct sm_viewing *viewing, const struct options *options)
{
	int rc = 0;
	do {
		while ((rc = sm_viewing_round(viewing, SLICE_BYTES)) > 0) {
		}
		if (!rc) {
			sm_viewing_fill(viewing, &showing->view);
		}
		if (!rc && showing->view.state != SM_VIEW_ENDING) {
			rc = show(showing, options);
		}
		if (!rc && showing->view.state != SM_VIEW_FINISHED) {
			sleep_a_second();
		}
	} while (!rc && showing->view.state != SM_VIEW_FINISHED);
	return rc;
}

static int attend(struct sm_viewing *viewing)
{
	struct sm_terminal terminal = sm_terminal_of(stdout);
	int rc = sm_attend_run(viewing, terminal.colour, terminal.unicode);
	if (rc == -ENOSYS) {
		return complain("this stallmeter was built without its live view",
			"ncurses was not there when it was built", "stallmeter top --once",
			SM_EXIT_ENVIRONMENT);
	}
	if (rc == -ENOTTY) {
		return complain("this kind of terminal is not known here", getenv("TERM"),
			"stallmeter top --once", SM_EXIT_ENVIRONMENT);
	}
	return rc;
}

static bool is_interactive(const struct options *options)
{
	return !options->once && !options->jsonl && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int show_running(
	struct showing *showing, const struct target *target, const struct options *options)
{
	struct sm_error error = {0};
	struct sm_viewing *viewing = NULL;
	bool interactive = is_interactive(options);
	bool unicode = options->jsonl || sm_terminal_of(stdout).unicode;
	int rc = sm_viewing_open(&viewing, &target->running, target->shown, unicode, &error);
	if (!rc) {
		rc = interactive			? attend(viewing)
		     : options->jsonl && !options->once ? show_lines(showing, viewing, options)
							: show_once(showing, viewing, options);
	}
	sm_viewing_close(viewing);
	return rc < 0 ? say_error(target, rc, &error) : rc;
}

static int run(const void *given, int argc, char **argv)
{
	const struct options *options = given;
	static struct target target;
	int code = find_target(&target, argc, argv);
	if (code) {
		return code;
	}
	struct showing *showing = sm_mem_calloc(1, sizeof(*showing));
	if (!showing) {
		return complain("out of memory", NULL, NULL, SM_EXIT_INTERNAL);
	}
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + LOWER);
	code = target.goes_on ? show_running(showing, &target, options)
			      : show_finished(showing, &target, options);
	sm_mem_free(showing);
	return code;
}

static const struct sm_option option_table[] = {
	{"once", 0, SM_OPTION_FLAG, offsetof(struct options, once), NULL,
		"one picture, as text; so is it where standard input or output is no terminal"},
	{"jsonl", 0, SM_OPTION_FLAG, offsetof(struct options, jsonl), NULL,
		"a line of JSON a second until the run ends; with --once one"},
	{0},
};

const struct sm_command sm_cmd_top = {
	.name = "top",
	.args = "[PID or RUN]",
	.summary = "watch a run that goes on: its verdict, workers and counters, live",
	.details = "Shows what the recording of a job says so far: verdict and stall share, the "
		   "last ten seconds, the stages of each loader, each worker, memory, disks and "
		   "findings. PID is any process of the job, RUN the directory of its run; with "
		   "neither it is the newest run below this directory that is being recorded, or "
		   "the only one of this user. Nothing is asked of the job: only what its "
		   "collector records is read. A run that is over is shown once.",
	.examples = "stallmeter top\n"
		    "stallmeter top --once runs/base\n"
		    "stallmeter top --jsonl 4312",
	.options = option_table,
	.options_bytes = sizeof(struct options),
	.run = run,
};
