/* The shared mapping between the training and the process beside it, byte by byte.
 *
 * One file per observed process, mapped MAP_SHARED: page 0 is the header, then slots of `segment_bytes`. A slot is
 * written by one thread at a time, from front to back, and read by anybody at any moment, also after a SIGKILL: what
 * a killed process leaves is exactly a prefix, in program order, of what each of its threads stored.
 *
 *     file    | header 4096 | slot 0 | slot 1 | ...
 *     slot    | segment header 64 | words ... | zero
 *
 * A word is 4 bytes (short) or 8 (long), 4-byte aligned; the lowest bit says which. A zero word ends the slot. The
 * store that makes a word non-zero is the commit: one instruction, which also puts the zero behind it.
 *
 *     short  time:20 | name:10 | kind:1 | 0     kind 0 begin, 1 end (name 0)
 *     long   time:40 | name:21 | kind:2 | 1     kind 0 begin, 1 end, 2 mark, 3 payload
 *
 * `time` is in ticks >> tick_shift, absolute modulo 2^20 or 2^40, so a lost word never shifts the ones behind it. The
 * first word of a slot is long; its upper bits come from the segment header. A payload word carries in its name
 * field the type (8 low bits) and the number of 8-byte words that follow it (13 high bits); these and the zero behind them
 * are stored before it. ARG and CAUSE belong to the innermost open span of the thread; directly behind a mark, ARG belongs to it
 * (any other payload ends that, so a writer puts a SYNC in between where an ARG of the span comes next).
 *
 * Lives of a slot (`state`): FREE -> OPEN (a thread took it) -> SEALED (full, or the thread ended) -> FREE (the
 * collector has it on disk). Only the writer makes OPEN and SEALED, only the reader turns SEALED into FREE.
 * A thread that ends leaves a half-full slot OPEN with `adoptable` set; the next new thread goes on in it
 * behind a THREAD payload, so that ten thousand short threads do not cost ten thousand slots.
 *
 * `w_` fields are stored by the observed process, `r_` fields by the collector. */
#ifndef SM_RING_RING_LAYOUT_H
#define SM_RING_RING_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define SM_RING_MAGIC "SMRING01"
enum {
	SM_RING_MAJOR = 1, /* a reader refuses a larger one */
	SM_RING_MINOR = 0, /* additions an older reader may skip */
	SM_RING_ENDIAN = 0x01020304,
	SM_RING_HEADER_BYTES = 4096,
	SM_RING_SEGMENT_BYTES = 64 * 1024,
	SM_RING_SEGMENT_HEADER_BYTES = 64,
	SM_RING_SEGMENT_MAGIC = 0x47455353, /* "SSEG" */
	SM_RING_NAME_TEXT_MAX = 4000,	    /* longer texts are cut */
	SM_RING_SHORT_NAMES = 1024,	    /* ids below fit a short word */
	SM_RING_NAMES_MAX = 1 << 21,
};

enum sm_ring_clock_kind {
	SM_RING_CLOCK_MONOTONIC = 0, /* ticks are nanoseconds of CLOCK_MONOTONIC */
	SM_RING_CLOCK_TSC = 1, /* ticks of an invariant time stamp counter, or of cntvct_el0 */
};

/* One instant on three clocks: the tightest of several brackets. */
struct sm_ring_instant {
	uint64_t ticks;
	int64_t mono_ns;
	int64_t real_ns;
};

/* clang-format off */
struct sm_ring_header {
	char magic[8];
	uint16_t major, minor;
	uint32_t endian;
	uint32_t header_bytes, segment_bytes;
	uint32_t tick_shift;
	uint32_t clock_kind;       /* enum sm_ring_clock_kind */
	int32_t pid, ppid;         /* as this process sees itself: in its own pid namespace */
	uint64_t start_time;       /* field 22 of /proc/self/stat */
	uint64_t limit_bytes;      /* the file never grows beyond */
	char boot_id[40];          /* text of /proc/sys/kernel/random/boot_id */
	char unique[24];           /* random hex, also in the file's name */
	char parent[24];           /* `unique` of the process this one was forked from, or "" */
	struct sm_ring_instant opened;
	struct sm_ring_instant latest; /* at the newest segment */
	uint32_t w_segment_count;  /* slots that ever existed; grows, release store */
	uint32_t w_closed;         /* 1: closed in order */
	uint64_t w_lost_events;    /* in the whole process, exact */
	uint64_t w_sequence;       /* next segment's sequence number */
	uint32_t r_attached;       /* 1: a collector empties this file, so slots come back */
	int32_t rank;              /* of a distributed job, -1 when there is none */
	char program[256];         /* what runs here, for people: argv[0] or the script */
};
/* clang-format on */
_Static_assert(sizeof(struct sm_ring_header) <= SM_RING_HEADER_BYTES, "header must fit its page");
_Static_assert(offsetof(struct sm_ring_header, boot_id) == 56, "layout is frozen");
_Static_assert(offsetof(struct sm_ring_header, opened) == 144, "layout is frozen");
_Static_assert(offsetof(struct sm_ring_header, w_segment_count) == 192, "layout is frozen");

