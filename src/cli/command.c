#include "cli/command.h"

#include <string.h>

#define ENTRY(word) extern const struct sm_command sm_cmd_##word;
#include "command_list.inc"
#undef ENTRY

const struct sm_command *const sm_command_table[] = {
#define ENTRY(word) &sm_cmd_##word,
#include "command_list.inc"
#undef ENTRY
};
const int sm_command_table_count = sizeof(sm_command_table) / sizeof(sm_command_table[0]);

const struct sm_command *sm_command_find(const char *name)
{
	for (int i = 0; i < sm_command_table_count; i++) {
		if (!strcmp(sm_command_table[i]->name, name)) {
			return sm_command_table[i];
		}
	}
	return NULL;
}

static const struct sm_option own_options[] = {
	{"version", 0, SM_OPTION_FLAG, 0, NULL, "the version"},
	{0},
};

const struct sm_command sm_command_program = {
	.name = "stallmeter",
	.args = "VERB [options] ...",
	.summary = "finds what makes a PyTorch training wait for its data, without a change of the "
		   "training",
	.details =
		"A recorded run is a directory: a rank<N>.stall for each rank of the job, and "
		"its verdict as report.json and report.html. To read one, neither Python nor the "
		"machine it was made on is needed.",
	.examples = "stallmeter run -- python train.py",
	.options = own_options,
};
