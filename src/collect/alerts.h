/* Alerts on their way: judged by watch.c after each round of samples, kept in the trace, told to whoever listens. */
#ifndef SM_COLLECT_ALERTS_H
#define SM_COLLECT_ALERTS_H

#include "collect/run_files.h"
#include "collect/told.h"
#include "collect/watch.h"

enum { SM_ALERTS_MAX = 10000 }; /* kept, of a run: two megabytes */

struct sm_alerts {
	struct sm_watch watch;
	struct sm_told told;
	struct sm_run_files *files; /* borrowed */
	uint64_t seen;
};

void sm_alerts_judge(struct sm_alerts *alerts, int64_t now_ns);
/* At the end: what could not be kept or told, as notes; what was watched at all, as a line of the run. */
void sm_alerts_finish(struct sm_alerts *alerts);

#endif
