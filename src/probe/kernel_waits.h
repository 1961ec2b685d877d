/* What a sleeping thread waits for, by the kernel function it sleeps in (wchan). */
#ifndef SM_PROBE_KERNEL_WAITS_H
#define SM_PROBE_KERNEL_WAITS_H

#include <stddef.h>

enum sm_kernel_wait {
	SM_KERNEL_WAIT_LOCK,
	SM_KERNEL_WAIT_SLEEP,
	SM_KERNEL_WAIT_SOCKET,
	SM_KERNEL_WAIT_FILE,
	SM_KERNEL_WAIT_IDLE, /* a pipe */
	SM_KERNEL_WAIT_POLL, /* of what is not known */
	SM_KERNEL_WAIT_UNKNOWN,
};

enum sm_kernel_wait sm_kernel_waits_find(const char *function, size_t length);

#endif
