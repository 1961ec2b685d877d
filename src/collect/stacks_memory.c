#include "collect/stacks_memory.h"

#include <errno.h>
#include <sys/uio.h>

_Static_assert(sizeof(void *) == 8, "pointers of the job are read as 8 bytes");

static int read_process(void *context, const struct sm_stacks_part *parts, int count)
{
	struct iovec here[SM_STACKS_PARTS_MAX], there[SM_STACKS_PARTS_MAX];
	size_t want = 0;
	if (count > SM_STACKS_PARTS_MAX) {
		return -EINVAL;
	}
	for (int i = 0; i < count; i++) {
		here[i] = (struct iovec){parts[i].to, parts[i].bytes};
		there[i] = (struct iovec){(void *)(uintptr_t)parts[i].address, parts[i].bytes};
		want += parts[i].bytes;
	}
	ssize_t got = process_vm_readv((pid_t)(intptr_t)context, here, (unsigned long)count, there,
		(unsigned long)count, 0);
	return got < 0 ? -errno : (size_t)got == want ? 0 : -EFAULT;
}

struct sm_stacks_memory sm_stacks_memory_of(pid_t pid)
{
	return (struct sm_stacks_memory){.context = (void *)(intptr_t)pid, .read = read_process};
}

int sm_stacks_memory_read(
	const struct sm_stacks_memory *memory, uint64_t address, void *to, size_t bytes)
{
	const struct sm_stacks_part part = {address, to, bytes};
	return memory->read(memory->context, &part, 1);
}

int sm_stacks_memory_read_pointer(
	const struct sm_stacks_memory *memory, uint64_t address, uint64_t *ret_pointer)
{
	return sm_stacks_memory_read(memory, address, ret_pointer, sizeof(*ret_pointer));
}
