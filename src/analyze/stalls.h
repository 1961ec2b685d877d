#ifndef SM_ANALYZE_STALLS_H
#define SM_ANALYZE_STALLS_H

#include "analyze/analysis.h"

/* Of one batch, `exposed_ns` and `launch_ns`. */
void sm_stalls_judge(struct sm_batch *batch, bool background);
/* Exposed stall and launch stall of every batch, into the model; sums, shares and interval into `ret`. */
int sm_stalls_find(struct sm_loader_analysis *ret, struct sm_loader *loader, bool last_ends_run);

#endif
