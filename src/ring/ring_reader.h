/* Reads another process's mapping while it is being written, or after its death. Never trusts a
 * byte of it: the file may be garbage, truncated or changing under the reader's eyes. It is read
 * with pread(2) into private copies, so not even a file that shrinks meanwhile can hurt: a mapping
 * would answer with SIGBUS. */
#ifndef SM_RING_RING_READER_H
#define SM_RING_RING_READER_H

#include "base/err.h"
#include "ring/ring_layout.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	SM_RING_SLOTS_MAX = 1 << 18,		 /* a larger file is read up to here */
	SM_RING_SEGMENT_BYTES_MAX = 1024 * 1024, /* a header that says more is refused */
};

struct sm_ring_slot {
	uint64_t sequence; /* of the segment last drained from this slot; 0: none */
	uint32_t bytes;	   /* how much of it */
};

struct sm_ring_due { /* a slot and the segment it held when looked at */
	uint64_t sequence;
	uint32_t slot;
};

struct sm_ring_reader {
	int fd;			    /* owned, -1 when empty */
	struct sm_ring_slot *slots; /* owned */
	size_t slot_count, slot_capacity;
	struct sm_ring_due *due; /* owned; segments of this drain */
	size_t due_capacity;
	struct sm_ring_due *lists; /* owned; slots that hold names */
	size_t list_count, list_capacity;
	uint64_t lists_as_of;		/* w_sequence when `lists` was made */
	unsigned char *segment, *names; /* owned; private copies of one slot each */
	bool writable;			/* slots are given back */
	bool same_boot;			/* our clocks are its clocks */
	uint64_t damaged_segments;	/* not delivered: checksum or header wrong */
	struct sm_ring_header header;	/* checked copy, refreshed by each drain; `latest` as new as
					   we can know it */
};
#define SM_RING_READER_EMPTY ((struct sm_ring_reader){.fd = -1})

/* `take_back`: drained slots return to the writer, and r_attached is set until close. */
int sm_ring_reader_open(
	struct sm_ring_reader *reader, const char *path, bool take_back, struct sm_error *reterr);
void sm_ring_reader_close(struct sm_ring_reader *reader); /* fine on an empty or closed one */

struct sm_ring_sink {
	void *context;
	/* Words are a private copy of whole words. Segments come in order of sequence number. What
	 * was delivered before of the same segment is left out: of the copy of its header,
	 * `reserved` says where `words` begin in the slot and `w_length` where they end; its tid,
	 * ticks and mono_ns hold for the first word delivered. */
	int (*segment)(void *context, const struct sm_ring_header *header,
		const struct sm_ring_segment *segment, const void *words, size_t bytes);
	/* Whole entries, never twice. All names a segment uses come before it. */
	int (*names)(void *context, const struct sm_ring_header *header, const void *entries,
		size_t bytes, uint64_t count);
};

enum sm_ring_drain {
	SM_RING_DRAIN_SEALED, /* while the writer lives: sealed slots only */
	SM_RING_DRAIN_ALL, /* it is gone (or somebody wants to look now): open slots too, as far as
			      they are */
};
/* 0, or what a sink returned: then that segment counts as not drained and comes again. */
int sm_ring_reader_drain(
	struct sm_ring_reader *reader, enum sm_ring_drain what, const struct sm_ring_sink *sink);

/* --- one segment's words, decoded --- */
struct sm_ring_word {
	int64_t time_ns;	      /* CLOCK_MONOTONIC; never before the word ahead of it */
	uint8_t kind;		      /* enum sm_ring_word_kind */
	uint32_t name;		      /* id, or the payload's type */
	const unsigned char *payload; /* not aligned: use memcpy */
	uint32_t payload_words;
};
struct sm_ring_cursor {
	const unsigned char *at, *end;
	uint64_t units; /* of the last word, full width: ticks >> tick_shift */
	uint32_t tick_shift;
	int64_t base_mono_ns;
	uint64_t base_ticks;
	double ns_per_tick;
	uint32_t tid; /* a THREAD payload changes it */
};
/* Nanoseconds a tick lasts, from the header's instants (and the segment's, where these are one and
 * the same). */
double sm_ring_cursor_rate(
	const struct sm_ring_header *header, const struct sm_ring_segment *segment);
void sm_ring_cursor_init(struct sm_ring_cursor *cursor, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes);
void sm_ring_cursor_init_rate(struct sm_ring_cursor *cursor, uint32_t tick_shift,
	double ns_per_tick, const struct sm_ring_segment *segment, const void *words, size_t bytes);
/* 1: *ret_word is the next word. 0: the end. -SM_ERR_FORMAT: garbage from here on. */
int sm_ring_cursor_next(struct sm_ring_cursor *cursor, struct sm_ring_word *ret_word);
/* Goes behind the short words at hand and returns how many they were. */
size_t sm_ring_cursor_pass_short(struct sm_ring_cursor *cursor);

/* Sums wrap and the product is clamped, so that garbage gives a garbage time and nothing worse. Inline: it is the
 * inner loop of reading RAW events. */
static inline int64_t sm_ring_cursor_ns(const struct sm_ring_cursor *cursor, uint64_t units)
{
	int64_t ticks = (int64_t)((units << cursor->tick_shift) - cursor->base_ticks);
	double ns = (double)ticks * cursor->ns_per_tick;
	ns = ns < 4e18 ? ns : 4e18; /* also what a NaN becomes */
	ns = ns > -4e18 ? ns : -4e18;
	return (int64_t)((uint64_t)cursor->base_mono_ns + (uint64_t)(int64_t)ns);
}

/* Leaves out the first `known` bytes of a segment: its header then speaks of the rest, as struct
 * sm_ring_sink says. */
void sm_ring_cursor_skip(const struct sm_ring_header *header, struct sm_ring_segment *segment,
	const unsigned char **words, size_t *bytes, size_t known);

#endif
