#include "fake_root.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *create(const char *root, const char *path)
{
	char full[2 * PATH_MAX];
	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0777);
		*slash = '/';
	}
	FILE *file = fopen(full, "w");
	if (!file) {
		perror(full);
		abort();
	}
	return file;
}

void fake_root_put(const char *root, const char *path, const char *text)
{
	FILE *file = create(root, path);
	fputs(text, file);
	fclose(file);
}

static void copy_line(FILE *file, char *line)
{
	size_t length = strlen(line);
	if (length > 2 && !strcmp(line + length - 3, "\\c\n")) {
		line[length - 3] = '\0';
	}
	if (file) {
		fputs(line, file);
	}
}

void fake_root_make(char ret_path[PATH_MAX], const char *name)
{
	char archive[PATH_MAX], *line = NULL;
	size_t room = 0;
	FILE *file = NULL;
	const char *temporary = getenv("TMPDIR");
	snprintf(ret_path, PATH_MAX, "%s/stallmeter-root-XXXXXX", temporary ? temporary : "/tmp");
	snprintf(archive, sizeof(archive), "%s/%s.txt", SM_TEST_ROOTS, name);
	FILE *in = fopen(archive, "r");
	if (!in || !mkdtemp(ret_path)) {
		perror(archive);
		abort();
	}
	while (getline(&line, &room, in) > 0) {
		if (strncmp(line, "### ", 4) != 0) {
			copy_line(file, line);
			continue;
		}
		if (file) {
			fclose(file);
		}
		line[strcspn(line, "\n")] = '\0';
		file = create(ret_path, line + 4);
	}
	if (file) {
		fclose(file);
	}
	free(line);
	fclose(in);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

void fake_root_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
