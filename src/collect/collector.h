/* The process beside the job: drains its mappings, finds its processes, samples its counters, writes rank<N>.stall.
 *
 * It ends at most five seconds after the job, whatever the job leaves behind. */
#ifndef SM_COLLECT_COLLECTOR_H
#define SM_COLLECT_COLLECTOR_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum sm_level { SM_LEVEL_BASIC, SM_LEVEL_DETAILED, SM_LEVEL_COMPREHENSIVE, SM_LEVEL_PRODUCTION };

/* Of the specification: alerts above 80 % of the memory that the job may use, 90 % of a device's. */
#define SM_COLLECTOR_MEMORY_THRESHOLD 0.8
#define SM_COLLECTOR_GPU_THRESHOLD    0.9

struct sm_collector_options {
	const char *run_directory;  /* exists */
	const char *live_directory; /* where the mappings appear; removed at the end when empty */
	const char *name;	    /* of the run, for people */
	char *const *command;	    /* NULL-terminated, for the record */
	enum sm_level level;
	uint64_t limit_bytes;			/* of the whole run; 0: the level's own */
	int64_t interval_ns;			/* between samples, at least; 0: the level's own */
	unsigned without;			/* enum sm_tracking, or-ed: not sampled */
	double memory_threshold, gpu_threshold; /* shares; alerts begin above */
	int told_fd;				/* a socket for a line per alert; 0: none */
	pid_t root;				/* first process of the job */
	pid_t reaper;	       /* to whom the job's orphans fall; 0: nobody we know */
	int32_t rank;	       /* of this node's first file; -1: not distributed */
	const char *root_path; /* "" or a fake root for /proc and /sys (tests) */
};

struct sm_collector; /* opaque */

int sm_collector_create(const struct sm_collector_options *options,
	struct sm_collector **ret_collector, struct sm_error *reterr);
/* One round: waits at most until the next due sample, for `wake_fd` (-1: none) to become readable, or for a process's end.
 * Returns 1 while any process of the job lives, 0 when all are gone, negative on an error that ends recording. */
int sm_collector_step(struct sm_collector *collector, int wake_fd);
/* The first process has ended, with this status of wait(2). */
void sm_collector_job_ended(struct sm_collector *collector, int wait_status);
int sm_collector_finish(
	struct sm_collector *collector, struct sm_error *reterr); /* drains, indexes, packs */
void sm_collector_destroy(struct sm_collector *collector);

#endif
