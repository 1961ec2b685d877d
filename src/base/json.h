/* A streaming JSON writer. It checks nesting by assertion and keeps no document in memory.
 * Numbers print as the shortest text that reads back as the same double ("%.15g", else "%.17g"), NaN and infinity
 * as null: what could not be measured is never a number. */
#ifndef SM_BASE_JSON_H
#define SM_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SM_JSON_DEPTH_MAX = 32 };

struct sm_json {
	FILE *out;  /* borrowed; its error flag is the error of this writer */
	int indent; /* spaces a level; 0 for one line */
	int depth;
	bool is_array[SM_JSON_DEPTH_MAX];
	bool has_member[SM_JSON_DEPTH_MAX];
};

void sm_json_init(struct sm_json *json, FILE *out, int indent);
/* `key` is NULL inside arrays and at the top. */
void sm_json_begin_object(struct sm_json *json, const char *key);
void sm_json_begin_array(struct sm_json *json, const char *key);
void sm_json_end(struct sm_json *json);
/* NULL gives null; bad UTF-8 is replaced */
void sm_json_string(struct sm_json *json, const char *key, const char *text);
void sm_json_int(struct sm_json *json, const char *key, int64_t value);
void sm_json_double(struct sm_json *json, const char *key, double value);
void sm_json_bool(struct sm_json *json, const char *key, bool value);
void sm_json_null(struct sm_json *json, const char *key);

#endif
