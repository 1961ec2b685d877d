/* Bodies of RUN, PROCESS and NOTE blocks: lines `key=value`. */
#ifndef SM_TRACE_TRACE_LINES_H
#define SM_TRACE_TRACE_LINES_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct sm_trace_lines {
	struct sm_str text; /* owned copy, cut into pieces as it is read */
	char *at;
};
#define SM_TRACE_LINES_EMPTY ((struct sm_trace_lines){0})

int sm_trace_lines_begin(
	struct sm_trace_lines *lines, const void *body, size_t bytes); /* 0 or -ENOMEM */
bool sm_trace_lines_next(
	struct sm_trace_lines *lines, const char **ret_key, const char **ret_value);
void sm_trace_lines_finish(struct sm_trace_lines *lines);
int64_t sm_trace_lines_number(const char *value, int64_t otherwise);

#endif
