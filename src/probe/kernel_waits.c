#include "probe/kernel_waits.h"

#include <string.h>

/* Parts of kernel function names; the first that fits counts. They vary a little from one kernel to the next. */
static const struct {
	const char *part;
	enum sm_kernel_wait wait;
} symbols[] = {
	{"futex", SM_KERNEL_WAIT_LOCK},
	{"locks_lock", SM_KERNEL_WAIT_LOCK},
	{"flock", SM_KERNEL_WAIT_LOCK},
	{"nanosleep", SM_KERNEL_WAIT_SLEEP},
	{"pipe_read", SM_KERNEL_WAIT_IDLE},
	{"poll_schedule", SM_KERNEL_WAIT_POLL},
	{"do_sys_poll", SM_KERNEL_WAIT_POLL},
	{"do_poll", SM_KERNEL_WAIT_POLL},
	{"ep_poll", SM_KERNEL_WAIT_SOCKET},
	{"do_select", SM_KERNEL_WAIT_POLL},
	{"sk_wait", SM_KERNEL_WAIT_SOCKET},
	{"unix_stream", SM_KERNEL_WAIT_SOCKET},
	{"skb_wait", SM_KERNEL_WAIT_SOCKET},
	{"skb_recv", SM_KERNEL_WAIT_SOCKET},
	{"csk_accept", SM_KERNEL_WAIT_SOCKET},
	{"tcp_", SM_KERNEL_WAIT_SOCKET},
	{"folio", SM_KERNEL_WAIT_FILE},
	{"wait_on_page", SM_KERNEL_WAIT_FILE},
	{"page_bit", SM_KERNEL_WAIT_FILE},
	{"io_schedule", SM_KERNEL_WAIT_FILE},
	{"submit_bio", SM_KERNEL_WAIT_FILE},
	{"blk_", SM_KERNEL_WAIT_FILE},
	{"wait_on_buffer", SM_KERNEL_WAIT_FILE},
	{"wait_on_bit", SM_KERNEL_WAIT_FILE},
	{"jbd2", SM_KERNEL_WAIT_FILE},
	{"nfs", SM_KERNEL_WAIT_FILE},
	{"rpc_wait", SM_KERNEL_WAIT_FILE},
	{"fuse", SM_KERNEL_WAIT_FILE},
	{"request_wait", SM_KERNEL_WAIT_FILE},
	{"ceph", SM_KERNEL_WAIT_FILE},
	{"cl_sync", SM_KERNEL_WAIT_FILE},
	{"dirty_pages", SM_KERNEL_WAIT_FILE},
};

enum sm_kernel_wait sm_kernel_waits_find(const char *function, size_t length)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (memmem(function, length, symbols[i].part, strlen(symbols[i].part))) {
			return symbols[i].wait;
		}
	}
	return SM_KERNEL_WAIT_UNKNOWN;
}
