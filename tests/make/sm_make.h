/* Makes rings and traces with a false clock, for tests: every time is an argument, so the same
 * program writes the same bytes on every machine. A failure ends the program with a message; there
 * is nothing to check and nothing to free but by the two `finish` functions.
 *
 *     struct sm_make_run *run = sm_make_run_create("/tmp/x");              // /tmp/x/rank0.stall
 *     struct sm_make_process *main = sm_make_process_add(run, &(struct sm_make_options){.pid =
 * 100}); struct sm_make_thread *t = sm_make_thread_add(main, 100); sm_make_begin(t, 1000,
 * SM_ROLE_NEXT, "next"); sm_make_arg(t, SM_KEY_LOADER, 0); sm_make_end(t, 5000);
 *     sm_make_run_finish(run);
 */
#ifndef TESTS_MAKE_SM_MAKE_H
#define TESTS_MAKE_SM_MAKE_H

#include "base/metric.h"
#include "base/vocabulary.h"
#include "ring/ring_layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_make_run;	/* a run directory with one file per rank */
struct sm_make_process; /* one observed process: in a run, or as a ring of its own */
struct sm_make_thread;

struct sm_make_options { /* all may be left out */
	int32_t pid;	 /* 0: 1000 */
	int32_t ppid;
	int32_t rank;	     /* 0; -1: not distributed. Says which file of the run */
	int64_t opened_ns;   /* 0: 1 */
	const char *program; /* "python train.py" */
	const char *unique;  /* "" : made from the pid */
	const char *parent;
	const char *boot_id;
	uint32_t segment_bytes; /* 0: SM_RING_SEGMENT_BYTES */
	uint32_t tick_shift;
	double ns_per_tick; /* 0: the clock is CLOCK_MONOTONIC; else a false time stamp counter of
			       this pace */
	int64_t real_minus_mono_ns; /* 0: 1767225600000000000, so time 0 is 2026-01-01 */
};

/* --- a run --- */
struct sm_make_run *sm_make_run_create(
	const char *directory); /* made if missing; no file of it may exist */
void sm_make_run_fact(struct sm_make_run *run, const char *key,
	const char *value); /* a RUN line of rank 0's file */
void sm_make_run_note(struct sm_make_run *run, const char *what, const char *why);
void sm_make_alert(struct sm_make_run *run, int64_t time_ns, const char *kind, bool begins,
	double value, double threshold);
void sm_make_sample(struct sm_make_run *run, int64_t time_ns, enum sm_metric metric,
	int64_t instance, double value);
struct sm_make_process *sm_make_process_add(
	struct sm_make_run *run, const struct sm_make_options *options);
void sm_make_process_ended(
	struct sm_make_process *process, int64_t ended_ns, int exit_status, bool complete);
void sm_make_run_pack(struct sm_make_run *run); /* `finish` packs the files, as a collector does */
void sm_make_run_finish(
	struct sm_make_run *run); /* closes the files in order and frees everything */

/* --- a ring --- */
struct sm_make_process *sm_make_ring_create(
	const char *path, const struct sm_make_options *options);
/* Puts what the threads have so far into the file, in OPEN slots; full segments are there already,
 * SEALED. */
void sm_make_ring_sync(struct sm_make_process *ring);
void sm_make_ring_seal(struct sm_make_thread *thread); /* as when a thread ends in order */
/* `closed`: the process ended in order; else it was killed. Frees everything. */
void sm_make_ring_finish(struct sm_make_process *ring, bool closed);

/* --- events, of either --- */
struct sm_make_thread *sm_make_thread_add(struct sm_make_process *process, uint32_t tid);
uint32_t sm_make_name(struct sm_make_process *process, enum sm_name_kind kind, enum sm_role role,
	const char *text);
uint32_t sm_make_name_bytes(struct sm_make_process *process, enum sm_name_kind kind,
	enum sm_role role, const char *text, size_t length);
/* "kind\nkey=value\n..." */
void sm_make_fact(struct sm_make_process *process, const char *lines);

/* Id of a text, for arguments that name one. */
uint32_t sm_make_text(struct sm_make_thread *thread, const char *text);

void sm_make_begin(
	struct sm_make_thread *thread, int64_t time_ns, enum sm_role role, const char *name);
void sm_make_begin_id(struct sm_make_thread *thread, int64_t time_ns, uint32_t name);
void sm_make_end(struct sm_make_thread *thread, int64_t time_ns);
/* End of a span that carries its cause. */
void sm_make_end_cause(
	struct sm_make_thread *thread, int64_t time_ns, const struct sm_ring_cause *cause);
void sm_make_arg(struct sm_make_thread *thread, enum sm_key key,
	int64_t value); /* of the innermost span, or of the mark just made */
void sm_make_mark(
	struct sm_make_thread *thread, int64_t time_ns, enum sm_role role, const char *name);
void sm_make_counter(
	struct sm_make_thread *thread, int64_t time_ns, const char *name, double value);
void sm_make_lost(struct sm_make_thread *thread, int64_t time_ns, uint64_t events);
/* What follows is of another thread, in the same slot. `name` may be NULL. */
void sm_make_adopt(struct sm_make_thread *thread, int64_t time_ns, uint32_t tid, const char *name);
void sm_make_sync(struct sm_make_thread *thread, int64_t time_ns);
void sm_make_payload(struct sm_make_thread *thread, int64_t time_ns, uint32_t type,
	const uint64_t *words, uint32_t count);

#endif
