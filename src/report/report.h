/* Says what was found. Every form is made from one outline, so that all say the same, in the same words. */
#ifndef SM_REPORT_REPORT_H
#define SM_REPORT_REPORT_H

#include "analyze/analysis.h"
#include "detect/detect.h"

#include <stdbool.h>
#include <stdio.h>

struct sm_report {
	const struct sm_model *model;
	const struct sm_analysis *analysis;
	const struct sm_findings *findings;
	/* as the user named it; for "Trace" and "Next" lines of the terminal only */
	const char *trace_path;
};

struct sm_report_style {
	bool colour, unicode;
	int columns;
}; /* plain in a pipe */

/* 0, or -EIO when the stream failed. The same trace gives the same bytes. */
int sm_report_json(const struct sm_report *report, FILE *out);
int sm_report_term(const struct sm_report *report, const struct sm_report_style *style, FILE *out);
int sm_report_markdown(const struct sm_report *report, FILE *out);
int sm_report_html(const struct sm_report *report, FILE *out);

#endif
