#include "record/fork.h"

#include "base/mem.h"
#include "record/cause.h"
#include "record/identity.h"
#include "record/name.h"
#include "record/permit.h"
#include "record/session.h"
#include "record/thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum {
	THREAD_MAX = 4096,
	PAGE = 4096,
	RETRY_TIME = 1 << 30, /* between two attempts to make the file, about half a second */
};

struct sm_fork_state *sm_fork_state;

/* --- the wiped memory --- */

static size_t state_bytes(void)
{
	return (sizeof(struct sm_fork_state) + PAGE - 1) / PAGE * PAGE;
}

static size_t wiped_bytes(void)
{
	return state_bytes() + THREAD_MAX * sizeof(struct sm_thread);
}

static void wipe(void)
{
	memset(sm_fork_thread(0), 0, sm_thread_used * sizeof(struct sm_thread));
	memset(sm_fork_state, 0, state_bytes());
}

int sm_fork_prepare(void)
{
	if (sm_fork_state) {
		return 0;
	}
	void *pages = sm_mem_map(wiped_bytes());
	if (!pages) {
		return -ENOMEM;
	}
	sm_fork_state = pages;
	if (madvise(pages, wiped_bytes(), MADV_WIPEONFORK)) {
		/* before Linux 4.14: at least for forks of the C library */
		return -pthread_atfork(NULL, NULL, wipe);
	}
	return 0;
}

struct sm_thread *sm_fork_thread(uint32_t index)
{
	return (struct sm_thread *)(void *)((char *)sm_fork_state + state_bytes()) + index;
}

uint32_t sm_fork_thread_max(void)
{
	return THREAD_MAX;
}

/* --- the lock --- */

void sm_fork_lock(struct sm_fork_guard *guard)
{
	sigset_t all;
	guard->error = errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &guard->signals);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard->cancel_state);
	pthread_mutex_lock(&sm_fork_state->lock);
}

void sm_fork_unlock(const struct sm_fork_guard *guard)
{
	pthread_mutex_unlock(&sm_fork_state->lock);
	pthread_setcancelstate(guard->cancel_state, NULL);
	pthread_sigmask(SIG_SETMASK, &guard->signals, NULL);
	errno = guard->error;
}

/* --- the file of this process --- */

/* In a child only the forking thread may still hold a pointer into the wiped memory, and its id is the process's. When
 * it is the first to come, all places are free; otherwise those that the parent had used are left alone. */
static void choose_first_thread(void)
{
	uint32_t *used = &sm_thread_used;
	if (syscall(SYS_gettid) == getpid()) {
		*used = 0;
	}
	sm_fork_state->thread_first = *used;
}

static int make_file(void)
{
	struct sm_ring_header who;
	sm_identity_fill(&who);
	memcpy(who.boot_id, sm_session_here.boot_id, sizeof(who.boot_id));
	memcpy(who.program, sm_session_here.program, sizeof(who.program));
	memcpy(who.parent, sm_session_here.unique, sizeof(who.parent));
	who.limit_bytes = sm_session_here.limit_bytes;
	who.rank = sm_session_here.rank;
	struct sm_ring_writer *writer = &sm_fork_state->writer;
	int error = sm_ring_writer_create(
		writer, sm_session_here.directory, &who, &sm_session_here.clock);
	if (error) {
		return error;
	}
	error = sm_name_write_all(writer);
	if (error) {
		sm_ring_writer_remove(writer);
		return error;
	}
	memcpy(sm_session_here.unique, who.unique, sizeof(who.unique));
	sm_permit_collector(sm_session_here.directory, "");
	return 0;
}

int sm_fork_open_file(void)
{
	struct sm_fork_state *state = sm_fork_state;
	if (!state->open) {
		uint64_t now = sm_ring_clock_units(&sm_session_here.clock);
		uint64_t next = sm_fork_retry_time();
		if (next && (int64_t)(now - next) < 0) {
			return -EAGAIN;
		}
		if (!state->thread_count) {
			choose_first_thread();
			sm_cause_close_inherited();
		}
		int error = make_file();
		next = error ? (now + RETRY_TIME) | 1 : 0;
		__atomic_store_n(&state->retry_time, next, __ATOMIC_RELAXED);
		if (error) {
			return error;
		}
		state->open = true;
		__atomic_store_n(&state->lost_in_file,
			&sm_ring_writer_header(&state->writer)->w_lost_events, __ATOMIC_RELEASE);
	}
	uint64_t early = __atomic_exchange_n(&state->lost, 0, __ATOMIC_RELAXED);
	if (early) {
		__atomic_fetch_add(state->lost_in_file, early, __ATOMIC_RELAXED);
	}
	return 0;
}

void sm_fork_close_file(void)
{
	struct sm_fork_state *state = sm_fork_state;
	if (state->open) {
		sm_fork_open_file(); /* for the last of the early losses */
		__atomic_store_n(&state->lost_in_file, NULL, __ATOMIC_RELEASE);
		sm_ring_writer_close(&state->writer);
	}
	sm_fork_forget_lost();
	state->open = false;
}

void sm_fork_forget_lost(void)
{
	__atomic_store_n(&sm_fork_state->lost, 0, __ATOMIC_RELAXED);
}

void sm_fork_count_lost(uint64_t events)
{
	uint64_t *in_file = __atomic_load_n(&sm_fork_state->lost_in_file, __ATOMIC_ACQUIRE);
	__atomic_fetch_add(in_file ? in_file : &sm_fork_state->lost, events, __ATOMIC_RELAXED);
}

uint64_t sm_fork_lost(void)
{
	if (!sm_fork_state) {
		return 0;
	}
	uint64_t *in_file = __atomic_load_n(&sm_fork_state->lost_in_file, __ATOMIC_ACQUIRE);
	uint64_t early = __atomic_load_n(&sm_fork_state->lost, __ATOMIC_RELAXED);
	return early + (in_file ? __atomic_load_n(in_file, __ATOMIC_RELAXED) : 0);
}
