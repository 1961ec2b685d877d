/* Commands: each verb is a `const struct sm_command` at the end of cmd_<verb>.c; the list is one word in meson.build.
 * Options are tables; --help, the parser and the manual pages (manual.c) read them. */
#ifndef SM_CLI_COMMAND_H
#define SM_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum sm_exit {
	SM_EXIT_FINE = 0,
	SM_EXIT_FINDINGS = 1,
	SM_EXIT_USAGE = 2,
	SM_EXIT_TRACE = 3,
	SM_EXIT_ENVIRONMENT = 4,
	SM_EXIT_INTERNAL = 70,
};

enum sm_option_type {
	SM_OPTION_FLAG,
	SM_OPTION_TEXT,
	SM_OPTION_SIZE,
	SM_OPTION_CHOICE,
	SM_OPTION_SECONDS, /* above 0 */
	SM_OPTION_SHARE,   /* 0 to 1 */
};

struct sm_option {
	const char *name; /* long, without dashes */
	char letter;	  /* or 0 */
	enum sm_option_type type;
	size_t offset; /* in the command's options struct: bool, const char *, uint64_t, int (index of choice), double */
	const char *value; /* "FILE", or the choices "basic|detailed" */
	const char *help;
};

struct sm_command {
	const char *name, *args, *summary;
	const char *details;		 /* paragraphs of --help and of the manual page */
	const char *examples;		 /* lines for a shell, likewise */
	const struct sm_option *options; /* ends with a NULL name */
	size_t options_bytes;
	const void *defaults; /* what the options struct starts as; NULL: zeros */
	int usage_exit;	      /* exit code for wrong usage; 0: SM_EXIT_USAGE */
	bool hidden;	      /* not in --help */
	bool stop_at_operand; /* `run`: what follows the first operand belongs to the child */
	int (*run)(const void *options, int argc,
		char **argv); /* operands only; returns the exit code */
};

extern const struct sm_command *const sm_command_table[];
extern const int sm_command_table_count;
/* `stallmeter` itself: only words, for main reads its options. */
extern const struct sm_command sm_command_program;

const struct sm_command *sm_command_find(const char *name); /* NULL: none */

/* error[ID]: what, --> where, = fact, help:, note: on standard error. NULL lines are left out. */
struct sm_complaint {
	const char *id, *what, *where, *fact, *help, *note;
};
void sm_complain(const struct sm_complaint *complaint);
void sm_warn(const struct sm_complaint *complaint);

#endif
