#include "cli/style.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value && *value;
}

static bool is_forced(void)
{
	return is_set("FORCE_COLOR") && strcmp(getenv("FORCE_COLOR"), "0") != 0;
}

static bool is_dumb(void)
{
	const char *term = getenv("TERM");
	return !term || strcmp(term, "dumb") == 0;
}

/* The first of these that is set decides, as setlocale() would have it. */
static bool speaks_unicode(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_set(names[i])) {
			const char *value = getenv(names[i]);
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
		}
	}
	return false;
}

static int columns_of(int fd, bool on_terminal)
{
	struct winsize size = {0};
	int said = is_set("COLUMNS") ? atoi(getenv("COLUMNS")) : 0;
	if (said > 0) {
		return said;
	}
	return on_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

struct sm_report_style sm_style_of(FILE *stream)
{
	int fd = fileno(stream);
	bool on_terminal = fd >= 0 && isatty(fd);
	bool lively = on_terminal && !is_dumb();
	return (struct sm_report_style){
		.colour = (lively || is_forced()) && !is_set("NO_COLOR"),
		.unicode = lively && speaks_unicode(),
		.columns = columns_of(fd, on_terminal),
	};
}
