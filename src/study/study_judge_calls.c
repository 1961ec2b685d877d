/* The door to the rules of calls: facts in, findings as JSON out, in the words of report.json. */
#include <stallmeter/calls.h>

#include "base/arena.h"
#include "base/json.h"
#include "detect/judge_calls.h"
#include "report/report_json.h"

#include <errno.h>

static void write_passed(struct sm_json *json, const struct sm_findings *findings)
{
	sm_json_begin_array(json, "passed");
	for (size_t i = 0; i < findings->passed_count; i++) {
		sm_json_string(json, NULL, findings->passed[i]->id);
	}
	sm_json_end(json);
}

static void write_not_judged(struct sm_json *json, const struct sm_findings *findings)
{
	sm_json_begin_array(json, "not_measured");
	for (size_t i = 0; i < findings->not_judged_count; i++) {
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "what", findings->not_judged[i].key);
		sm_json_string(json, "why", findings->not_judged[i].value);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_all(const struct sm_findings *findings, FILE *out)
{
	struct sm_json json;
	sm_json_init(&json, out, 0);
	sm_json_begin_object(&json, NULL);
	sm_report_json_findings_write(&json, findings);
	write_passed(&json, findings);
	write_not_judged(&json, findings);
	sm_json_end(&json);
}

int sm_study_judge_calls(const struct sm_calls *calls, FILE *out)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	struct sm_findings findings;
	int rc = sm_judge_calls_run(calls, &arena, &findings);
	if (!rc) {
		write_all(&findings, out);
		rc = ferror(out) ? -EIO : 0;
	}
	sm_arena_finish(&arena);
	return rc;
}
