#include "cli/run_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static bool ends_in(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);
	return length > tail && !strcmp(text + length - tail, suffix);
}

static bool is_python(const char *program)
{
	const char *slash = strrchr(program, '/');
	return !strncmp(slash ? slash + 1 : program, "python", 6);
}

/* `torchrun --nproc-per-node 2 train.py`, `uv run train.py`, `python -m package.train`: the first argument that is a
 * script, or the module that an interpreter was told to run. */
static const char *find_script(char *const *command)
{
	for (int i = 1; command[i]; i++) {
		if (ends_in(command[i], ".py")) {
			return command[i];
		}
		if (!strcmp(command[i], "-m") && command[i + 1] && is_python(command[i - 1])) {
			return command[i + 1];
		}
	}
	return command[0];
}

void sm_run_name_script(char *const *command, char ret_script[SM_RUN_NAME_MAX / 2])
{
	const char *script = find_script(command);
	const char *slash = strrchr(script, '/');
	script = slash && slash[1] ? slash + 1 : script;
	size_t length = strlen(script) - (ends_in(script, ".py") ? 3 : 0);
	size_t kept = 0;
	for (size_t i = 0; i < length && kept < SM_RUN_NAME_MAX / 2 - 1; i++) {
		unsigned char c = (unsigned char)script[i];
		ret_script[kept++] = isalnum(c) || c == '.' || c == '_' || c == '-' ? (char)c : '_';
	}
	ret_script[kept] = '\0';
}

void sm_run_name_directory(char *const *command, int64_t real_s, char ret_name[SM_RUN_NAME_MAX])
{
	char script[SM_RUN_NAME_MAX / 2], stamp[32];
	time_t now = (time_t)real_s;
	struct tm local;
	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &local);
	sm_run_name_script(command, script);
	snprintf(ret_name, SM_RUN_NAME_MAX, "stallmeter-%s-%s", script, stamp);
}
