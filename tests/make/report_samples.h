/* Runs that never ran, as finished analyses: every form of the report can be looked at without a trace. */
#ifndef SM_REPORT_SAMPLES_H
#define SM_REPORT_SAMPLES_H

#include "report/report.h"

enum { REPORT_SAMPLE_STAGES_MAX = 12 };

extern const char *const report_sample_names[];
extern const int report_sample_count;
/* Made on first call, the same bytes ever after; NULL for an unknown name. */
const struct sm_report *report_sample(const char *name);

#endif
