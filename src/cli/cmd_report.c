/* `stallmeter report`: the verdict on a finished run, or on what is left of one, in the forms asked for. */
#include "cli/command.h"
#include "cli/open_run.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *json, *html, *markdown;
};

static int write_term(const void *context, FILE *out)
{
	struct sm_report_style style = sm_output_style(out);
	return sm_report_term(context, &style, out);
}

static int write_json(const void *context, FILE *out)
{
	return sm_report_json(context, out);
}

static int write_html(const void *context, FILE *out)
{
	return sm_report_html(context, out);
}

static int write_markdown(const void *context, FILE *out)
{
	return sm_report_markdown(context, out);
}

static const struct option_form {
	size_t offset;
	int (*write)(const void *context, FILE *out);
} forms[] = {
	{offsetof(struct options, json), write_json},
	{offsetof(struct options, html), write_html},
	{offsetof(struct options, markdown), write_markdown},
};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

static const char *file_of(const struct options *options, const struct option_form *form)
{
	return *(const char *const *)((const char *)options + form->offset);
}

static int complain_of_usage(const char *what)
{
	sm_complain(&(struct sm_complaint){.id = "SM902",
		.what = what,
		.help = "stallmeter report RUN [--json FILE] [--html FILE] [--md FILE]"});
	return SM_EXIT_USAGE;
}

/* Two forms on one standard output would be neither. */
static int find_problem(const struct options *options, int argc, char **argv)
{
	int on_stdout = argc > 1;
	for (size_t i = 0; i < FORMS; i++) {
		const char *file = file_of(options, &forms[i]);
		on_stdout += file && strcmp(file, "-") == 0;
		if (file && !*file) {
			return complain_of_usage("a file name is empty");
		}
	}
	if (argc < 1) {
		return complain_of_usage("which run? Name a run directory or a .stall file");
	}
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "-") != 0)) {
		return complain_of_usage("one run at a time");
	}
	return on_stdout > 1 ? complain_of_usage("only one form can go to standard output") : 0;
}

static int write_forms(
	const struct options *options, const struct sm_report *report, bool wants_text)
{
	int failed = 0;
	for (size_t i = 0; i < FORMS; i++) {
		const char *file = file_of(options, &forms[i]);
		if (file) {
			failed |= sm_output_write(file, forms[i].write, report) != 0;
		}
	}
	if (wants_text) {
		failed |= sm_output_write("-", write_term, report) != 0;
	}
	return failed ? SM_EXIT_ENVIRONMENT : SM_EXIT_FINE;
}

static int run(const void *given, int argc, char **argv)
{
	const struct options *options = given;
	struct sm_reading reading;
	int code = find_problem(options, argc, argv);
	code = code ? code : sm_open_run(&reading, argv[0]);
	if (code) {
		return code;
	}
	bool asked = options->json || options->html || options->markdown;
	code = write_forms(options, &reading.report, !asked || argc > 1);
	sm_reading_finish(&reading);
	return code;
}

static const struct sm_option option_table[] = {
	{"json", 0, SM_OPTION_TEXT, offsetof(struct options, json), "FILE",
		"the whole report as JSON (schema stallmeter/report/1)"},
	{"html", 0, SM_OPTION_TEXT, offsetof(struct options, html), "FILE",
		"one page with pictures, for a browser, without a network"},
	{"md", 0, SM_OPTION_TEXT, offsetof(struct options, markdown), "FILE",
		"Markdown, for an issue or a pull request"},
	{0},
};

const struct sm_command sm_cmd_report = {
	.name = "report",
	.args = "RUN [-]",
	.summary = "say what limits a recorded run, and what would help",
	.details = "RUN is a run directory, or one .stall file of it. A run that was cut short is "
		   "judged by what is left of it, and "
		   "marked incomplete.\n\n"
		   "Without options the verdict is printed as text. With --json, --html or --md "
		   "only those are written; FILE may be - "
		   "for standard output, and a lone - after RUN prints the text as well.\n\n"
		   "The same trace gives the same bytes.",
	.examples = "stallmeter report runs/base\n"
		    "stallmeter report runs/base --html base.html --md -\n"
		    "stallmeter report runs/base --json - | jq .verdict",
	.options = option_table,
	.options_bytes = sizeof(struct options),
	.run = run,
};
