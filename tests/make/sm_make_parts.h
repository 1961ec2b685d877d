/* What the three files of sm_make share. */
#ifndef TESTS_MAKE_SM_MAKE_PARTS_H
#define TESTS_MAKE_SM_MAKE_PARTS_H

#include "make/sm_make.h"
#include "trace/trace_writer.h"

enum { SM_MAKE_THREADS_MAX = 16384 };

struct sm_make_thread {
	struct sm_make_process *process; /* borrowed */
	struct sm_ring_segment segment;	 /* sequence 0: none begun */
	unsigned char *words;		 /* owned */
	size_t used;
	uint64_t units; /* of the last word */
	uint32_t tid, slot;
	uint64_t lost;
};

/* Where full segments and new names go. */
struct sm_make_store {
	void (*begin)(struct sm_make_thread *thread); /* a segment begins */
	void (*segment)(struct sm_make_thread *thread, enum sm_ring_segment_state state);
	void (*name)(
		struct sm_make_process *process, const struct sm_ring_name *name, const char *text);
	void (*finish)(struct sm_make_process *process);
};

struct sm_make_process {
	struct sm_ring_header header;
	const struct sm_make_store *store;
	struct sm_make_thread **threads; /* owned */
	size_t thread_count;
	struct sm_make_known {
		struct sm_ring_name name;
		char *text; /* owned */
	} * names;	    /* owned; id is the place + 1 */
	size_t name_count;
	double ns_per_tick;
	int64_t real_minus_mono_ns;
	/* in a ring */
	int fd;
	uint32_t names_slot, names_used;
	/* in a run */
	struct sm_trace_writer *writer; /* borrowed from the run */
	uint32_t ordinal;
	unsigned char *new_names; /* owned */
	size_t new_names_bytes;
	uint64_t new_names_count;
};

_Noreturn void sm_make_die(const char *what, int code);
void sm_make_must(int code, const char *what);
void *sm_make_alloc(size_t bytes);
struct sm_trace_writer *sm_make_run_writer(struct sm_make_run *run); /* of rank 0's file */

struct sm_make_process *sm_make_process_new(
	const struct sm_make_options *options, const struct sm_make_store *store);
void sm_make_process_free(struct sm_make_process *process);
void sm_make_seal(struct sm_make_thread *thread); /* a segment with words goes to the store */

#endif
