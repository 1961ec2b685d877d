/* `stallmeter export`: a run in a format that other tools open. */
#include "cli/command.h"
#include "cli/open_run.h"
#include "cli/output.h"
#include "export/export.h"
#include "trace/trace_reader.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct options {
	const char *to, *output;
};

struct task {
	const struct sm_exporter *exporter;
	const char *run;
};

static int complain_of_usage(const char *what)
{
	char help[256] = "formats: ";
	for (int i = 0; i < sm_export_table_count; i++) {
		size_t used = strlen(help);
		snprintf(help + used, sizeof(help) - used, "%s%s", i ? ", " : "",
			sm_export_table[i]->name);
	}
	sm_complain(&(struct sm_complaint){.id = "SM902", .what = what, .help = help});
	return SM_EXIT_USAGE;
}

static int write_run(const void *context, FILE *out)
{
	const struct task *task = context;
	return task->exporter->write(task->run, out, NULL);
}

static int stop_reading(void *context, const struct sm_trace_process *process)
{
	return 1;
}

/* Before a file is begun: what cannot be read is no fault of the file that was to be written. */
static int check_run(const char *run)
{
	struct sm_error error = {0};
	struct sm_trace_visitor visitor = {.process = stop_reading};
	int code = sm_trace_reader_visit(run, &visitor, NULL, &error);
	return code < 0 ? sm_open_run_complain(run, code, &error) : SM_EXIT_FINE;
}

static int find_problem(const struct options *options, int argc)
{
	if (argc < 1) {
		return complain_of_usage("which run? Name a run directory or a .stall file");
	}
	if (argc > 1) {
		return complain_of_usage("one run at a time");
	}
	if (!options->to) {
		return complain_of_usage("which format? --to is missing");
	}
	return sm_export_find(options->to) ? 0 : complain_of_usage("no such format");
}

static int run(const void *given, int argc, char **argv)
{
	const struct options *options = given;
	int code = find_problem(options, argc);
	code = code ? code : check_run(argv[0]);
	if (code) {
		return code;
	}
	struct task task = {sm_export_find(options->to), argv[0]};
	const char *file = options->output ? options->output : "-";
	return sm_output_write(file, write_run, &task) ? SM_EXIT_ENVIRONMENT : SM_EXIT_FINE;
}

static const struct sm_option option_table[] = {
	{"to", 't', SM_OPTION_TEXT, offsetof(struct options, to), "FORMAT",
		"chrome: trace JSON for ui.perfetto.dev, chrome://tracing and speedscope; "
		"collapsed, "
		"speedscope: Python stacks"},
	{"output", 'o', SM_OPTION_TEXT, offsetof(struct options, output), "FILE",
		"where to; standard output when left out"},
	{0},
};

const struct sm_command sm_cmd_export = {
	.name = "export",
	.args = "RUN --to FORMAT [-o FILE]",
	.summary = "the recorded run in a format that other tools open",
	.details = "Every span with what was attached to it and how its time divides, marks, "
		   "counters and losses (chrome); or the Python stacks of all threads, one line "
		   "each with "
		   "the milliseconds it was seen (collapsed), or over time (speedscope). RUN is a "
		   "run directory or one .stall file.",
	.examples = "stallmeter export runs/base --to chrome -o base.json\n"
		    "stallmeter export runs/base --to speedscope -o base.speedscope.json",
	.options = option_table,
	.options_bytes = sizeof(struct options),
	.run = run,
};
