/* What this machine gives the job: facts for the record, read once. */
#ifndef SM_COLLECT_HOST_H
#define SM_COLLECT_HOST_H

#include "base/str.h"

struct sm_host {
	int cpus, cpus_allowed;				    /* online; in the affinity mask */
	double cpu_quota;				    /* cores, NaN: none */
	double cpus_usable;				    /* the smaller of the two above */
	double memory_bytes, memory_limit_bytes, shm_bytes; /* NaN: unknown or none */
	char kernel[256];
	char gpus[512]; /* names, 0x1f between; "" none */
};

void sm_host_read(struct sm_host *host, const char *root_path);
/* The RUN lines `host.*`; what is not known is left out. */
void sm_host_add_lines(const struct sm_host *host, struct sm_str *lines);

#endif
