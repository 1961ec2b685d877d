/* Where the control group of this process lies, in version 1, version 2, or the mixture that many machines have, and
 * its limits. A limit anywhere up the tree holds, so the tightest ancestor counts. */
#ifndef SM_PROBE_CGROUP_TREE_H
#define SM_PROBE_CGROUP_TREE_H

#include "probe/source.h"

#include <stdbool.h>

struct sm_cgroup_place {
	bool v2;
	char mount[SM_SOURCE_PATH_MAX];	    /* as seen by the process, without root */
	char directory[SM_SOURCE_PATH_MAX]; /* own group: at or below mount */
};

/* `controller`: "cpu", "cpuacct", "memory". 0, or -ENOENT with a reason. */
int sm_cgroup_tree_find(struct sm_cgroup_place *place, const char *root, const char *controller,
	char why[SM_SOURCE_WHY]);

/* One step towards the top; false at the mount itself. */
bool sm_cgroup_tree_up(const struct sm_cgroup_place *place, char directory[SM_SOURCE_PATH_MAX]);

/* The tightest quota of CPU time, in cores, or bytes of memory, at or above the own group; false when there is none.
 * Puts the directory that sets it into `ret_where`. */
bool sm_cgroup_tree_cpu_limit(const struct sm_cgroup_place *place, const char *root,
	double *ret_cores, char ret_where[SM_SOURCE_PATH_MAX]);
bool sm_cgroup_tree_memory_limit(const struct sm_cgroup_place *place, const char *root,
	double *ret_bytes, char ret_where[SM_SOURCE_PATH_MAX]);

#endif
