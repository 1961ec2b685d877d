/* A picture of a Python interpreter's memory: one thread, its frames, its code objects, laid out as version 3.`minor` lays
 * them out. For tests of what reads stacks from outside. */
#ifndef TESTS_MAKE_FAKE_PYTHON_H
#define TESTS_MAKE_FAKE_PYTHON_H

#include "collect/stacks_layout.h"
#include "collect/stacks_memory.h"

#include <stddef.h>
#include <stdint.h>

#define FAKE_PYTHON_BASE 0x100000ULL
enum { FAKE_PYTHON_BYTES = 64 * 1024, FAKE_PYTHON_CHUNK = 8192 };

struct fake_python {
	struct sm_stacks_layout layout;
	uint64_t runtime, version, interpreter, thread, gil, chunk, top, cframe, type;
	uint64_t innermost; /* frame */
	size_t used;
	int reads; /* how often it was read */
	/* Called before each part of a read: a job that goes on. */
	void (*meanwhile)(struct fake_python *fake);
	unsigned char memory[FAKE_PYTHON_BYTES];
};

void fake_python_init(struct fake_python *fake, int minor);
struct sm_stacks_memory fake_python_memory(struct fake_python *fake);

/* Addresses in the picture. */
uint64_t fake_python_put(struct fake_python *fake, const void *bytes, size_t count);
uint64_t fake_python_text(struct fake_python *fake, const char *text);
uint64_t fake_python_code(struct fake_python *fake, const char *file, const char *name,
	uint32_t first_line, const void *lines, size_t line_bytes, const void *instructions,
	size_t instruction_bytes);
/* A frame of that code at its n-th instruction becomes the innermost; pop takes the innermost away. */
uint64_t fake_python_push(struct fake_python *fake, uint64_t code, uint32_t instruction);
void fake_python_pop(struct fake_python *fake);
void fake_python_set(struct fake_python *fake, uint64_t address, uint64_t word);
uint64_t fake_python_get(const struct fake_python *fake, uint64_t address);
/* Where the n-th instruction of a code object lies; of 3.10 its number. */
uint64_t fake_python_instruction(const struct fake_python *fake, uint64_t code, uint32_t n);

#endif
