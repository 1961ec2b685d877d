/* What on this machine will hurt a DataLoader, whatever the training looks like. */
#ifndef SM_CLI_HAZARDS_H
#define SM_CLI_HAZARDS_H

#include "collect/host.h"

#include <stdint.h>

enum { SM_HAZARDS_MAX = 8, SM_HAZARD_TEXT = 240 };

struct sm_hazard {
	char what[SM_HAZARD_TEXT], help[SM_HAZARD_TEXT];
};

struct sm_hazards_facts {
	struct sm_host host;
	double shm_free_bytes;	   /* NaN: unknown */
	uint64_t open_files_limit; /* soft; 0: unknown */
	const char *clock_source;  /* "tsc"; "" unknown */
	const char *
		folder_trouble; /* the current folder's file system, when it is a remote one; else NULL */
};

/* Returns how many were put into `hazards`. */
int sm_hazards_find(const struct sm_hazards_facts *facts, struct sm_hazard hazards[SM_HAZARDS_MAX]);

#endif
