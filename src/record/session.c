#include "record/session.h"

#include "record/environment.h"
#include "record/fork.h"
#include "record/identity.h"
#include "record/name.h"
#include "record/thread.h"

#include <stallmeter/stallmeter.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIMIT_BYTES_DEFAULT = 64 * 1024 * 1024,
	LONG_SPAN_US_DEFAULT = 50,
};

struct sm_session sm_session_here;
static uint64_t lost_at_stop; /* of the session before */

uint64_t sm_session_long_span(void)
{
	const struct sm_session *session = &sm_session_here;
	const uint64_t most = (uint64_t)1 << 63;
	double units = (double)session->long_span_us * 1000 * session->clock.ticks_per_ns /
		       (double)(1u << session->clock.tick_shift);
	if (session->long_span_us < 0 || units >= (double)(most >> SM_INLINE_TIME_SHIFT)) {
		return most;
	}
	return (uint64_t)units << SM_INLINE_TIME_SHIFT;
}

static int check(const struct sm_session_options *options)
{
	bool fine = (!options->limit_bytes || options->limit_bytes >= SM_RING_WRITER_LIMIT_MIN) &&
		    options->rank >= -1;
	return fine ? 0 : -EINVAL;
}

/* The path is kept whole: the program may change its directory. */
static int choose_directory(struct sm_session *session, const char *directory)
{
	directory = directory ? directory : sm_environment_live_directory();
	if (!directory) {
		return -ENOENT;
	}
	return realpath(directory, session->directory) ? 0 : -errno;
}

static int prepare(struct sm_session *session, const struct sm_session_options *options)
{
	int error = choose_directory(session, options->directory);
	if (error) {
		return error;
	}
	session->limit_bytes = options->limit_bytes ? options->limit_bytes : LIMIT_BYTES_DEFAULT;
	session->rank = options->rank >= 0 ? options->rank : sm_environment_rank();
	session->long_span_us =
		options->cause_threshold_us ? options->cause_threshold_us : LONG_SPAN_US_DEFAULT;
	sm_identity_read_boot_id(session->boot_id);
	if (options->program) {
		snprintf(session->program, sizeof(session->program), "%s", options->program);
	} else {
		sm_identity_read_program(session->program, sizeof(session->program));
	}
	sm_ring_clock_choose(&session->clock, NULL);
	return 0;
}

static int start(const struct sm_session_options *options)
{
	if (sm_session_is_on()) {
		return -EALREADY;
	}
	struct sm_session *session = &sm_session_here;
	int error = prepare(session, options);
	if (error) {
		return error;
	}
	session->unique[0] = '\0';
	sm_name_reset_weights();
	sm_thread_stop_all(); /* a thread that was held up in the middle of an event when the last session stopped */
	sm_fork_forget_lost(); /* of one that was held up before it counted */
	sm_fork_state->retry_time = 0;
	error = sm_fork_open_file();
	if (error) {
		return error;
	}
	__atomic_store_n(&lost_at_stop, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&session->on, 1, __ATOMIC_RELEASE);
	return 0;
}

int sm_session_start(const struct sm_session_options *options)
{
	const struct sm_session_options defaults = {.rank = -1};
	options = options ? options : &defaults;
	int error = check(options);
	error = error ? error : sm_fork_prepare();
	if (error) {
		return error;
	}
	struct sm_fork_guard guard;
	sm_fork_lock(&guard);
	error = start(options);
	sm_fork_unlock(&guard);
	return error;
}

void sm_session_stop(void)
{
	if (!sm_session_is_on()) {
		return;
	}
	struct sm_fork_guard guard;
	sm_fork_lock(&guard);
	if (sm_session_is_on()) {
		__atomic_store_n(&sm_session_here.on, 0, __ATOMIC_RELEASE);
		sm_thread_stop_all();
		if (sm_thread_self()->live) {
			sm_cause_close(
				&sm_thread_self()->source); /* the others' close when they end */
		}
		__atomic_store_n(&lost_at_stop, sm_fork_lost(), __ATOMIC_RELAXED);
		sm_fork_close_file();
	}
	sm_fork_unlock(&guard);
}

int sm_session_is_open(void)
{
	return sm_session_is_on();
}

uint64_t sm_session_lost(void)
{
	return sm_session_is_on() ? sm_fork_lost()
				  : __atomic_load_n(&lost_at_stop, __ATOMIC_RELAXED);
}

const char *sm_session_path(void)
{
	return sm_session_is_on() ? sm_fork_state->writer.path : "";
}
