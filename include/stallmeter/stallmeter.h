/* stallmeter: record what a program does with its time, from C and C++.
 *
 *     #include <stallmeter/stallmeter.h>
 *
 *     static uint32_t decode;
 *     if (sm_session_start(NULL)) ...                  // joins `stallmeter run`, or records to a directory
 *     decode = sm_name_register(SM_SPAN, "decode");
 *     sm_span_begin(decode);
 *     ...
 *     sm_span_end();
 *     sm_session_stop();
 *
 * Recording functions may be called from any thread, never block, never allocate once a thread has made its first
 * event, never fail and never change the program's fate: without a session they do nothing, and what could not be
 * kept is counted. A forked child records into a file of its own. Times are CLOCK_MONOTONIC.
 *
 * Functions that can fail return 0 or a negative errno. */
#ifndef STALLMETER_STALLMETER_H
#define STALLMETER_STALLMETER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SM_API __attribute__((visibility("default")))
#else
#define SM_API
#endif

#define SM_VERSION "0.1.0"

struct sm_session_options {
	/* where the mapping is made; NULL: the environment's STALLMETER_LIVE, as `stallmeter run` sets it */
	const char *directory;
	uint64_t limit_bytes; /* of this process's mapping; 0: 64 MiB */
	int rank;	      /* of a distributed job; -1: the environment's RANK, or none */
	const char *program;  /* for people; NULL: read from /proc/self/cmdline */
	int cause_threshold_us; /* spans whose running median is longer carry their cause; 0: 50, negative: none do */
};

/* Opens the mapping of this process. -EALREADY where a session is open, -ENOENT where no directory is known,
 * -EINVAL for bad options, else what the file system said. */
SM_API int sm_session_start(const struct sm_session_options *options);
/* Seals what is open and marks the mapping closed. Other threads may still call: they do nothing from here. */
SM_API void sm_session_stop(void);
SM_API int sm_session_is_open(void);
/* Events that could not be kept since the session began, exact, all threads. */
SM_API uint64_t sm_session_lost(void);
/* Path of the mapping of this process, "" without a session. */
SM_API const char *sm_session_path(void);

enum sm_name_of { SM_SPAN = 0, SM_MARK = 1, SM_COUNTER = 2, SM_TEXT = 3, SM_FACT = 4 };

/* The id of a name, the same for the same kind, role and text in all threads and in forked children. 0 when there is no
 * session or no room; recording with 0 does nothing. */
SM_API uint32_t sm_name_register(enum sm_name_of kind, const char *text);
/* The same with a role, for adapters (numbers of base/vocabulary.h, listed in docs/format.md). */
SM_API uint32_t sm_name_register_role(
	enum sm_name_of kind, int role, const char *text, uint32_t length);

/* A span on the calling thread. Ends close the innermost open one. A span whose running median is above the session's
 * threshold carries its cause (CPU, run delay, blocked, faults, block input); the others cost the clock alone. */
SM_API void sm_span_begin(uint32_t name);
SM_API void sm_span_end(void);
/* A span that always carries its cause (as long as no more than 24 of its kind are nested). Ends with sm_span_end. */
SM_API void sm_span_begin_cause(uint32_t name);
/* A number for the innermost open span of this thread (keys of base/vocabulary.h). */
SM_API void sm_span_arg(int key, int64_t value);

SM_API void sm_mark(uint32_t name);
/* A mark with up to eight numbers. */
SM_API void sm_mark_args(uint32_t name, int count, const int *keys, const int64_t *values);
SM_API void sm_counter(uint32_t name, double value);
/* A name for the calling thread's track. */
SM_API void sm_thread_name(const char *text);

#ifdef __cplusplus
}
#endif
#endif
