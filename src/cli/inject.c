#include "cli/inject.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Relative to the folder of the program: installed by meson, by pip into a virtual environment, on Debian; and
 * in a build folder. */
static const char *const places[] = {
	"../share/stallmeter/inject",
	"../lib/python3*/site-packages/stallmeter/inject",
	"../lib/python3/dist-packages/stallmeter/inject",
	"../../python/inject",
};

static bool is_inject(const char *folder)
{
	char path[PATH_MAX];
	return snprintf(path, sizeof(path), "%s/sitecustomize.py", folder) < PATH_MAX &&
	       !access(path, R_OK);
}

static bool find_match(const char *pattern, char ret_folder[PATH_MAX])
{
	glob_t found;
	bool fits = false;
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && !fits; i++) {
			fits = is_inject(found.gl_pathv[i]) &&
			       realpath(found.gl_pathv[i], ret_folder);
		}
	}
	globfree(&found);
	return fits;
}

static bool find_program_folder(char folder[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	if (length <= 0) {
		return false;
	}
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	return true;
}

bool sm_inject_find(char ret_folder[PATH_MAX])
{
	const char *told = getenv("STALLMETER_INJECT");
	if (told && *told) {
		return is_inject(told) && realpath(told, ret_folder);
	}
	char program[PATH_MAX], pattern[PATH_MAX];
	if (!find_program_folder(program)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (snprintf(pattern, sizeof(pattern), "%s/%s", program, places[i]) < PATH_MAX &&
			find_match(pattern, ret_folder)) {
			return true;
		}
	}
	return false;
}
