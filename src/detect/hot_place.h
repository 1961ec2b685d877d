/* A finding's place, to the line, where looks at stacks know it better than the spans do. */
#ifndef SM_DETECT_HOT_PLACE_H
#define SM_DETECT_HOT_PLACE_H

#include "detect/detect.h"

enum { SM_HOT_PLACE_MOST_PERCENT = 50 };

/* Spans name a whole data set or collate function. Where one line of the job has at least SM_HOT_PLACE_MOST_PERCENT of what was
 * seen of that stage, the finding points to it. Of transforms spans name the very one, and lines do not tell them apart. */
void sm_hot_place_name(const struct sm_analysis *analysis, struct sm_finding *finding);

#endif
