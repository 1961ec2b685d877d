/* Reads a command's options by its table, and prints the table as help. */
#ifndef SM_CLI_OPTIONS_H
#define SM_CLI_OPTIONS_H

#include "cli/command.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SM_OPTIONS_WORD = 160 };

struct sm_options_result {
	bool wants_help;
	int operand_count;
	char *wrong;		    /* NULL, or the argument at fault (borrowed from argv) */
	char why[SM_OPTIONS_WORD];  /* then: what is wrong with it */
	char help[SM_OPTIONS_WORD]; /* then: what to write instead, "" when we do not know */
};

/* Fills `options` from argv[0..argc) and moves the operands to its front. False: see `wrong`. */
bool sm_options_parse(const struct sm_command *command, void *options, int argc, char **argv,
	struct sm_options_result *ret_result);
/* "512M", "1.5GiB", "100000": bytes. */
bool sm_options_size(const char *text, uint64_t *ret_bytes);
/* The one of `words` (NULL-terminated) that was probably meant, or NULL. */
const char *sm_options_nearest(const char *word, const char *const *words);

/* What every verb has besides its table. */
extern const struct sm_option sm_options_of_help;
/* The whole text of --help; and the parts of it that the program's own, with its verbs between them, is made of. */
void sm_options_help(const struct sm_command *command, FILE *out);
void sm_options_introduce(const struct sm_command *command, FILE *out);
void sm_options_list(const struct sm_command *command, FILE *out);

#endif
