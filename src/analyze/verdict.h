#ifndef SM_ANALYZE_VERDICT_H
#define SM_ANALYZE_VERDICT_H

#include "analyze/analysis.h"

/* Of one step, once its stall was judged: copying to the device, and what the host kept the device (or, on a CPU, itself) from
 * training with data in hand. */
int64_t sm_verdict_copy_ns(const struct sm_batch *batch);
int64_t sm_verdict_host_ns(const struct sm_batch *batch);
/* Judges the run; everything else of the analysis is there. 0 or -ENOMEM. */
int sm_verdict_judge(struct sm_analysis *analysis, struct sm_arena *arena);

#endif
