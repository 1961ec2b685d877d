#include "cli/found_python.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool find_program(const char *search_path, const char *name, char ret_path[PATH_MAX])
{
	while (*search_path) {
		size_t length = strcspn(search_path, ":");
		int fits = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)length, search_path, name);
		if (length && fits < PATH_MAX && !access(ret_path, X_OK)) {
			return true;
		}
		search_path += length + (search_path[length] == ':');
	}
	ret_path[0] = '\0';
	return false;
}

/* What stands between quotes in the line `__version__ = '2.13.0+cpu'`. */
static void read_version(const char *file, char ret_version[64])
{
	char line[256];
	FILE *stream = fopen(file, "re");
	while (stream && fgets(line, sizeof(line), stream)) {
		char *begin = strpbrk(line, "'\"");
		if (!strncmp(line, "__version__", 11) && begin) {
			snprintf(
				ret_version, 64, "%.*s", (int)strcspn(begin + 1, "'\""), begin + 1);
			break;
		}
	}
	if (stream) {
		fclose(stream);
	}
}

/* "<prefix>/lib/python3.11/site-packages/torch/version.py" tells two versions at once. */
static bool look_into(const char *pattern, struct sm_found_python *python)
{
	glob_t found;
	bool there = !glob(pattern, 0, NULL, &found) && found.gl_pathc > 0;
	if (there) {
		read_version(found.gl_pathv[0], python->torch);
	}
	globfree(&found);
	return there;
}

/* python3 is a link to python3.11, itself or through others. */
static void find_version(struct sm_found_python *python)
{
	char real[PATH_MAX];
	const char *name = realpath(python->path, real) ? strrchr(real, '/') : NULL;
	if (name && !strncmp(name, "/python3.", 9)) {
		snprintf(python->version, sizeof(python->version), "%.*s",
			(int)strspn(name + 7, "0123456789."), name + 7);
	}
}

static void find_torch(struct sm_found_python *python)
{
	static const char *const places[] = {
		"lib/python%s/site-packages/torch/version.py",
		"lib/python%s/dist-packages/torch/version.py",
		"local/lib/python%s/dist-packages/torch/version.py",
		"lib/python3/dist-packages/torch/version.py",
	};
	char prefix[PATH_MAX], pattern[2 * PATH_MAX], below[128];
	snprintf(prefix, sizeof(prefix), "%s", python->path);
	*strrchr(prefix, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *mark = strstr(places[i], "%s");
		snprintf(below, sizeof(below), "%.*s%s%s",
			mark ? (int)(mark - places[i]) : (int)strlen(places[i]), places[i],
			mark ? (python->version[0] ? python->version : "3*") : "",
			mark ? mark + 2 : "");
		snprintf(pattern, sizeof(pattern), "%s/../%s", prefix, below);
		if (look_into(pattern, python)) {
			return;
		}
	}
}

void sm_found_python_look(struct sm_found_python *python, const char *search_path)
{
	*python = (struct sm_found_python){0};
	if (find_program(search_path, "python", python->path) ||
		find_program(search_path, "python3", python->path)) {
		find_version(python);
		find_torch(python);
	}
}
