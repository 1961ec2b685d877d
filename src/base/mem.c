#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int64_t fail_in; /* 0: never */
static int64_t requests;

static int refuses(void)
{
	int64_t before = __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
	(void)before;
	if (!__atomic_load_n(&fail_in, __ATOMIC_RELAXED)) {
		return 0;
	}
	return __atomic_sub_fetch(&fail_in, 1, __ATOMIC_RELAXED) == 0;
}

void sm_mem_fail_at(int64_t n)
{
	__atomic_store_n(&fail_in, n, __ATOMIC_RELAXED);
}

int64_t sm_mem_count(void)
{
	return __atomic_load_n(&requests, __ATOMIC_RELAXED);
}

void *sm_mem_alloc(size_t bytes)
{
	return refuses() ? NULL : malloc(bytes ? bytes : 1);
}

void *sm_mem_calloc(size_t count, size_t bytes)
{
	return refuses() ? NULL : calloc(count ? count : 1, bytes ? bytes : 1);
}

void *sm_mem_realloc(void *memory, size_t bytes)
{
	return refuses() ? NULL : realloc(memory, bytes ? bytes : 1);
}

void sm_mem_free(void *memory)
{
	free(memory);
}

char *sm_mem_strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = sm_mem_alloc(bytes);
	return copy ? memcpy(copy, text, bytes) : NULL;
}

void *sm_mem_map(size_t bytes)
{
	if (refuses()) {
		return NULL;
	}
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

void sm_mem_unmap(void *pages, size_t bytes)
{
	if (pages) {
		munmap(pages, bytes);
	}
}

int sm_mem_grow(void *items_pointer, size_t *capacity, size_t want, size_t element_bytes)
{
	if (want <= *capacity) {
		return 0;
	}
	size_t next = *capacity ? *capacity * 2 : 16;
	if (next < want) {
		next = want;
	}
	if (next > SIZE_MAX / element_bytes) {
		return -ENOMEM;
	}
	void *old = NULL;
	memcpy(&old, items_pointer, sizeof(old));
	void *grown = sm_mem_realloc(old, next * element_bytes);
	if (!grown) {
		return -ENOMEM;
	}
	memcpy(items_pointer, &grown, sizeof(grown));
	*capacity = next;
	return 0;
}
