/* A string that grows. After the first failed allocation it stays as it was and `failed` is set, so a chain of
 * appends needs one check at its end. */
#ifndef SM_BASE_STR_H
#define SM_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct sm_str {
	char *text; /* owned, NUL-terminated; NULL while empty */
	size_t length, capacity;
	bool failed;
};
#define SM_STR_EMPTY ((struct sm_str){0})

void sm_str_add(struct sm_str *str, const char *text);
void sm_str_add_bytes(struct sm_str *str, const char *bytes, size_t length);
void sm_str_addf(struct sm_str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sm_str_clear(struct sm_str *str); /* keeps its memory */
void sm_str_finish(struct sm_str *str);
const char *sm_str_text(const struct sm_str *str); /* "" while empty */

#endif
