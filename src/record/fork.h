/* What a fork must not copy: the lock, the file, the threads. It lies in one mapping that the kernel hands to a child
 * zeroed (MADV_WIPEONFORK), also after a raw clone that runs no handler and with other threads in the middle of
 * anything: the lock is open, no thread has a slot, and the first event finds `open` 0 and makes the child's own file.
 * A child that records nothing makes none. */
#ifndef SM_RECORD_FORK_H
#define SM_RECORD_FORK_H

#include "ring/ring_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct sm_thread;

struct sm_fork_state {
	pthread_mutex_t lock;
	bool open;		/* this process has its file */
	uint64_t retry_time;	/* atomic: when to try again to make the file; 0: at once */
	uint64_t lost;		/* atomic: events lost while there was no file */
	uint64_t *lost_in_file; /* atomic: the header's count, once there is a file */
	struct sm_ring_writer writer;
	struct sm_thread *idle; /* structs of threads that ended, some with half a slot */
	uint32_t
		thread_first; /* in a child: below are those that its parent's threads may still point to */
	uint32_t thread_count;
};
extern struct sm_fork_state *sm_fork_state; /* NULL before the first session */

/* Makes the wiped memory, once in a line of forks. 0 or -errno. */
int sm_fork_prepare(void);
struct sm_thread *sm_fork_thread(uint32_t index);
uint32_t sm_fork_thread_max(void);

/* The lock. Signals and cancellation wait while it is held, so a handler that records never meets its own thread in
 * here; errno stays as it was. */
struct sm_fork_guard {
	sigset_t signals;
	int cancel_state;
	int error;
};
void sm_fork_lock(struct sm_fork_guard *guard);
void sm_fork_unlock(const struct sm_fork_guard *guard);

static inline uint64_t sm_fork_retry_time(void)
{
	return __atomic_load_n(&sm_fork_state->retry_time, __ATOMIC_RELAXED);
}

/* Under the lock: sees to it that this process has its file, in a new child with all names in it. 0 or -errno. */
int sm_fork_open_file(void);
void sm_fork_close_file(void);
/* Counts events that could not be kept, for the whole process. No lock needed. */
void sm_fork_count_lost(uint64_t events);
uint64_t sm_fork_lost(void);
/* Under the lock, without a file: what is counted now is of no session. */
void sm_fork_forget_lost(void);

#endif
