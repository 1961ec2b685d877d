/* Another process's memory, read without stopping it. Tests put a picture of one in its place. */
#ifndef SM_COLLECT_STACKS_MEMORY_H
#define SM_COLLECT_STACKS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SM_STACKS_PARTS_MAX = 512 }; /* of one read; the kernel takes 1024 */

struct sm_stacks_part {
	uint64_t address; /* there */
	void *to;	  /* here; borrowed */
	size_t bytes;
};

struct sm_stacks_memory {
	void *context;
	/* All parts, in their order, or -errno: -EPERM when it is forbidden, -ESRCH when there is no such process. */
	int (*read)(void *context, const struct sm_stacks_part *parts, int count);
};

/* By process_vm_readv(2): one system call. */
struct sm_stacks_memory sm_stacks_memory_of(pid_t pid);
int sm_stacks_memory_read(
	const struct sm_stacks_memory *memory, uint64_t address, void *to, size_t bytes);
/* A pointer of that process; 8 bytes on every machine this is built for. */
int sm_stacks_memory_read_pointer(
	const struct sm_stacks_memory *memory, uint64_t address, uint64_t *ret_pointer);

#endif
