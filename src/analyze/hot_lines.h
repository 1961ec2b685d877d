/* The lines that the critical path runs over. */
#ifndef SM_ANALYZE_HOT_LINES_H
#define SM_ANALYZE_HOT_LINES_H

#include "analyze/analysis.h"

void sm_hot_lines_find(struct sm_analysis *analysis); /* fills its hot_lines */

/* The dearest line of a stage of a loader; NULL: none was seen. */
const struct sm_hot_row *sm_hot_lines_of_stage(const struct sm_analysis *analysis,
	const struct sm_loader_analysis *loader, enum sm_stage stage);

#endif
