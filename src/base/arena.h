/* Memory that is freed all at once. The reading side allocates in one arena per run. */
#ifndef SM_BASE_ARENA_H
#define SM_BASE_ARENA_H

#include <stddef.h>

struct sm_arena_page;
struct sm_arena {
	struct sm_arena_page *pages; /* owned, newest first */
};
#define SM_ARENA_EMPTY ((struct sm_arena){0})

/* zeroed, 16-byte aligned; NULL without memory */
void *sm_arena_alloc(struct sm_arena *arena, size_t bytes);
char *sm_arena_strdup(struct sm_arena *arena, const char *text);
char *sm_arena_strndup(struct sm_arena *arena, const char *text, size_t length);
char *sm_arena_printf(struct sm_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sm_arena_finish(struct sm_arena *arena);

#endif
