/* The `.stall` file, byte by byte; docs/format.md draws it.
 *
 *     file  | file header 64 | block | block | ... | INDEX block | tail 32 |
 *     block | block header 64 | body (stored_bytes), padded with zeros to 8 |
 *
 * Blocks are only ever appended. A file that ends early is read up to its last whole block; blocks that fail their
 * checksum are skipped and counted. Without tail and index the reader walks the blocks. Numbers are little endian.
 *
 * EVENTS come in two codings. RAW is a slot's words as the collector copied them (cheap while the job runs); PACKED is
 * columns, written when the run ends. Both say which bytes of which segment of the mapping they are, so that what is in
 * the file is never read a second time from a mapping that was left behind. */
#ifndef SM_TRACE_TRACE_FORMAT_H
#define SM_TRACE_TRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SM_TRACE_MAGIC	    "STALL\r\n\x1a"
#define SM_TRACE_TAIL_MAGIC "STALLEND"
enum {
	SM_TRACE_MAJOR = 1,
	SM_TRACE_MINOR = 2,			     /* 1: ALERT blocks; 2: STACKS, STACK_SAMPLES */
	SM_TRACE_BLOCK_MAGIC = 0x4b4c4253,	     /* "SBLK" */
	SM_TRACE_BLOCK_EVENTS_MAX = 65536,	     /* events of a PACKED block */
	SM_TRACE_BLOCK_BYTES_MAX = 16 * 1024 * 1024, /* stored or unpacked; a reader refuses more */
};

struct sm_trace_file_header {
	char magic[8];
	uint16_t major, minor;
	uint32_t header_bytes;
	int32_t rank; /* of the processes in this file; -1: not distributed */
	uint32_t reserved;
	char run_id[24];
	int64_t started_real_ns;
	int64_t started_mono_ns;
};
_Static_assert(sizeof(struct sm_trace_file_header) == 64, "layout is frozen");

enum sm_trace_block_type {
	SM_TRACE_RUN =
		1, /* lines `key=value`: command, level, host, versions; later ones add and override */
	SM_TRACE_PROCESS =
		2, /* lines `key=value`: pid, ppid, program, started, ended, exit, complete */
	SM_TRACE_NAMES = 3,   /* struct sm_ring_name entries of `process` */
	SM_TRACE_EVENTS = 4,  /* words or columns of one thread at a time, `process`, `tid` */
	SM_TRACE_SAMPLES = 5, /* counters, as columns: trace_samples.c */
	SM_TRACE_LOSS = 6,    /* `count` events of `process` lost between first_ns and last_ns */
	SM_TRACE_NOTE = 7,    /* lines `key=value`: what was not measured, and why */
	SM_TRACE_INDEX = 8,   /* struct sm_trace_index_entry per block before it */
	SM_TRACE_ALERT =
		9, /* lines `key=value`: what began or ceased to be too high, at first_ns */
	SM_TRACE_STACKS = 10,	     /* what stacks are made of: trace_stacks.h */
	SM_TRACE_STACK_SAMPLES = 11, /* who stood where, as columns */
};

enum sm_trace_codec {
	SM_TRACE_PLAIN = 0,
	SM_TRACE_ZSTD = 1,
	SM_TRACE_RAW = 2,    /* EVENTS: ring words, with a struct sm_trace_raw in front */
	SM_TRACE_PACKED = 3, /* EVENTS: columns, with a struct sm_trace_packed in front */
};

struct sm_trace_block {
	uint32_t magic;
	uint16_t type;	/* enum sm_trace_block_type */
	uint16_t codec; /* enum sm_trace_codec */
	uint32_t stored_bytes;
	uint32_t plain_bytes; /* after decoding */
	uint32_t process;     /* ordinal of a process in this file, from 0 */
	uint32_t tid;
	uint64_t count;		   /* events, samples, entries */
	int64_t first_ns, last_ns; /* CLOCK_MONOTONIC */
	uint64_t body_hash;	   /* XXH3-64 of the stored body */
	uint64_t head_hash;	   /* XXH3-64 of this header up to here */
};
_Static_assert(sizeof(struct sm_trace_block) == 64, "layout is frozen");

/* In front of the words of a RAW body. */
struct sm_trace_raw {
	uint64_t sequence;		 /* of the segment in its mapping */
	uint32_t begin_bytes, end_bytes; /* these words of it */
	uint64_t ticks; /* at mono_ns; together they complete and convert the times of the words */
	int64_t mono_ns;
	double ns_per_tick;
	uint32_t tick_shift;
	uint32_t reserved;
};
_Static_assert(sizeof(struct sm_trace_raw) == 48, "layout is frozen");

/* Columns of a PACKED body, in this order; each is a zstd frame, or plain where that is no longer. */
enum sm_trace_column {
	SM_TRACE_COLUMN_DICTIONARY, /* u32 per operation: kind | name << 2, of PAYLOAD kind | type << 2 | words << 10 */
	SM_TRACE_COLUMN_OPERATIONS, /* u8 per event: low byte of its place in the dictionary */
	SM_TRACE_COLUMN_OPERATIONS_HIGH, /* u8 per event: high byte; empty where the dictionary has up to 256 entries */
	SM_TRACE_COLUMN_TIME_SIZES, /* 2 bits per event, low ones first: its time takes 1, 2, 4 or 8 bytes */
	SM_TRACE_COLUMN_TIMES, /* nanoseconds since the event before; the first since the block's first_ns */
	SM_TRACE_COLUMN_WORD_SIZES, /* the same for the words of payloads */
	SM_TRACE_COLUMN_WORDS, /* zigzag of the difference to the same word of the last payload of that operation */
	SM_TRACE_COLUMN_COUNT,
};

/* In front of the columns of a PACKED body. The events are those of one thread; THREAD and LOST only come first. */
struct sm_trace_packed {
	uint64_t sequence;
	uint32_t begin_bytes, end_bytes; /* of the RAW block this was made from */
	uint32_t word_count;		 /* of all payloads together */
	uint32_t reserved;
	struct sm_trace_column_size {
		uint32_t plain, stored; /* equal: not compressed */
	} columns[SM_TRACE_COLUMN_COUNT];
};
_Static_assert(sizeof(struct sm_trace_packed) == 80, "layout is frozen");

/* An entry of the INDEX block's body. */
struct sm_trace_index_entry {
	uint64_t offset;
	uint32_t type, process;
	int64_t first_ns, last_ns;
	uint64_t count;
};
_Static_assert(sizeof(struct sm_trace_index_entry) == 40, "layout is frozen");

struct sm_trace_tail {
	char magic[8];
	uint64_t index_offset;
	uint64_t block_count;
	uint64_t hash; /* XXH3-64 of the three fields above */
};
_Static_assert(sizeof(struct sm_trace_tail) == 32, "layout is frozen");

#endif
