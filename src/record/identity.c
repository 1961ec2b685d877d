#include "record/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Bytes read; at most `bytes` - 1, and a zero behind them. */
static size_t read_text(const char *path, char *text, size_t bytes)
{
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && length < bytes - 1) {
		ssize_t got = read(fd, text + length, bytes - 1 - length);
		if (got <= 0) {
			break;
		}
		length += (size_t)got;
	}
	if (fd >= 0) {
		close(fd);
	}
	text[length] = '\0';
	return length;
}

/* Field 22 of /proc/self/stat; the second, the program's name in brackets, may hold spaces and brackets. */
static uint64_t read_start_time(void)
{
	char text[1024];
	read_text("/proc/self/stat", text, sizeof(text));
	const char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static uint64_t random_bits(void)
{
	uint64_t bits;
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits)) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		bits = ((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec << 12 ^
			       (uint64_t)getpid()) *
		       0x9e3779b97f4a7c15u;
	}
	return bits;
}

void sm_identity_fill(struct sm_ring_header *ret_who)
{
	memset(ret_who, 0, sizeof(*ret_who));
	ret_who->pid = getpid();
	ret_who->ppid = getppid();
	ret_who->start_time = read_start_time();
	snprintf(ret_who->unique, sizeof(ret_who->unique), "%016llx",
		(unsigned long long)random_bits());
}

void sm_identity_read_boot_id(char ret_text[40])
{
	size_t length = read_text("/proc/sys/kernel/random/boot_id", ret_text, 40);
	if (length && ret_text[length - 1] == '\n') {
		ret_text[length - 1] = '\0';
	}
}

/* The words of a command line, one behind the other. */
static const char *next_word(const char *word, const char *end)
{
	word += strlen(word) + 1;
	return word < end ? word : NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* `python -u train.py` runs train.py, `python -m pkg.train` runs pkg.train. */
static const char *script_of(const char *word, const char *end)
{
	const char *program = word;
	while ((word = next_word(word, end))) {
		if (!strcmp(word, "-m")) {
			word = next_word(word, end);
			return word ? word : program;
		}
		if (!strcmp(word, "-c")) {
			return program;
		}
		if (!strcmp(word, "-X") || !strcmp(word, "-W")) { /* these take a word */
			word = next_word(word, end);
			if (!word) {
				return program;
			}
		} else if (*word != '-') {
			return word;
		}
	}
	return program;
}

void sm_identity_read_program(char *ret_text, size_t bytes)
{
	char line[4096];
	size_t length = read_text("/proc/self/cmdline", line, sizeof(line));
	const char *word = line;
	if (!strncmp(last_part(line), "python", strlen("python"))) {
		word = script_of(line, line + length);
	}
	snprintf(ret_text, bytes, "%s", word);
}
