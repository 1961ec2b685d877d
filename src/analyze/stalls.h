#ifndef SM_ANALYZE_STALLS_H
#define SM_ANALYZE_STALLS_H

#include "analyze/analysis.h"

/* Exposed stall and launch stall of every batch, into the model; sums, shares and interval into `ret`. */
int sm_stalls_find(struct sm_loader_analysis *ret, struct sm_loader *loader, bool last_ends_run);

#endif
