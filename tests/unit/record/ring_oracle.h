/* A second reader of rings, for tests only: whole file at once, nothing shared with src/ring/ring_reader.c, and it
 * checks whatever can be checked. What it says of a recording is compared with what the test did. */
#ifndef SM_TESTS_RING_ORACLE_H
#define SM_TESTS_RING_ORACLE_H

#include "ring/ring_layout.h"

#include <stdbool.h>

enum { ORACLE_NAMES_MAX = 4096, ORACLE_THREADS_MAX = 20000, ORACLE_DEPTH_MAX = 256 };

struct oracle_thread {
	uint32_t tid;
	uint64_t sequence; /* of its newest segment */
	uint32_t depth;
	uint32_t open[ORACLE_DEPTH_MAX];
	int64_t begun_ns[ORACLE_DEPTH_MAX];
	uint64_t closed;  /* spans */
	uint64_t orphans; /* ends without a begin */
	uint64_t lost;	  /* by LOST payloads */
	uint32_t name;	  /* of the thread */
};

struct oracle {
	unsigned char *bytes; /* owned */
	size_t size;
	const struct sm_ring_header *header;
	double ns_per_tick;
	uint32_t name_count;
	char names[ORACLE_NAMES_MAX][256]; /* by id, cut */
	uint8_t name_kinds[ORACLE_NAMES_MAX], name_roles[ORACLE_NAMES_MAX];
	uint64_t closed_of[ORACLE_NAMES_MAX]; /* spans, per name */
	uint64_t marks_of[ORACLE_NAMES_MAX];
	uint64_t causes_of[ORACLE_NAMES_MAX];
	int64_t wall_ns_of[ORACLE_NAMES_MAX];
	double counter_of[ORACLE_NAMES_MAX]; /* newest value */
	uint32_t thread_count;
	struct oracle_thread *threads; /* owned */
	uint64_t words, arguments, thread_words, syncs, closed, open_at_end, lost, word_bytes;
	uint64_t events; /* of those that are counted where they are lost, see docs/ring.md */
	uint64_t marks_between; /* ARGs that directly followed a mark */
	int64_t last_argument;
	uint32_t last_key;
	struct sm_ring_cause last_cause;
	uint32_t slots, sealed, adoptable;
	char problem[200]; /* "" when all is well */
};

/* Never fails: what is wrong stands in `problem`. */
struct oracle *oracle_read(const char *path);
void oracle_free(struct oracle *oracle);
uint32_t oracle_find(const struct oracle *oracle, const char *name); /* id; 0: not there */

#endif
