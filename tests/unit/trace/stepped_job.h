/* A job of two threads that goes on step by step, for tests of who reads it meanwhile. */
#ifndef TESTS_UNIT_TRACE_STEPPED_JOB_H
#define TESTS_UNIT_TRACE_STEPPED_JOB_H

#include "base/str.h"
#include "make/sm_make.h"

struct stepped_job_place { /* of one run */
	char run[96], live[112], ring[128], stall[128];
};
struct stepped_job_place stepped_job_place(const char *folder, const char *name);

struct stepped_job {
	struct sm_make_process *ring;
	struct sm_make_thread *a, *b;
	int done;
};
struct stepped_job stepped_job_begin(const char *path);
void stepped_job_go_on(struct stepped_job *job, int steps);
/* Lines sorted, for threads lie in another order in a file than in a mapping. The caller frees. */
char *stepped_job_sorted(const struct sm_str *text);

#endif
