/* The processes of the job: the first one, whatever it started, and what fell to `run` when a parent died.
 *
 * A process is known by its pid and held by a pidfd, so that its end is noticed at once and its pid cannot come to mean
 * another one unnoticed. */
#ifndef SM_COLLECT_CHILDREN_H
#define SM_COLLECT_CHILDREN_H

#include "collect/inherited.h"
#include "collect/sampler.h"
#include "probe/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SM_CHILDREN_MAX = 4096 };

struct sm_child {
	pid_t pid, ppid;
	pid_t own_pid;	       /* in its own pid namespace, where it records; 0: not known */
	uint64_t start_ticks;  /* field 22 of its stat */
	int pidfd;	       /* owned; -1 where the kernel has none */
	struct sm_source list; /* the children of its first thread */
	int64_t seen_ns;       /* when we met it */
	bool ended;
	bool has_ring;		      /* it records */
	int looks;		      /* how often unmeasured.c looked at it */
	struct sm_sampler_set probes; /* owned */
	struct sm_inherited inherited;
};

struct sm_children {
	struct sm_child *item; /* owned */
	size_t count, capacity;
	pid_t reaper; /* to whom orphans fall; 0: nobody we know */
	struct sm_source reaper_list;
	int epoll_fd; /* borrowed; gets the pidfds, their data is the pid */
	const char *root_path;
	unsigned without;			    /* enum sm_tracking, or-ed: not sampled */
	const struct sm_sampler_listener *listener; /* borrowed */
	uint64_t missed;			    /* processes we could not take on */
};

void sm_children_init(struct sm_children *children, pid_t reaper, int epoll_fd,
	const char *root_path, unsigned without, const struct sm_sampler_listener *listener);
void sm_children_finish(struct sm_children *children);
/* The process with this pid, taken on if it is new; NULL when there is none, or no room. */
struct sm_child *sm_children_add(struct sm_children *children, pid_t pid);
struct sm_child *sm_children_find(const struct sm_children *children, pid_t pid);
/* Looks for new processes. `deep`: also among those that other threads than the first started. */
void sm_children_update(struct sm_children *children, bool deep);
/* Marks those that are gone, where no pidfd tells. */
void sm_children_check(struct sm_children *children);
/* Forgets those that have ended; their parents inherit. */
void sm_children_sweep(struct sm_children *children);
/* Field 22 of a process's stat, and its parent. */
bool sm_children_read_stat(
	const char *root_path, pid_t pid, uint64_t *ret_start_ticks, pid_t *ret_ppid);

#endif