enum sm_ring_segment_state {
	SM_RING_FREE = 0,
	SM_RING_OPEN = 1,
	SM_RING_SEALED = 2,
};

enum sm_ring_segment_kind {
	SM_RING_EVENTS = 1,
	/* entries of struct sm_ring_name; one thread at a time under the name lock; never freed */
	SM_RING_NAMES = 2,
};

/* clang-format off */
struct sm_ring_segment {
	uint32_t magic;
	uint32_t kind;      /* enum sm_ring_segment_kind */
	uint64_t sequence;  /* 1, 2, ... in the whole process; also orders a thread's segments */
	uint32_t tid;       /* kernel thread id at the start of the segment */
	uint32_t w_state;   /* enum sm_ring_segment_state; both sides, see above */
	uint64_t ticks;     /* of mono_ns; full width, so 20- and 40-bit times can be completed */
	int64_t mono_ns;
	uint64_t lost_before; /* events this thread had lost when the segment began */
	uint32_t w_length;  /* bytes of words, stored when sealed; 0 while open */
	uint32_t w_crc;     /* CRC-32C of the words when sealed; 0 while open */
	uint32_t adoptable; /* 1: its thread has ended and left room */
	uint32_t reserved;
};
/* clang-format on */
_Static_assert(sizeof(struct sm_ring_segment) == SM_RING_SEGMENT_HEADER_BYTES, "layout is frozen");

/* An entry of a NAMES segment: this head, then `length` bytes, padded with zeros to 8. `id` is stored last and
 * non-zero; a zero id ends the segment. An id is in the file before any word that uses it. */
struct sm_ring_name {
	uint32_t id;
	uint16_t length; /* bytes of text */
	uint8_t kind;	 /* enum sm_name_kind */
	uint8_t role;	 /* enum sm_role */
};
_Static_assert(sizeof(struct sm_ring_name) == 8, "layout is frozen");

enum sm_ring_word_kind {
	SM_RING_BEGIN = 0,
	SM_RING_END = 1,
	SM_RING_MARK = 2,
	SM_RING_PAYLOAD = 3,
};

/* clang-format off */
enum sm_ring_payload {
	SM_RING_CAUSE = 1,   /* struct sm_ring_cause: of the innermost open span, stored just before its end */
	SM_RING_COUNTER = 2, /* two words: name id, bits of a double */
	SM_RING_THREAD = 3,  /* one word: tid | name id of its name (0: none) << 32; what follows is this thread's */
	SM_RING_SYNC = 4,    /* one word: full ticks, after 2^39 units of silence */
	SM_RING_LOST = 5,    /* one word: events this thread lost just before; open spans of it are unknown from here */
	SM_RING_ARG = 64,    /* + enum sm_key; one word, the value as int64_t */
};

/* wall = cpu + run delay + blocked, over the span it belongs to; and the thread's own totals at its end, so that the
 * time between two such spans can be split as well. A source that could not be read has its bit in `missing`. */
struct sm_ring_cause {
	uint64_t cpu_ns;            /* thread CPU clock */
	uint64_t run_delay_ns;      /* /proc/thread-self/schedstat: runnable, not running */
	uint64_t thread_cpu_ns;     /* total of the thread at the end */
	uint64_t thread_run_delay_ns;
	uint32_t block_inputs;      /* 512-byte units, getrusage */
	uint32_t minor_faults;
	uint32_t major_faults;
	uint32_t voluntary_switches;
	uint32_t involuntary_switches;
	uint32_t missing;           /* bit 0: run delay, bit 1: thread CPU clock, bit 2: process CPU clock not read */
	uint64_t process_cpu_ns;    /* CPU of all threads of the process during the span */
};
/* clang-format on */
_Static_assert(sizeof(struct sm_ring_cause) == 64, "layout is frozen");

#endif
