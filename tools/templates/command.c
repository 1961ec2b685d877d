/* stallmeter @name@: what it is for. */
#include "cli/command.h"

struct options {
	bool quiet;
};

static const struct sm_option option_table[] = {
	{"quiet", 'q', SM_OPTION_FLAG, offsetof(struct options, quiet), NULL, "say nothing but the result"},
	{0},
};

static int run(const void *memory, int argc, char **argv)
{
	return SM_EXIT_INTERNAL;
}

const struct sm_command sm_cmd_@name@ = {
	.name = "@name@",
	.args = "RUN",
	.summary = "one line for --help",
	.options = option_table,
	.options_bytes = sizeof(struct options),
	.run = run,
};
