/* The one door to the heap. In tests the N-th request can be made to fail (sm_mem_fail_at), so that
 * every path out of memory is walked at least once. */
#ifndef SM_BASE_MEM_H
#define SM_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *sm_mem_alloc(size_t bytes);		 /* uninitialised; NULL when there is none */
void *sm_mem_calloc(size_t count, size_t bytes); /* zeroed */
void *sm_mem_realloc(void *memory, size_t bytes);
void sm_mem_free(void *memory);
char *sm_mem_strdup(const char *text);

/* Grows an array to hold at least `want` elements, doubling. *items and *capacity change on success only.
 * Returns 0 or -ENOMEM. */
int sm_mem_grow(void *items_pointer, size_t *capacity, size_t want, size_t element_bytes);

/* Zeroed pages straight from the kernel, touched only when used. For the recorder, which may run in the child of a
 * fork whose other threads held the heap's lock. NULL when there are none. */
void *sm_mem_map(size_t bytes);
void sm_mem_unmap(void *pages, size_t bytes);

/* Tests only: fail the n-th allocation from now (1 is the next); 0 switches it off. */
void sm_mem_fail_at(int64_t n);
int64_t sm_mem_count(void); /* allocations since start */

#endif
