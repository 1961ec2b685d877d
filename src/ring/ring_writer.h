/* One process's mapping, from the writing side: makes the file, lets it grow, hands out slots, seals them. What the
 * threads write into their slots is not its business.
 *
 * Callers hold one lock around all of these. The struct lies in memory that a fork wipes: in a child it is empty, and
 * the mapping is not there. */
#ifndef SM_RING_RING_WRITER_H
#define SM_RING_RING_WRITER_H

#include "ring/ring_clock.h"
#include "ring/ring_layout.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	/* No event with all that belongs to it is longer; a thread may begin one wherever twice this much is left. */
	SM_RING_WRITER_EVENT_BYTES = 160,
	SM_RING_WRITER_SLACK_BYTES = 2 * SM_RING_WRITER_EVENT_BYTES,
	/* Storage the first slot of each kind starts with. */
	SM_RING_WRITER_SMALL_BYTES = 8 * 1024,
	SM_RING_WRITER_LIMIT_MIN = SM_RING_HEADER_BYTES + 2 * SM_RING_SEGMENT_BYTES,
};

/* A slot in the hands of its writer. */
struct sm_ring_writer_slot {
	struct sm_ring_segment *segment; /* NULL: none */
	uint32_t ready_bytes;		 /* of the slot that have storage behind them */
};

struct sm_ring_writer {
	unsigned char *bytes; /* the mapping; NULL while there is no file */
	size_t mapped_bytes;
	uint32_t slot_limit; /* slots that fit the byte limit */
	uint32_t slot_count;
	uint32_t reuse_from; /* where to look next for a slot that came back */
	uint64_t
		prepared_bytes; /* the file has storage up to here, but for the rest of small slots */
	uint64_t step_bytes;	/* how much storage to ask for next */
	bool keeps_storage; /* a slot that came back needs no second look whether it has storage */
	dev_t device;
	ino_t inode;
	struct sm_ring_clock clock;
	struct sm_ring_writer_slot names;
	unsigned char *names_cursor;
	char path[PATH_MAX];
};

/* Makes `directory`/<unique>-<pid>.ring. Of *who the caller has filled what it knows of the process: pid, ppid,
 * start_time, limit_bytes, boot_id, unique, parent, rank, program. 0 or -errno; then nothing is left behind. */
int sm_ring_writer_create(struct sm_ring_writer *writer, const char *directory,
	const struct sm_ring_header *who, const struct sm_ring_clock *clock);
/* Marks the mapping closed and lets go of the file. The pages become private ones that nobody reads, so that a thread
 * in the middle of a store does no harm. */
void sm_ring_writer_close(struct sm_ring_writer *writer);

/* Unmakes a file that nobody has written to. */
void sm_ring_writer_remove(struct sm_ring_writer *writer);

/* -ENOSPC, -EFBIG, ...: there is none to have now. */
int sm_ring_writer_take(struct sm_ring_writer *writer, enum sm_ring_segment_kind kind, uint32_t tid,
	uint64_t lost_before, struct sm_ring_writer_slot *ret_slot);
/* Storage for all of a slot that started small. */
int sm_ring_writer_extend(struct sm_ring_writer *writer, struct sm_ring_writer_slot *slot);
/* `end` is behind the last word. The slot is empty afterwards. */
void sm_ring_writer_seal(
	struct sm_ring_writer *writer, struct sm_ring_writer_slot *slot, const unsigned char *end);

/* An entry of the name table; it is in the file when this returns 0. */
int sm_ring_writer_add_name(
	struct sm_ring_writer *writer, const struct sm_ring_name *name, const char *text);

static inline struct sm_ring_header *sm_ring_writer_header(const struct sm_ring_writer *writer)
{
	return (struct sm_ring_header *)(void *)writer->bytes;
}

/* Where the words of a slot begin, and where none may begin any more. */
static inline unsigned char *sm_ring_writer_words(const struct sm_ring_writer_slot *slot)
{
	return (unsigned char *)slot->segment + SM_RING_SEGMENT_HEADER_BYTES;
}

static inline unsigned char *sm_ring_writer_words_end(const struct sm_ring_writer_slot *slot)
{
	return (unsigned char *)slot->segment + slot->ready_bytes - SM_RING_WRITER_SLACK_BYTES;
}

#endif
