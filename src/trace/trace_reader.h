/* Reads a run, or one `.stall` file, in one pass and in bounded memory, and hands it to a visitor.
 *
 * A run directory that was cut short still has its mappings under `live/`; they are read as if the collector had
 * drained them (trace/salvage.c), and the run is marked incomplete.
 *
 * Order: run and host facts first, then per file blocks as they lie. Of one thread, events come in time order; between
 * threads no order is promised, so join by keys, not by arrival. A process and a name are shown before the first
 * event that uses them. */
#ifndef SM_TRACE_TRACE_READER_H
#define SM_TRACE_TRACE_READER_H

#include "base/err.h"
#include "base/vocabulary.h"
#include "trace/trace_alert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_trace_process {
	uint32_t ordinal; /* in the whole run, over all files */
	int32_t pid, ppid;
	int32_t rank;		      /* -1: none */
	int64_t started_ns, ended_ns; /* -1: not known */
	bool complete;		      /* its mapping was closed in order */
	const char *program;
};

struct sm_trace_name {
	uint32_t id; /* of that process */
	enum sm_name_kind kind;
	enum sm_role role;
	const char *text; /* NUL-terminated; may hold a second string behind the first NUL */
	uint32_t length;
};

enum sm_trace_event_kind { /* as enum sm_ring_word_kind */
	SM_TRACE_BEGIN = 0,
	SM_TRACE_END = 1,
	SM_TRACE_MARK = 2,
	SM_TRACE_PAYLOAD = 3,
};

/* What a PAYLOAD event is: its `name`. The numbers are those of enum sm_ring_payload. */
enum sm_trace_payload {
	SM_TRACE_CAUSE = 1,   /* struct sm_trace_cause: of the innermost open span of the thread */
	SM_TRACE_COUNTER = 2, /* two words: name id, bits of a double */
	SM_TRACE_THREAD =
		3, /* one word: tid | id of its name << 32; the first event of its thread in this batch */
	SM_TRACE_LOST =
		5, /* one word: events this thread lost just before; the first event of a `broken` batch. `loss` is told as well */
	SM_TRACE_ARG =
		64, /* + enum sm_key; one word, an int64_t; of a mark directly before it, else of the innermost span */
};

/* Words of a CAUSE, as struct sm_ring_cause lays them down: wall = cpu + run delay + blocked over the span it belongs
 * to, and the thread's own totals at its end. */
struct sm_trace_cause {
	uint64_t cpu_ns, run_delay_ns;
	uint64_t thread_cpu_ns, thread_run_delay_ns;
	uint32_t block_inputs; /* 512-byte units */
	uint32_t minor_faults, major_faults;
	uint32_t voluntary_switches, involuntary_switches;
	uint32_t missing; /* enum sm_trace_missing, or-ed */
	uint64_t process_cpu_ns;
};
enum sm_trace_missing {
	SM_TRACE_NO_RUN_DELAY = 1,
	SM_TRACE_NO_CPU = 2,
	SM_TRACE_NO_PROCESS_CPU = 4,
};
_Static_assert(sizeof(struct sm_trace_cause) == 64, "as struct sm_ring_cause");

/* Events of one thread, as columns. Payloads are in the order of the events of kind PAYLOAD. */
struct sm_trace_events {
	uint32_t process; /* ordinal */
	uint32_t tid;
	size_t count;
	const int64_t *time_ns;
	const uint32_t *name; /* of BEGIN and MARK; of PAYLOAD the enum sm_trace_payload */
	const uint8_t *kind;
	const uint32_t *payload_at; /* of PAYLOAD: first word in `words`; else unspecified */
	const uint64_t *words;
	size_t word_count;
	bool broken; /* events were lost just before: spans open in this thread are unknown */
};

struct sm_trace_samples {
	size_t count;
	const int64_t *time_ns;
	const uint16_t *metric; /* enum sm_metric */
	const int64_t *instance;
	const double *value;
};

/* --- stacks; docs/format.md, STACKS. Numbers are of the whole run and begin at 0. --- */

