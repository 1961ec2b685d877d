/* Why a number is missing. Every null of the report has a line here, those of the metrics in
 * metrics.h; the model's notes come first. */
#ifndef SM_REPORT_NOT_MEASURED_H
#define SM_REPORT_NOT_MEASURED_H

#include "report/report.h"

typedef void sm_not_measured_say(void *context, const char *what, const char *why);

/* Calls `say` once per thing, in a fixed order. */
void sm_not_measured_each(const struct sm_report *report, sm_not_measured_say *say, void *context);

#endif
