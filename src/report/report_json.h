/* The report as JSON inside a larger document: the page carries it beside the data of its pictures. */
#ifndef SM_REPORT_REPORT_JSON_H
#define SM_REPORT_REPORT_JSON_H

#include "base/arena.h"
#include "base/json.h"
#include "report/report.h"

int sm_report_json_write(
	struct sm_json *json, const char *key, const struct sm_report *report); /* 0 or -ENOMEM */

/* Its large members. */
void sm_report_json_lines_write(struct sm_json *json, const struct sm_report *report);
void sm_report_json_loaders_write(struct sm_json *json, const struct sm_report *report);
void sm_report_json_findings_write(struct sm_json *json, const struct sm_findings *findings);
int sm_report_json_sessions_write(struct sm_json *json, struct sm_arena *arena,
	const struct sm_model *model); /* 0 or -ENOMEM */

#endif
