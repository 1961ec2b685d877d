#include "trace/trace_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sm_trace_lines_begin(struct sm_trace_lines *lines, const void *body, size_t bytes)
{
	sm_str_clear(&lines->text);
	sm_str_add_bytes(&lines->text, body, bytes);
	lines->at = lines->text.text;
	if (lines->text.failed) {
		sm_trace_lines_finish(lines);
		return -ENOMEM;
	}
	return 0;
}

/* A line without `=` is left out: a later version may write such ones. */
bool sm_trace_lines_next(struct sm_trace_lines *lines, const char **ret_key, const char **ret_value)
{
	while (lines->at && *lines->at) {
		char *line = lines->at;
		char *end = strchr(line, '\n');
		lines->at = end ? end + 1 : line + strlen(line);
		if (end) {
			*end = '\0';
		}
		char *sign = strchr(line, '=');
		if (sign) {
			*sign = '\0';
			*ret_key = line;
			*ret_value = sign + 1;
			return true;
		}
	}
	return false;
}

void sm_trace_lines_finish(struct sm_trace_lines *lines)
{
	sm_str_finish(&lines->text);
	*lines = SM_TRACE_LINES_EMPTY;
}

int64_t sm_trace_lines_number(const char *value, int64_t otherwise)
{
	char *end;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	return errno || end == value || *end ? otherwise : number;
}
