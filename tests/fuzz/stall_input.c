#include "fuzz/stall_input.h"

#include "trace/trace_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

void stall_input_open(struct stall_input *input, const uint8_t *data, size_t size)
{
	input->fd = memfd_create("stall", MFD_CLOEXEC);
	if (input->fd < 0 || write(input->fd, data, size) != (ssize_t)size) {
		abort();
	}
	snprintf(input->path, sizeof(input->path), "/proc/self/fd/%d", input->fd);
}

void stall_input_close(struct stall_input *input)
{
	close(input->fd);
}

void stall_input_seal(uint8_t *data, size_t size)
{
	size_t at = sizeof(struct sm_trace_file_header);
	while (at + sizeof(struct sm_trace_block) <= size) {
		struct sm_trace_block block;
		memcpy(&block, data + at, sizeof(block));
		size_t room = size - at - sizeof(block);
		if (block.magic != SM_TRACE_BLOCK_MAGIC || block.stored_bytes > room) {
			return;
		}
		struct sm_trace_part body = {data + at + sizeof(block), block.stored_bytes};
		sm_trace_block_seal(&block, &body, 1);
		memcpy(data + at, &block, sizeof(block));
		at += sizeof(block) + (size_t)sm_trace_block_padded(block.stored_bytes);
	}
}

/* One input in eight keeps its wrong checksums: that path is to be walked as well. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8) {
		stall_input_seal(data, size);
	}
	return size;
}
