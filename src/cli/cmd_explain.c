/* stallmeter explain [ID]: a rule in words. Without an ID, all of them in a line each. */
#include "cli/command.h"
#include "cli/explanation.h"
#include "cli/options.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <strings.h>

struct explain_options {
	bool markdown;
};

static const struct sm_option options[] = {
	{"markdown", 0, SM_OPTION_FLAG, offsetof(struct explain_options, markdown), NULL,
		"all rules as one Markdown page (docs/detectors.md)"},
	{0},
};

enum { NAMES_MAX = 128, WIDTH_IN_A_PIPE = 100 };

/* Ids and types both, since people mistype either. */
static const char *nearest_to(const char *word)
{
	const char *names[NAMES_MAX + 1] = {NULL};
	int count = 0;
	for (int i = 0; i < sm_detect_table_count && count + 2 <= NAMES_MAX; i++) {
		names[count++] = sm_detect_table[i]->id;
		names[count++] = sm_detect_table[i]->type;
	}
	return sm_options_nearest(word, names);
}

static int complain(const char *word)
{
	char what[SM_OPTIONS_WORD], help[SM_OPTIONS_WORD];
	const char *nearest = nearest_to(word);
	snprintf(what, sizeof(what), "there is no rule '%s'", word);
	snprintf(help, sizeof(help), "stallmeter explain %s", nearest ? nearest : "");
	sm_complain(&(struct sm_complaint){
		.what = what, .help = help, .note = "stallmeter explain lists all rules"});
	return SM_EXIT_USAGE;
}

static int explain_each(int argc, char **argv, int columns)
{
	int error = 0;
	for (int i = 0; i < argc; i++) {
		if (!sm_detect_find(argv[i])) {
			return complain(argv[i]);
		}
	}
	for (int i = 0; i < argc && !error; i++) {
		fputs(i ? "\n\n" : "", stdout);
		error = sm_explanation_text(sm_detect_find(argv[i]), columns, stdout);
	}
	return error;
}

static int run(const void *given, int argc, char **argv)
{
	const struct explain_options *explain = given;
	struct sm_terminal terminal = sm_terminal_of(stdout);
	int columns = terminal.is_terminal ? terminal.columns : WIDTH_IN_A_PIPE;
	int code = explain->markdown ? sm_explanation_markdown(stdout)
		   : argc	     ? explain_each(argc, argv, columns)
				     : sm_explanation_list(columns, stdout);
	if (code < 0) {
		sm_complain(&(struct sm_complaint){.what = "out of memory"});
		return SM_EXIT_INTERNAL;
	}
	return code;
}

const struct sm_command sm_cmd_explain = {
	.name = "explain",
	.args = "[ID...]",
	.summary = "a rule in words: what must be seen, fixes, how it can be wrong",
	.details = "ID is a rule's number (SM105) or its type (PREPROCESSING_BOTTLENECK). Without "
		   "one, all rules are listed.",
	.examples = "stallmeter explain SM105",
	.options = options,
	.options_bytes = sizeof(struct explain_options),
	.run = run,
};
