#ifndef SM_ANALYZE_ROWS_H
#define SM_ANALYZE_ROWS_H

#include "analyze/analysis.h"

/* The loader's table of stages and of transforms, out of the charges of the critical path. 0 or -ENOMEM. */
int sm_rows_fill(struct sm_loader_analysis *ret, struct sm_arena *arena,
	const double charge_s[SM_STAGE_COUNT]);

#endif
