/* The words that recorder, reader and analysis share.
 *
 * A span's *name* is free text; its *role* says what it means to the loader's recursion, and that is all the
 * analysis looks at. Roles, keys and the three facts (marks) are written by the framework adapters; the numbers are
 * part of the trace format and are never reused. */
#ifndef SM_BASE_VOCABULARY_H
#define SM_BASE_VOCABULARY_H

#include <stdint.h>

/* clang-format off */
/* What a span or mark stands for. Recorded once per name, in its entry of the name table. */
enum sm_role {
	SM_ROLE_OPERATION = 0, /* a user's span: profile_operation, stallmeter.span */

	/* main process, any thread that iterates a loader */
	SM_ROLE_ITERATE = 1,     /* span: making or resetting an iterator (epoch start, worker start-up); keys LOADER, ITERATION */
	SM_ROLE_NEXT = 2,        /* span: one __next__; keys LOADER, ITERATION, TASK (absent when the epoch ended), COUNT */
	SM_ROLE_SAMPLER = 3,     /* span: one batch of indices drawn from the sampler; key LOADER */
	SM_ROLE_PUT = 4,         /* mark: indices sent to a worker; keys LOADER, ITERATION, TASK, WORKER */
	SM_ROLE_ARRIVE = 5,      /* mark: a worker's batch was taken from the result queue; keys LOADER, ITERATION, TASK */
	SM_ROLE_DESERIALIZE = 6, /* span: main or pin thread; key BYTES */
	SM_ROLE_PIN = 7,         /* span: pin thread */
	SM_ROLE_H2D = 8,         /* span: copy to a device; key BYTES, FLAGS (1 pageable source, 2 non_blocking) */
	SM_ROLE_FORWARD = 9,     /* span, only where an adapter can name it; otherwise forward is what lies between */
	SM_ROLE_BACKWARD = 10,   /* span */
	SM_ROLE_OPTIMIZER = 11,  /* span */
	SM_ROLE_SYNC = 12,       /* span: waiting for a device */
	SM_ROLE_STEP = 13,       /* span: one step as the user or a framework declares it */
	SM_ROLE_DEVICE = 14,     /* mark: what the device said of one wait; keys LOADER, ITERATION, TASK, DEVICE_STATE, ELAPSED_NS, COPY_NS */

	/* where the data set runs: a worker process, a worker thread, or the main thread at num_workers=0 */
	SM_ROLE_FETCHER = 32,   /* mark: a fetcher was made, so a new iteration starts here; keys LOADER (if known), WORKER */
	SM_ROLE_BATCH = 33,     /* span: one fetch; keys WORKER, SEQUENCE, COUNT */
	SM_ROLE_SAMPLE = 34,    /* span: one dataset[index] or one step of an iterable data set; key INDEX */
	SM_ROLE_COMPOSE = 35,   /* span: a whole Compose */
	SM_ROLE_TRANSFORM = 36, /* span: one member of it */
	SM_ROLE_COLLATE = 37,   /* span */
	SM_ROLE_SERIALIZE = 38, /* span, feeder thread of a worker; keys BYTES, TENSOR_BYTES */

	SM_ROLE_LIMIT = 64,
};

/* What a number attached to a span or mark means. Payload type SM_RING_ARG + key. */
enum sm_key {
	SM_KEY_LOADER = 0,       /* ordinal of the loader in its main process, from 0 in order of first use */
	SM_KEY_ITERATION = 1,    /* how often that loader was iterated before, from 0 */
	SM_KEY_TASK = 2,         /* torch's task id: 0, 1, ... within one iteration */
	SM_KEY_WORKER = 3,       /* worker index; absent at num_workers=0 */
	SM_KEY_SEQUENCE = 4,     /* n-th fetch of this worker in this iteration, from 0 */
	SM_KEY_INDEX = 5,        /* index of the sample, when it is an integer */
	SM_KEY_COUNT = 6,        /* samples in the batch */
	SM_KEY_BYTES = 7,
	SM_KEY_FLAGS = 8,
	SM_KEY_INDEX_TEXT = 9,   /* id of a text name: the index when it is not an integer */
	SM_KEY_DEVICE_STATE = 10, /* enum sm_device_state */
	SM_KEY_ELAPSED_NS = 11,  /* between the events X and Y of measuring.md, by the device's own clock */
	SM_KEY_FAILED = 12,      /* 1: the span was left by an exception */
	SM_KEY_TENSOR_BYTES = 13, /* of the tensors that a message carries by their handles: what they take in /dev/shm */
	SM_KEY_COPY_NS = 14, /* what the copies of the batch took of the device, by its own clock; absent without copies */
	SM_KEY_LIMIT = 32,
};
/* clang-format on */

