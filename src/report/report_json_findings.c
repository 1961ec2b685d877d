#include "report/figures.h"
#include "report/outline.h"
#include "report/report_json.h"

#include <math.h>
#include <string.h>

static void write_where(struct sm_json *json, const struct sm_finding *finding)
{
	bool has_stage = (unsigned)finding->stage < SM_STAGE_COUNT;
	sm_json_begin_object(json, "where");
	sm_json_string(json, "loader", finding->loader);
	sm_json_string(json, "stage", has_stage ? sm_vocabulary_stage_name(finding->stage) : NULL);
	sm_json_string(json, "name", finding->name ? finding->name : "");
	sm_json_string(json, "file", finding->file ? finding->file : "");
	sm_figures_count(json, "line", finding->line > 0 ? finding->line : -1);
	sm_json_string(json, "function", finding->function ? finding->function : "");
	sm_json_string(json, "calls", finding->calls ? finding->calls : "");
	sm_json_end(json);
}

static void write_evidence(struct sm_json *json, const struct sm_finding *finding)
{
	sm_json_begin_array(json, "evidence");
	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct sm_evidence *evidence = &finding->evidence[i];
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "metric", evidence->metric);
		sm_figures_number(json, "value", evidence->value);
		sm_json_string(json, "unit", evidence->unit ? evidence->unit : "");
		sm_json_end(json);
	}
	sm_json_end(json);
}

/* Only what a DataLoader takes as an argument; a change of another kind is in the text alone. */
static void write_change(struct sm_json *json, const struct sm_suggestion *suggestion)
{
	sm_json_begin_object(json, "change");
	for (size_t i = 0; i < suggestion->change_count; i++) {
		const struct sm_change *change = &suggestion->changes[i];
		if (!sm_outline_findings_is_setting(change)) {
			continue;
		}
		if (sm_outline_findings_is_flag(change)) {
			sm_json_bool(json, change->key, change->value > 0);
		} else {
			sm_json_int(json, change->key, change->value);
		}
	}
	sm_json_end(json);
}

static void write_speedup(struct sm_json *json, const struct sm_interval *speedup)
{
	if (isnan(speedup->middle)) {
		sm_json_null(json, "predicted_speedup");
		return;
	}
	sm_figures_numbers(json, "predicted_speedup",
		(double[]){speedup->low, speedup->middle, speedup->high}, 3);
}

static void write_suggestions(struct sm_json *json, const struct sm_finding *finding)
{
	sm_json_begin_array(json, "suggestions");
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		sm_json_begin_object(json, NULL);
		sm_json_string(json, "text", finding->suggestions[i].text);
		write_change(json, &finding->suggestions[i]);
		write_speedup(json, &finding->suggestions[i].speedup);
		sm_json_end(json);
	}
	sm_json_end(json);
}

static void write_severity(struct sm_json *json, const struct sm_finding *finding)
{
	sm_figures_share(json, "severity", finding->severity);
	if (isnan(finding->severity)) {
		sm_json_null(json, "severity_ci");
		return;
	}
	sm_figures_shares(
		json, "severity_ci", (double[]){finding->severity_low, finding->severity_high}, 2);
}

static void write_finding(struct sm_json *json, const struct sm_finding *finding)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "id", finding->detector->id);
	sm_json_string(json, "type", finding->detector->type);
	sm_json_string(json, "title", finding->title ? finding->title : finding->detector->title);
	sm_json_string(json, "cause", finding->cause ? finding->cause : "");
	sm_json_string(json, "cause_detail", finding->cause_detail ? finding->cause_detail : "");
	write_severity(json, finding);
	sm_json_string(json, "confidence", sm_detect_confidence_name(finding->confidence));
	sm_figures_count(json, "rank", finding->rank);
	sm_json_string(json, "risk", finding->risk);
	write_where(json, finding);
	write_evidence(json, finding);
	write_suggestions(json, finding);
	sm_json_end(json);
}

void sm_report_json_findings_write(struct sm_json *json, const struct sm_findings *findings)
{
	sm_json_begin_array(json, "findings");
	for (size_t i = 0; i < findings->count; i++) {
		write_finding(json, &findings->items[i]);
	}
	sm_json_end(json);
}