struct sm_trace_stack_function {
	uint32_t number;
	const char *file, *name; /* as Python has them: co_filename, co_qualname (3.10: co_name) */
	uint32_t first_line;
};

/* A line of a function, called from another place. */
struct sm_trace_stack_place {
	uint32_t number;
	int64_t caller; /* number of a place told before; -1: none */
	uint32_t function;
	uint32_t line; /* 0: not known */
};

struct sm_trace_stack_thread {
	uint32_t number;
	int32_t pid;
	uint32_t tid;
	const char *name; /* the kernel's */
};

/* What a thread did when it was looked at. */
enum sm_trace_stack_state {
	SM_TRACE_STACK_UNKNOWN,
	SM_TRACE_STACK_RUNNING,	 /* awake, and it ran since the look before */
	SM_TRACE_STACK_RUNNABLE, /* awake, but had no CPU since the look before */
	SM_TRACE_STACK_LOCK,	 /* blocked, by what it waits for: a lock */
	SM_TRACE_STACK_SLEEP,
	SM_TRACE_STACK_SOCKET,
	SM_TRACE_STACK_FILE,
	SM_TRACE_STACK_IDLE,	/* a pipe */
	SM_TRACE_STACK_POLL,	/* a poll, of what is not known */
	SM_TRACE_STACK_BLOCKED, /* in another place of the kernel */
	SM_TRACE_STACK_STATE_COUNT,
	SM_TRACE_STACK_STATE_MASK = 0x0f,
	SM_TRACE_STACK_IN_CALL =
		0x40, /* or-ed: the innermost frame is at an instruction that calls */
	SM_TRACE_STACK_HAS_GIL = 0x80, /* or-ed: it holds the interpreter's lock */
};

/* Looks at threads. A thread that did not run since the look before is the same look again: `looks` of them, evenly from
 * time_ns to time_ns + span_ns. */
struct sm_trace_stack_samples {
	size_t count;
	uint64_t interval_ns; /* between two looks at a thread */
	uint32_t torn, unread, missed;
	const int64_t *time_ns;
	const uint64_t *span_ns;
	const uint32_t *thread, *place;
	const uint16_t *looks;
	const uint32_t *cpu_us; /* the thread's CPU time since the look before; of the first look */
	const uint8_t *state;	/* enum sm_trace_stack_state */
};

/* Facts are lines `key=value`; `kind` is the first line's word. */
struct sm_trace_visitor {
	void *context;
	/* After the facts, before the rest: when the collector of the first file began. */
	int (*begin)(void *context, int64_t started_ns);
	int (*run)(void *context, const char *key, const char *value);
	int (*process)(void *context,
		const struct sm_trace_process *process); /* again when more is known */
	int (*name)(void *context, uint32_t process, const struct sm_trace_name *name);
	int (*events)(void *context, const struct sm_trace_events *events);
	int (*samples)(void *context, const struct sm_trace_samples *samples);
	int (*stack_function)(void *context, const struct sm_trace_stack_function *function);
	int (*stack_place)(void *context, const struct sm_trace_stack_place *place);
	int (*stack_thread)(void *context, const struct sm_trace_stack_thread *thread);
	int (*stack_samples)(void *context, const struct sm_trace_stack_samples *samples);
	int (*loss)(void *context, uint32_t process, uint64_t events, int64_t first_ns,
		int64_t last_ns);
	int (*note)(void *context, const char *what, const char *why); /* what was not measured */
	int (*alert)(void *context, const struct sm_trace_alert *alert);
	int (*progress)(void *context, uint64_t bytes_done, uint64_t bytes_total);
}; /* a NULL member is not interested; a non-zero return stops the reading and is returned */

struct sm_trace_summary {
	bool complete; /* every file whole and closed in order, nothing lost */
	uint64_t events, events_lost;
	uint64_t blocks_damaged;
	uint64_t bytes;
	int files;
};

/* `path`: a run directory or one .stall file. 0, or the code also put in reterr. */
int sm_trace_reader_visit(const char *path, const struct sm_trace_visitor *visitor,
	struct sm_trace_summary *ret_summary, struct sm_error *reterr);

#endif
