#include "probe/scan.h"

#include <string.h>

struct sm_scan sm_scan_text(const char *text, size_t length)
{
	return (struct sm_scan){.at = text, .end = text + length};
}

bool sm_scan_line(struct sm_scan *text, struct sm_scan *ret_line)
{
	const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
	if (!newline) {
		return false;
	}
	*ret_line = (struct sm_scan){.at = text->at, .end = newline};
	text->at = newline + 1;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct sm_scan *line)
{
	while (line->at < line->end && is_blank(*line->at)) {
		line->at++;
	}
}

bool sm_scan_word(struct sm_scan *line, struct sm_scan *ret_word)
{
	skip_blanks(line);
	const char *begin = line->at;
	while (line->at < line->end && !is_blank(*line->at)) {
		line->at++;
	}
	*ret_word = (struct sm_scan){.at = begin, .end = line->at};
	return line->at > begin;
}

bool sm_scan_u64(struct sm_scan *line, uint64_t *ret_value)
{
	skip_blanks(line);
	uint64_t value = 0;
	const char *at = line->at;
	for (; at < line->end && is_digit(*at); at++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
			return false;
		}
	}
	if (at == line->at || (at < line->end && !is_blank(*at))) {
		return false;
	}
	line->at = at;
	*ret_value = value;
	return true;
}

bool sm_scan_i64(struct sm_scan *line, int64_t *ret_value)
{
	struct sm_scan rest = *line;
	skip_blanks(&rest);
	bool negative = rest.at < rest.end && *rest.at == '-';
	rest.at += negative;
	uint64_t value;
	if ((negative && (rest.at == rest.end || is_blank(*rest.at))) ||
		!sm_scan_u64(&rest, &value) || value > INT64_MAX) {
		return false;
	}
	*line = rest;
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

bool sm_scan_skip(struct sm_scan *line, int words)
{
	struct sm_scan word;
	while (words-- > 0) {
		if (!sm_scan_word(line, &word)) {
			return false;
		}
	}
	return true;
}

bool sm_scan_is(const struct sm_scan *word, const char *text)
{
	size_t length = strlen(text);
	return (size_t)(word->end - word->at) == length && !memcmp(word->at, text, length);
}

bool sm_scan_begins(struct sm_scan *line, const char *prefix)
{
	size_t length = strlen(prefix);
	if ((size_t)(line->end - line->at) < length || memcmp(line->at, prefix, length) != 0) {
		return false;
	}
	line->at += length;
	return true;
}

/* Steps over `key`, with or without a colon, if it is the whole first word of the line. The first letter settles nearly all
 * lines of a file of two hundred. */
static bool skip_key(struct sm_scan *line, const char *key)
{
	if (line->at == line->end || *line->at != *key) {
		return false;
	}
	struct sm_scan rest = *line;
	if (!sm_scan_begins(&rest, key)) {
		return false;
	}
	rest.at += rest.at < rest.end && *rest.at == ':';
	if (rest.at < rest.end && !is_blank(*rest.at)) {
		return false;
	}
	*line = rest;
	return true;
}

static bool emit_field(struct sm_scan line, const struct sm_scan_field *fields, int64_t instance,
	const struct sm_probe_sink *sink)
{
	for (const struct sm_scan_field *field = fields; field->key; field++) {
		uint64_t value;
		if (skip_key(&line, field->key)) {
			bool read = sm_scan_u64(&line, &value);
			if (read) {
				sm_probe_emit(sink, field->metric, instance,
					(double)value * field->scale);
			}
			return read;
		}
	}
	return false;
}

int sm_scan_fields(struct sm_scan text, const struct sm_scan_field *fields, int64_t instance,
	const struct sm_probe_sink *sink)
{
	int found = 0;
	struct sm_scan line;
	while (sm_scan_line(&text, &line)) {
		found += emit_field(line, fields, instance, sink);
	}
	return found;
}

bool sm_scan_find(struct sm_scan text, const char *key, uint64_t *ret_value)
{
	struct sm_scan line;
	while (sm_scan_line(&text, &line)) {
		if (skip_key(&line, key)) {
			return sm_scan_u64(&line, ret_value);
		}
	}
	return false;
}
