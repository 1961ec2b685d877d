/* The recorder says hello when torch is imported, so a Python process without torch is silent by right. One whose
 * mappings show torch and that made no ring was not reached. Then its command line and its environment tell why. */
#include "collect/unmeasured.h"

#include "probe/source.h"

#include <stdio.h>
#include <string.h>

enum { LOOKS = 3, ARGUMENTS_MAX = 16 * 1024 };

#define SECOND_NS 1000000000LL
/* Ages at which a process is looked at: torch takes a second or two to import, now and then far longer. */
static const int64_t ages_ns[LOOKS] = {4 * SECOND_NS, 15 * SECOND_NS, 60 * SECOND_NS};

static const char *next_argument(const char *argument, const char *end)
{
	const char *nul = memchr(argument, '\0', (size_t)(end - argument));
	return nul ? nul + 1 : end;
}

bool sm_unmeasured_is_python(const char *arguments, size_t length)
{
	const char *slash = memrchr(arguments, '/', strnlen(arguments, length));
	const char *program = slash ? slash + 1 : arguments;
	return (size_t)(arguments + length - program) > 6 && !memcmp(program, "python", 6);
}

/* The first option of the interpreter that makes it ignore PYTHONPATH or sitecustomize: -I, -E, -S, alone or among
 * others (-sE). What follows the script, -c or -m belongs to the program. */
const char *sm_unmeasured_flag(const char *arguments, size_t length)
{
	const char *end = arguments + length;
	const char *argument = next_argument(arguments, end);
	for (; argument < end && argument[0] == '-' && argument[1];
		argument = next_argument(argument, end)) {
		if (argument[1] == '-') {
			continue;
		}
		for (const char *letter = argument + 1; letter < end && *letter; letter++) {
			if (*letter == 'I' || *letter == 'E' || *letter == 'S') {
				return *letter == 'I' ? "-I" : *letter == 'E' ? "-E" : "-S";
			}
			if (*letter == 'c' || *letter == 'm') {
				return NULL;
			}
			if (*letter == 'W' || *letter == 'X') {
				argument = letter[1] ? argument : next_argument(argument, end);
				break;
			}
		}
		if (argument >= end) {
			break;
		}
	}
	return NULL;
}

static bool has_torch(pid_t pid, const char *root_path)
{
	struct sm_source maps = {0};
	char why[SM_SOURCE_WHY];
	struct sm_scan text;
	if (sm_source_open(&maps, why, root_path, "/proc/%d/maps", (int)pid)) {
		return false;
	}
	bool found = !sm_source_read(&maps, &text) && memmem(text.at, (size_t)(text.end - text.at),
							      "/libtorch", strlen("/libtorch"));
	sm_source_close(&maps);
	return found;
}

/* -1 not readable, 0 absent, 1 there. */
static int has_variable(pid_t pid, const char *root_path, const char *prefix)
{
	static char text[256 * 1024];
	int length =
		sm_source_read_once(text, sizeof(text), root_path, "/proc/%d/environ", (int)pid);
	if (length < 0) {
		return -1;
	}
	for (const char *at = text; at < text + length; at = next_argument(at, text + length)) {
		if (!strncmp(at, prefix, strlen(prefix))) {
			return 1;
		}
	}
	return 0;
}

static bool explain(const struct sm_child *child, const char *root_path, const char *arguments,
	size_t length, bool parent_records, char why[SM_UNMEASURED_WHY])
{
	int pid = (int)child->pid;
	const char *flag = sm_unmeasured_flag(arguments, length);
	if (flag) {
		snprintf(why, SM_UNMEASURED_WHY,
			"process %d runs python with %s, which keeps the recorder out; leave the "
			"option away to see its loaders",
			pid, flag);
		return true;
	}
	if (!has_variable(child->pid, root_path, "STALLMETER_LIVE=")) {
		snprintf(why, SM_UNMEASURED_WHY,
			"process %d was started with a cleaned environment (sudo, env -i, a "
			"launcher); hand on STALLMETER_LIVE, "
			"STALLMETER_LEVEL and PYTHONPATH, or put 'stallmeter run' behind that "
			"command",
			pid);
		return true;
	}
	if (!has_variable(child->pid, root_path, "PYTHONPATH=")) {
		snprintf(why, SM_UNMEASURED_WHY,
			"process %d was started without PYTHONPATH, by which the recorder gets in; "
			"hand it on",
			pid);
		return true;
	}
	if (parent_records) {
		return false; /* it was forked from one that records: a helper without loaders */
	}
	snprintf(why, SM_UNMEASURED_WHY,
		"process %d loaded torch but not the recorder: PYTHONPATH was replaced, or there "
		"is no build for its interpreter",
		pid);
	return true;
}

bool sm_unmeasured_look(struct sm_child *child, const char *root_path, bool parent_records,
	int64_t now_ns, char ret_why[SM_UNMEASURED_WHY])
{
	char arguments[ARGUMENTS_MAX];
	if (child->has_ring || child->looks >= LOOKS ||
		now_ns - child->seen_ns < ages_ns[child->looks]) {
		return false;
	}
	child->looks++;
	int length = sm_source_read_once(
		arguments, sizeof(arguments), root_path, "/proc/%d/cmdline", (int)child->pid);
	if (length <= 0 || !sm_unmeasured_is_python(arguments, (size_t)length)) {
		return false; /* it may still become Python: a shell that ends in exec */
	}
	if (!has_torch(child->pid, root_path)) {
		return false;
	}
	child->looks = LOOKS;
	return explain(child, root_path, arguments, (size_t)length, parent_records, ret_why);
}
