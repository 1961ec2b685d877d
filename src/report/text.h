/* Text in columns: how wide it is on a terminal, cut to a width, broken into lines. UTF-8 in, never split inside a
 * character. Widths are of East Asian Wide ranges and combining marks, without asking the locale, so that the same
 * report has the same bytes everywhere. */
#ifndef SM_REPORT_TEXT_H
#define SM_REPORT_TEXT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text` (which is not at its end); a byte that is no UTF-8 counts as one of U+FFFF. */
size_t sm_text_point(const char *text, uint32_t *ret_point);
bool sm_text_is_harmless(uint32_t point); /* prints, and turns nothing around */
int sm_text_width(const char *text);
/* Appends at most `columns` of `text`, ended by an ellipsis where it was cut. */
void sm_text_add_cut(struct sm_str *str, const char *text, int columns, bool unicode);
/* The same, then filled with spaces up to `columns`. */
void sm_text_add_padded(struct sm_str *str, const char *text, int columns, bool unicode);
void sm_text_add_spaces(struct sm_str *str, int count);
/* Bytes of the first line of `text` when broken at spaces to `columns`; *ret_next is where the second begins, at the
 * end of text when there is none. A word that is too long is broken. */
size_t sm_text_break(const char *text, int columns, const char **ret_next);

#endif
