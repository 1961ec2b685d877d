#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_BYTES = 64 * 1024 };

struct sm_arena_page {
	struct sm_arena_page *older; /* owned */
	size_t used, room;
	_Alignas(16) char bytes[];
};

static struct sm_arena_page *add_page(struct sm_arena *arena, size_t bytes)
{
	size_t room = bytes > PAGE_BYTES ? bytes : PAGE_BYTES;
	struct sm_arena_page *page = sm_mem_calloc(1, sizeof(*page) + room);
	if (page) {
		page->room = room;
		page->older = arena->pages;
		arena->pages = page;
	}
	return page;
}

void *sm_arena_alloc(struct sm_arena *arena, size_t bytes)
{
	if (bytes > SIZE_MAX / 2) {
		return NULL;
	}
	size_t rounded = (bytes + 15) & ~(size_t)15;
	struct sm_arena_page *page = arena->pages;
	if (!page || page->room - page->used < rounded) {
		page = add_page(arena, rounded);
	}
	if (!page) {
		return NULL;
	}
	void *memory = page->bytes + page->used;
	page->used += rounded;
	return memory;
}

char *sm_arena_strndup(struct sm_arena *arena, const char *text, size_t length)
{
	char *copy = sm_arena_alloc(arena, length + 1);
	if (copy) {
		memcpy(copy, text, length);
	}
	return copy;
}

char *sm_arena_strdup(struct sm_arena *arena, const char *text)
{
	return sm_arena_strndup(arena, text, strlen(text));
}

char *sm_arena_printf(struct sm_arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = length < 0 ? NULL : sm_arena_alloc(arena, (size_t)length + 1);
	if (text) {
		vsnprintf(text, (size_t)length + 1, format, again);
	}
	va_end(again);
	return text;
}

void sm_arena_finish(struct sm_arena *arena)
{
	while (arena->pages) {
		struct sm_arena_page *older = arena->pages->older;
		sm_mem_free(arena->pages);
		arena->pages = older;
	}
}
