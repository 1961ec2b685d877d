#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MIN = 40 };

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

static const char *locale_text(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (int i = 0; i < 3; i++) {
		if (is_set(names[i])) {
			return getenv(names[i]);
		}
	}
	return "";
}

static bool speaks_unicode(void)
{
	const char *locale = locale_text();
	return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
}

static int count_columns(int fd)
{
	struct winsize size;
	const char *asked = getenv("COLUMNS");
	int columns = asked ? atoi(asked) : 0;
	if (columns <= 0 && !ioctl(fd, TIOCGWINSZ, &size)) {
		columns = size.ws_col;
	}
	if (columns <= 0 || columns > SM_TERMINAL_COLUMNS_MAX) {
		columns = SM_TERMINAL_COLUMNS_MAX;
	}
	return columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
}

struct sm_terminal sm_terminal_of(FILE *stream)
{
	const char *kind = getenv("TERM");
	struct sm_terminal terminal = {
		.is_terminal = isatty(fileno(stream)) == 1,
		.columns = count_columns(fileno(stream)),
	};
	bool capable = terminal.is_terminal && kind && strcmp(kind, "dumb") != 0;
	terminal.colour = capable && !is_set("NO_COLOR");
	terminal.unicode = capable && speaks_unicode();
	return terminal;
}
