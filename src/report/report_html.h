/* The parts of the page that stand in its source and need no script. */
#ifndef SM_REPORT_REPORT_HTML_H
#define SM_REPORT_REPORT_HTML_H

#include "report/outline.h"

#include <stdio.h>

void sm_report_html_verdict_write(FILE *out, const struct sm_outline *outline);
void sm_report_html_findings_write(FILE *out, const struct sm_outline *outline);
/* One card; pages of other kinds have findings too. */
void sm_report_html_findings_write_one(FILE *out, const struct sm_outline_finding *row, int number);
/* The picture of the loader that feeds the training; the tables of all loaders. */
void sm_report_html_loaders_pipeline_write(FILE *out, const struct sm_outline *outline);
void sm_report_html_lines_write(FILE *out, const struct sm_outline *outline);
void sm_report_html_loaders_write(FILE *out, const struct sm_outline *outline);
void sm_report_html_sessions_write(FILE *out, const struct sm_outline *outline);
/* The table of metrics and the log of alerts. */
void sm_report_html_monitor_write(FILE *out, const struct sm_outline *outline);
void sm_report_html_run_write(FILE *out, const struct sm_outline *outline);
/* The data of the pictures, as JSON: the report itself, the steps over time, the lanes, and the verdict as Markdown. */
int sm_report_html_data_write(FILE *out, const struct sm_report *report);

#endif
