/* The process beside the job: a child of `run`, or a daemon that `collect` leaves behind.
 *
 * It is a process of its own so that nothing that happens to it can happen to the job or to the one who waits for the
 * job: killed, it leaves the mappings, and the training does not notice; when `run` is killed, it goes on until
 * the job ends and leaves a whole trace. */
#ifndef SM_CLI_BESIDE_H
#define SM_CLI_BESIDE_H

#include "collect/collector.h"
#include "collect/place.h"

#include <stdbool.h>

enum { SM_BESIDE_TEXT = 240 };

struct sm_beside {
	pid_t pid;
	int socket; /* owned, -1: none. Readable when the collector has something to say, or has ended */
	bool done;		      /* the trace is whole */
	char trouble[SM_BESIDE_TEXT]; /* "": none; else one line for people */
};
#define SM_BESIDE_EMPTY ((struct sm_beside){.socket = -1})

/* Forks the collector; it waits for the job. `options->root` is not looked at. The lock goes over to it. */
int sm_beside_start(struct sm_beside *beside, struct sm_place *place,
	const struct sm_collector_options *options);
void sm_beside_job_started(struct sm_beside *beside, pid_t root);
void sm_beside_job_ended(struct sm_beside *beside, int wait_status);
/* Takes what the collector says. False when it will say nothing more. */
bool sm_beside_listen(struct sm_beside *beside);
void sm_beside_finish(struct sm_beside *beside);

/* The collector itself, in the process that called: until the job has ended. `socket` may be -1. */
int sm_beside_collect(const struct sm_collector_options *options, int socket);
/* The same, until the job has ended or `until_fd` (-1: none) can be read or is at its end; nothing is said there. */
int sm_beside_collect_until(const struct sm_collector_options *options, int until_fd);
/* Leaves the caller's session, terminal, signals and open files, but for `keep_fds`, which come in ascending order. */
void sm_beside_detach(const int *keep_fds, int count);

#endif
