#include "cli/report_run.h"

#include "base/str.h"
#include "cli/command.h"
#include "cli/open_run.h"
#include "cli/output.h"

#include <errno.h>
#include <unistd.h>

static int write_json(const void *context, FILE *out)
{
	return sm_report_json(context, out);
}

static int write_html(const void *context, FILE *out)
{
	return sm_report_html(context, out);
}

static int leave(const char *directory, const char *name,
	int (*write)(const void *context, FILE *out), const struct sm_report *report)
{
	struct sm_str path = SM_STR_EMPTY;
	sm_str_addf(&path, "%s/%s", directory, name);
	int rc = path.failed ? -ENOMEM : 0;
	if (!rc && access(sm_str_text(&path), F_OK) != 0) {
		rc = sm_output_write(sm_str_text(&path), write, report);
	}
	sm_str_finish(&path);
	return rc;
}

int sm_report_run(const char *directory, FILE *verdict)
{
	struct sm_reading reading;
	int code = sm_open_run(&reading, directory);
	if (code) {
		return code;
	}
	int rc = leave(directory, "report.json", write_json, &reading.report);
	rc = leave(directory, "report.html", write_html, &reading.report) || rc;
	if (verdict) {
		struct sm_report_style style = sm_output_style(verdict);
		rc = sm_report_term(&reading.report, &style, verdict) || rc;
	}
	sm_reading_finish(&reading);
	return rc ? SM_EXIT_ENVIRONMENT : 0;
}
