#ifndef SM_ANALYZE_VERDICT_H
#define SM_ANALYZE_VERDICT_H

#include "analyze/analysis.h"

/* Judges the run; everything else of the analysis is there. 0 or -ENOMEM. */
int sm_verdict_judge(struct sm_analysis *analysis, struct sm_arena *arena);

#endif
