/* Numbers and words out of kernel text, never past its end. A line counts only with its newline: what was cut off in
 * the middle of a number is not a smaller number. */
#ifndef SM_PROBE_SCAN_H
#define SM_PROBE_SCAN_H

#include "probe/probe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_scan {
	const char *at, *end; /* borrowed */
};

struct sm_scan sm_scan_text(const char *text, size_t length);
/* The next whole line, without its newline; false when there is none. */
bool sm_scan_line(struct sm_scan *text, struct sm_scan *ret_line);
/* The next run of bytes that are no blanks. */
bool sm_scan_word(struct sm_scan *line, struct sm_scan *ret_word);
/* A decimal number, blanks in front of it skipped. One that does not fit, or that runs into letters, is none. */
bool sm_scan_u64(struct sm_scan *line, uint64_t *ret_value);
bool sm_scan_i64(struct sm_scan *line, int64_t *ret_value);
bool sm_scan_skip(struct sm_scan *line, int words);
bool sm_scan_is(const struct sm_scan *word, const char *text);
bool sm_scan_begins(struct sm_scan *line, const char *prefix); /* and steps over it */

/* Lines of `key value` or `key: value unit`, as meminfo, vmstat, io, status and the control groups write them. */
struct sm_scan_field {
	const char *key; /* without the colon */
	enum sm_metric metric;
	double scale;
};
/* Hands on the value of every line whose key is in `fields` (ends with a NULL key). Returns how many there were. */
int sm_scan_fields(struct sm_scan text, const struct sm_scan_field *fields, int64_t instance,
	const struct sm_probe_sink *sink);
/* The value behind one key. */
bool sm_scan_find(struct sm_scan text, const char *key, uint64_t *ret_value);

#endif
