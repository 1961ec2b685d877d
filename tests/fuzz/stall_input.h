/* `.stall` files as fuzz input: a file in memory that a reader can open by a path, and a mutator that gets past checksums. */
#ifndef TESTS_FUZZ_STALL_INPUT_H
#define TESTS_FUZZ_STALL_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct stall_input {
	int fd;
	char path[32];
};

void stall_input_open(struct stall_input *input, const uint8_t *data, size_t size);
void stall_input_close(struct stall_input *input);

/* Makes the checksums of every block true again, as far as blocks can be followed: else mutation would only ever show
 * that checksums work. */
void stall_input_seal(uint8_t *data, size_t size);

#endif
