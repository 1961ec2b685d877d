/* Reads another process's mapping while it is being written, or after its death. Never trusts a byte of it: the file
 * may be garbage, truncated or changing under the reader's eyes. Every read is bounded by the file's size at open. */
#ifndef SM_RING_RING_READER_H
#define SM_RING_RING_READER_H

#include "base/err.h"
#include "ring/ring_layout.h"

#include <stdbool.h>
#include <stddef.h>

struct sm_ring_reader {
	int fd;                /* owned, -1 when empty */
	unsigned char *bytes;  /* owned mapping */
	size_t mapped_bytes;
	uint64_t *done;        /* owned: per slot, sequence number last drained */
	uint32_t *done_bytes;  /* owned: per slot, bytes already drained of the open one */
	size_t slot_capacity;
	bool writable;         /* slots may be given back */
	struct sm_ring_header header; /* a checked copy, refreshed by each drain */
};
#define SM_RING_READER_EMPTY ((struct sm_ring_reader){.fd = -1})

/* `take_back`: map writable, so that drained slots return to the writer and r_attached is set. */
int sm_ring_reader_open(struct sm_ring_reader *reader, const char *path, bool take_back, struct sm_error *reterr);
void sm_ring_reader_close(struct sm_ring_reader *reader); /* fine on an empty or closed one */

struct sm_ring_sink {
	void *context;
	/* Words are a private copy that ends at the first zero word. Segments come in order of sequence number. */
	int (*segment)(void *context, const struct sm_ring_header *header, const struct sm_ring_segment *segment, const void *words, size_t bytes);
	/* Whole entries. All names an already delivered segment uses come before the call returns to the drainer. */
	int (*names)(void *context, const struct sm_ring_header *header, const void *entries, size_t bytes, uint64_t count);
};

enum sm_ring_drain {
	SM_RING_DRAIN_SEALED, /* while the writer lives: sealed slots only */
	SM_RING_DRAIN_ALL,    /* it is gone: open slots too */
};
int sm_ring_reader_drain(struct sm_ring_reader *reader, enum sm_ring_drain what, const struct sm_ring_sink *sink);

/* --- one segment's words, decoded --- */
struct sm_ring_word {
	int64_t time_ns;     /* CLOCK_MONOTONIC */
	uint8_t kind;        /* enum sm_ring_word_kind */
	uint32_t name;       /* id, or the payload's type */
	const uint64_t *payload; /* not aligned: use memcpy */
	uint32_t payload_words;
};
struct sm_ring_cursor {
	const unsigned char *at, *end;
	uint64_t ticks;      /* of the last word, full width */
	uint32_t tick_shift;
	int64_t base_mono_ns;
	uint64_t base_ticks;
	double ns_per_tick;
	uint32_t tid;
};
void sm_ring_cursor_init(struct sm_ring_cursor *cursor, const struct sm_ring_header *header, const struct sm_ring_segment *segment, const void *words, size_t bytes);
/* 1: *ret_word is the next word. 0: the end. -SM_ERR_FORMAT: garbage from here on. */
int sm_ring_cursor_next(struct sm_ring_cursor *cursor, struct sm_ring_word *ret_word);

#endif
