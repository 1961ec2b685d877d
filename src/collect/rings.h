/* The mappings of the job's processes: found in the live directory, emptied while their owners write, emptied to the last
 * word when they are gone, and unlinked once all of it is in a `.stall` file. */
#ifndef SM_COLLECT_RINGS_H
#define SM_COLLECT_RINGS_H

#include "collect/run_files.h"
#include "ring/ring_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_ring_file {
	char name[96];
	struct sm_ring_reader reader;	/* owned */
	struct sm_trace_writer *writer; /* borrowed from the run's files */
	uint32_t process;		/* ordinal in that file */
	pid_t owner; /* as we see it; 0: not to be seen from here (another pid namespace, or long dead) */
	bool gone;     /* its process is */
	bool finished; /* emptied and closed */
	int tries;     /* openings that failed: a mapping is not whole from the first instant */
};

struct sm_rings {
	const char *live_directory; /* borrowed */
	struct sm_run_files *files; /* borrowed */
	struct sm_ring_file *item;  /* owned */
	size_t count, capacity;
	int64_t processes;    /* that ever recorded */
	uint64_t events_lost; /* by the recorders */
	bool pending;	      /* a mapping is there that could not be opened yet */
	bool left_behind;     /* a mapping stays in the live directory */
	bool dirty;	      /* something was written since the last flush */
};

void sm_rings_init(struct sm_rings *rings, const char *live_directory, struct sm_run_files *files);
/* Opens mappings that are new. `find_owner` says whose each is: a pid, or 0. */
typedef pid_t sm_rings_find_owner(void *context, const struct sm_ring_header *header);
void sm_rings_scan(struct sm_rings *rings, sm_rings_find_owner *find_owner, void *context);
/* Empties what is sealed; of processes that are gone, or that closed, everything. */
void sm_rings_drain(struct sm_rings *rings);
void sm_rings_process_gone(struct sm_rings *rings, pid_t pid);
/* Is one open whose process is known to live? */
bool sm_rings_any_alive(const struct sm_rings *rings);
/* The job is over: whatever is still open is emptied as it stands. */
void sm_rings_finish(struct sm_rings *rings);
void sm_rings_close(struct sm_rings *rings);

#endif
