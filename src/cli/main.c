/* stallmeter VERB ...: finds the verb in the table, reads its options, runs it. */
#include "cli/command.h"
#include "cli/options.h"

#include "base/mem.h"
#include "stallmeter/stallmeter.h"

#include <stdio.h>
#include <string.h>

enum { VERBS_MAX = 64 };

static void print_help(FILE *out)
{
	sm_options_introduce(&sm_command_program, out);
	fputs("\nverbs:\n", out);
	for (int i = 0; i < sm_command_table_count; i++) {
		const struct sm_command *command = sm_command_table[i];
		if (!command->hidden) {
			fprintf(out, "  %-10s %s\n", command->name, command->summary);
		}
	}
	sm_options_list(&sm_command_program, out);
	fprintf(out, "\nstallmeter VERB --help says more.  A first try:  %s\n",
		sm_command_program.examples);
}

static int complain_verb(const char *verb)
{
	const char *names[VERBS_MAX + 1] = {NULL};
	char what[SM_OPTIONS_WORD], help[SM_OPTIONS_WORD];
	int count = 0;
	for (int i = 0; i < sm_command_table_count && count < VERBS_MAX; i++) {
		if (!sm_command_table[i]->hidden) {
			names[count++] = sm_command_table[i]->name;
		}
	}
	const char *nearest = sm_options_nearest(verb, names);
	snprintf(what, sizeof(what), "there is no verb '%s'", verb);
	snprintf(help, sizeof(help), "stallmeter %s", nearest ? nearest : "--help");
	sm_complain(&(struct sm_complaint){.what = what, .help = help});
	return SM_EXIT_USAGE;
}

static int complain_option(const struct sm_command *command, const struct sm_options_result *result)
{
	char what[2 * SM_OPTIONS_WORD], note[SM_OPTIONS_WORD];
	snprintf(what, sizeof(what), "stallmeter %s: '%s' %s", command->name, result->wrong,
		result->why);
	snprintf(note, sizeof(note), "stallmeter %s --help lists the options", command->name);
	sm_complain(&(struct sm_complaint){
		.what = what, .help = result->help[0] ? result->help : NULL, .note = note});
	return command->usage_exit ? command->usage_exit : SM_EXIT_USAGE;
}

static int run_command(const struct sm_command *command, int argc, char **argv)
{
	struct sm_options_result result;
	void *options = sm_mem_calloc(1, command->options_bytes ? command->options_bytes : 1);
	if (!options) {
		sm_complain(&(struct sm_complaint){.what = "out of memory"});
		return SM_EXIT_INTERNAL;
	}
	if (command->defaults) {
		memcpy(options, command->defaults, command->options_bytes);
	}
	int code = SM_EXIT_FINE;
	if (!sm_options_parse(command, options, argc, argv, &result)) {
		code = complain_option(command, &result);
	} else if (result.wants_help) {
		sm_options_help(command, stdout);
	} else {
		argv[result.operand_count] = NULL; /* argv ends with one, so there is room */
		code = command->run(options, result.operand_count, argv);
	}
	sm_mem_free(options);
	return code;
}

/* A result that did not reach its reader is no result. */
static int flush_results(int code)
{
	if ((fflush(stdout) || ferror(stdout)) && code == SM_EXIT_FINE) {
		sm_complain(&(struct sm_complaint){.what = "could not write to standard output"});
		return SM_EXIT_INTERNAL;
	}
	return code;
}

static int print_and_flush(void)
{
	print_help(stdout);
	return flush_results(SM_EXIT_FINE);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : NULL;
	if (!verb) {
		print_help(stderr);
		return SM_EXIT_USAGE;
	}
	if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help")) {
		return print_and_flush();
	}
	if (!strcmp(verb, "--version")) {
		puts("stallmeter " SM_VERSION);
		return flush_results(SM_EXIT_FINE);
	}
	const struct sm_command *command = sm_command_find(verb);
	return command ? flush_results(run_command(command, argc - 2, argv + 2))
		       : complain_verb(verb);
}