/* "loader", ...; "?" for a key of a later version */
const char *sm_vocabulary_key_name(enum sm_key key);

/* clang-format off */
/* What the device answered for one wait, without ever being waited for. */
enum sm_device_state {
	SM_DEVICE_IDLE_AT_REQUEST = 0, /* X was done when next() was called: all of the wait is exposed */
	SM_DEVICE_BUSY_AT_DELIVERY = 1, /* X was not done when next() returned: all of it is hidden */
	SM_DEVICE_ELAPSED = 2,          /* in between: ELAPSED_NS decides */
};
/* clang-format on */

/* The stages of the report, exclusive of each other. */
enum sm_stage {
	SM_STAGE_SAMPLER,
	SM_STAGE_FETCH,
	SM_STAGE_TRANSFORM,
	SM_STAGE_COLLATE,
	SM_STAGE_TRANSPORT,
	SM_STAGE_REORDER,
	SM_STAGE_PIN,
	SM_STAGE_H2D,
	SM_STAGE_LAUNCH,
	SM_STAGE_COMPUTE,
	SM_STAGE_SYNC,
	SM_STAGE_OTHER,
	SM_STAGE_COUNT,
};
const char *sm_vocabulary_stage_name(enum sm_stage stage); /* "sampler", ... */
/* "next", ...; "?" for a role of a later version */
const char *sm_vocabulary_role_name(enum sm_role role);

/* The type of operations that are ours: a trial of a loader's settings inside the program's run. Their time is not the
 * training's. */
#define SM_VOCABULARY_INTERLUDE "STALLMETER"

/* What an entry of the name table names.
 *
 * A SPAN's text may hold a second string behind its first NUL: of an OPERATION the user's type ("DATA_LOADING"), of
 * TRANSFORM, COLLATE, SAMPLER and SAMPLE where the code stands ("train.py:41").
 *
 * A FACT's text is lines: the first is its kind, the others `key=value` (a newline in a value is written as a space).
 *
 *   loader     ordinal name num_workers batch_size prefetch_factor pin_memory persistent_workers in_order
 *              start_method dataset_kind dataset dataset_where sampler sampler_where collate collate_where; a key that is not known is
 *              left out; again when it changes
 *   worker     loader iteration index pid tid: started for that iteration; tid only for thread workers
 *   samples_unknown  loader why: no per-sample times
 *   estimated  what why: torch internals we do not know, so this is a bound or a guess
 *   not_measured  what why
 *   process    role (main, worker, other) python torch device
 *   session    id name pid begin_ns, and end_ns when it is told again at its end: what a profiler calls a session. Times are
 *              CLOCK_MONOTONIC; a forked child's table of names has it too, so it is its own only where pid is
 *   session_note  id text: what the program itself found in a session
 *
 * The collector's RUN lines: id name command (arguments separated by the byte 0x1f) level started_real_ns exit_status
 * host.cpus host.cpus_usable host.memory_bytes host.memory_limit_bytes host.shm_bytes host.gpus (names, 0x1f between)
 * host.kernel collector.cpu_s collector.wall_s complete. */
/* clang-format off */
enum sm_name_kind {
	SM_NAME_SPAN = 0,
	SM_NAME_MARK = 1,
	SM_NAME_COUNTER = 2, /* text: "name\0unit" */
	SM_NAME_TEXT = 3,    /* a value: a type, an index that is no number */
	SM_NAME_FACT = 4,    /* lines `key=value`, first line the kind of fact; see docs/format.md */
};
/* clang-format on */

#endif
