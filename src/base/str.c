#include "base/str.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void sm_str_add_bytes(struct sm_str *str, const char *bytes, size_t length)
{
	if (str->failed) {
		return;
	}
	if (sm_mem_grow(&str->text, &str->capacity, str->length + length + 1, 1)) {
		str->failed = true;
		return;
	}
	memcpy(str->text + str->length, bytes, length);
	str->length += length;
	str->text[str->length] = '\0';
}

void sm_str_add(struct sm_str *str, const char *text)
{
	sm_str_add_bytes(str, text, strlen(text));
}

void sm_str_addf(struct sm_str *str, const char *format, ...)
{
	char small[256];
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (length >= 0 && (size_t)length < sizeof(small)) {
		sm_str_add_bytes(str, small, (size_t)length);
	} else if (length >= 0) {
		char *large = sm_mem_alloc((size_t)length + 1);
		if (large) {
			vsnprintf(large, (size_t)length + 1, format, again);
			sm_str_add_bytes(str, large, (size_t)length);
			sm_mem_free(large);
		} else {
			str->failed = true;
		}
	}
	va_end(again);
}

void sm_str_clear(struct sm_str *str)
{
	str->length = 0;
	if (str->text) {
		str->text[0] = '\0';
	}
}

void sm_str_finish(struct sm_str *str)
{
	sm_mem_free(str->text);
	*str = SM_STR_EMPTY;
}

const char *sm_str_text(const struct sm_str *str)
{
	return str->text ? str->text : "";
}
