#include "recording.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256];

const char *recording_folder(void)
{
	return folder;
}

int recording_set_up(void **state)
{
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof(folder), "%s/sm-record-XXXXXX", base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

/* Path of the n-th ring in the folder. */
static bool nth_file(int n, char *path, size_t bytes)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;
	while (dir && !found && (entry = readdir(dir))) {
		if (strstr(entry->d_name, ".ring") && n-- == 0) {
			snprintf(path, bytes, "%s/%s", folder, entry->d_name);
			found = true;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

int recording_tear_down(void **state)
{
	char path[600];
	sm_session_stop();
	while (nth_file(0, path, sizeof(path))) {
		unlink(path);
	}
	return rmdir(folder);
}

int recording_file_count(void)
{
	char path[600];
	int count = 0;
	while (nth_file(count, path, sizeof(path))) {
		count++;
	}
	return count;
}

const char *recording_file_of(int pid)
{
	static char path[600];
	char suffix[32];
	snprintf(suffix, sizeof(suffix), "-%d.ring", pid);
	for (int i = 0; nth_file(i, path, sizeof(path)); i++) {
		if (strstr(path, suffix)) {
			return path;
		}
	}
	return NULL;
}

void recording_start(const struct sm_session_options *options)
{
	struct sm_session_options mine = {.rank = -1};
	if (options) {
		mine = *options;
	}
	mine.directory = folder;
	assert_int_equal(sm_session_start(&mine), 0);
}

struct oracle *recording_read(const char *path)
{
	struct oracle *oracle = oracle_read(path);
	assert_string_equal(oracle->problem, "");
	return oracle;
}

struct oracle *recording_look(void)
{
	return recording_read(sm_session_path());
}

struct oracle *recording_stop(void)
{
	char path[600];
	snprintf(path, sizeof(path), "%s", sm_session_path());
	sm_session_stop();
	return recording_read(path);
}

void recording_in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		_exit(body());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}
