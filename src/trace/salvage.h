/* Mappings that nobody emptied: the collector was killed, or has not come by yet. */
#ifndef SM_TRACE_SALVAGE_H
#define SM_TRACE_SALVAGE_H

#include "base/map.h"
#include "trace/trace_delivery.h"

#include <stdbool.h>

enum { SM_SALVAGE_PATH_BYTES = 4096 };

struct sm_salvage_ring {
	char *path; /* owned */
	char unique[24];
	uint64_t bytes;
};

struct sm_salvage {
	struct sm_salvage_ring *rings; /* owned */
	size_t count, capacity;
	struct sm_map known; /* of each segment in the rings: how many of its bytes the file has */
};
#define SM_SALVAGE_EMPTY ((struct sm_salvage){0})

/* The directory that the run's file live.path names. */
bool sm_salvage_live_path(const char *run_directory, char path[SM_SALVAGE_PATH_BYTES]);
/* Mappings under `run_directory`/live, and in the directory that its file live.path names. */
int sm_salvage_find(struct sm_salvage *salvage, const char *run_directory);
void sm_salvage_finish(struct sm_salvage *salvage); /* fine on an empty one */

int sm_salvage_ring_of(const struct sm_salvage *salvage, const char *unique); /* -1: none */
/* The file has the segment's first `end_bytes`. */
int sm_salvage_note(struct sm_salvage *salvage, int ring, uint64_t sequence, uint32_t end_bytes);
/* Delivers what the file does not have. */
int sm_salvage_deliver(const struct sm_salvage *salvage, struct sm_trace_delivery *delivery);

#endif
