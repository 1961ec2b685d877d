#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void new_line(struct sm_json *json)
{
	if (json->indent) {
		fprintf(json->out, "\n%*s", json->depth * json->indent, "");
	}
}

/* Length of the valid UTF-8 sequence at `text`, or 0. */
static size_t utf8_length(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80	     ? 1
			: text[0] >> 5 == 6  ? 2
			: text[0] >> 4 == 14 ? 3
			: text[0] >> 3 == 30 ? 4
					     : 0;
	if (length < 2) {
		return length;
	}
	uint32_t point = text[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (text[i] & 0x3fu);
	}
	bool legal =
		point >= least[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
	return legal ? length : 0;
}

static void write_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		size_t length = utf8_length(at);
		if (!length) {
			fputs("\\ufffd", out);
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(out, "\\%c", *at);
		} else if (*at < 0x20 || *at == '<') {
			/* '<': the text may stand inside a <script> */
			fprintf(out, "\\u%04x", *at);
		} else {
			fwrite(at, 1, length, out);
		}
		at += length;
	}
	fputc('"', out);
}

static void begin_member(struct sm_json *json, const char *key)
{
	if (json->depth == 0) {
		assert(!key);
		return;
	}
	assert(json->is_array[json->depth] == !key);
	if (json->has_member[json->depth]) {
		fputc(',', json->out);
	}
	json->has_member[json->depth] = true;
	new_line(json);
	if (key) {
		write_text(json->out, key);
		fputs(json->indent ? ": " : ":", json->out);
	}
}

static void begin(struct sm_json *json, const char *key, bool is_array)
{
	begin_member(json, key);
	assert(json->depth + 1 < SM_JSON_DEPTH_MAX);
	json->depth++;
	json->is_array[json->depth] = is_array;
	json->has_member[json->depth] = false;
	fputc(is_array ? '[' : '{', json->out);
}

void sm_json_init(struct sm_json *json, FILE *out, int indent)
{
	*json = (struct sm_json){.out = out, .indent = indent};
}

void sm_json_begin_object(struct sm_json *json, const char *key)
{
	begin(json, key, false);
}

void sm_json_begin_array(struct sm_json *json, const char *key)
{
	begin(json, key, true);
}

void sm_json_end(struct sm_json *json)
{
	assert(json->depth > 0);
	bool is_array = json->is_array[json->depth], has_member = json->has_member[json->depth];
	json->depth--;
	if (has_member) {
		new_line(json);
	}
	fputc(is_array ? ']' : '}', json->out);
	if (json->depth == 0 && json->indent) {
		fputc('\n', json->out);
	}
}

void sm_json_string(struct sm_json *json, const char *key, const char *text)
{
	begin_member(json, key);
	if (text) {
		write_text(json->out, text);
	} else {
		fputs("null", json->out);
	}
}

void sm_json_int(struct sm_json *json, const char *key, int64_t value)
{
	begin_member(json, key);
	fprintf(json->out, "%lld", (long long)value);
}

void sm_json_double(struct sm_json *json, const char *key, double value)
{
	char text[32];
	begin_member(json, key);
	if (!isfinite(value)) {
		fputs("null", json->out);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value) {
		snprintf(text, sizeof(text), "%.17g", value);
	}
	fputs(text, json->out);
}

void sm_json_bool(struct sm_json *json, const char *key, bool value)
{
	begin_member(json, key);
	fputs(value ? "true" : "false", json->out);
}

void sm_json_null(struct sm_json *json, const char *key)
{
	begin_member(json, key);
	fputs("null", json->out);
}
