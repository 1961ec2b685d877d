#include "report/text.h"

#include <string.h>

static const uint32_t not_a_character = 0xffff;

size_t sm_text_point(const char *text, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	size_t length = byte[0] < 0x80	     ? 1
			: byte[0] >> 5 == 6  ? 2
			: byte[0] >> 4 == 14 ? 3
			: byte[0] >> 3 == 30 ? 4
					     : 0;
	uint32_t point = length > 1 ? byte[0] & (0xffu >> (length + 1)) : byte[0];
	*ret_point = not_a_character;
	if (!length) {
		return 1;
	}
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80) {
			return 1;
		}
		point = point << 6 | (byte[i] & 0x3fu);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
		return 1;
	}
	*ret_point = point;
	return length;
}

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t point, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last) {
			return true;
		}
	}
	return false;
}
#define IS_IN(point, ranges) is_in(point, ranges, sizeof(ranges) / sizeof((ranges)[0]))

bool sm_text_is_harmless(uint32_t point)
{
	static const struct range harmful[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x200e, 0x200f},
		{0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xffff}};
	return !IS_IN(point, harmful);
}

static int point_width(uint32_t point)
{
	static const struct range nothing[] = {{0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x200b, 0x200d},
		{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
	static const struct range wide[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},
		{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60},
		{0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
	return IS_IN(point, nothing) ? 0 : IS_IN(point, wide) ? 2 : 1;
}

/* Bytes of the longest beginning that fits; *ret_columns is its width. */
static size_t fitting(const char *text, int columns, int *ret_columns)
{
	size_t at = 0;
	int used = 0;
	while (text[at]) {
		uint32_t point;
		size_t step = sm_text_point(text + at, &point);
		int width = point_width(point);
		if (used + width > columns) {
			break;
		}
		used += width;
		at += step;
	}
	*ret_columns = used;
	return at;
}

int sm_text_width(const char *text)
{
	int width;
	fitting(text, INT32_MAX / 2, &width);
	return width;
}

void sm_text_add_cut(struct sm_str *str, const char *text, int columns, bool unicode)
{
	int width;
	if (sm_text_width(text) <= columns) {
		sm_str_add(str, text);
		return;
	}
	const char *ellipsis = unicode ? "\xe2\x80\xa6" : "...";
	int room = columns - (unicode ? 1 : 3);
	if (room < 0) {
		sm_str_add_bytes(str, text, fitting(text, columns, &width));
		return;
	}
	sm_str_add_bytes(str, text, fitting(text, room, &width));
	sm_str_add(str, ellipsis);
}

void sm_text_add_spaces(struct sm_str *str, int count)
{
	for (int i = 0; i < count; i++) {
		sm_str_add_bytes(str, " ", 1);
	}
}

void sm_text_add_padded(struct sm_str *str, const char *text, int columns, bool unicode)
{
	size_t before = str->length;
	sm_text_add_cut(str, text, columns, unicode);
	sm_text_add_spaces(str, columns - sm_text_width(sm_str_text(str) + before));
}

/* A number keeps its unit: "12.1 ms", "31 %". */
static bool may_break(const char *text, size_t at)
{
	if (text[at] != ' ' || at == 0) {
		return false;
	}
	size_t next = strcspn(text + at + 1, " ");
	bool after_number = text[at - 1] >= '0' && text[at - 1] <= '9';
	return !after_number || next > 3;
}

size_t sm_text_break(const char *text, int columns, const char **ret_next)
{
	int width;
	size_t fits = fitting(text, columns < 1 ? 1 : columns, &width);
	size_t end = fits;
	if (!fits) { /* one character, wider than the line: it is printed all the same */
		uint32_t point;
		fits = end = *text ? sm_text_point(text, &point) : 0;
	}
	if (text[fits]) {
		while (end > 0 && !may_break(text, end)) {
			end--;
		}
		end = end ? end : fits;
	}
	const char *next = text + end;
	while (*next == ' ') {
		next++;
	}
	while (end > 0 && text[end - 1] == ' ') {
		end--;
	}
	*ret_next = next;
	return end;
}
