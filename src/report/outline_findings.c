/* Findings in words. The detector's templates say what is wrong and what to do; here they get their numbers, and the
 * place in the code that they are about. */
#include "detect/words.h"
#include "report/outline.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* "CPU_INTENSIVE", "too_few_workers": "CPU intensive", "too few workers". */
static const char *say_word(struct sm_phrases *words, const char *type)
{
	char *text = sm_arena_strdup(words->arena, type);
	if (!text) {
		words->failed = true;
		return "";
	}
	for (char *at = text; *at; at++) {
		*at = (char)tolower((unsigned char)*at);
	}
	return sm_phrases_metric(words, text, "");
}

/* The finer word, where it says more than the title. */
static const char *say_cause(
	struct sm_phrases *words, const struct sm_finding *finding, const char *title)
{
	const char *cause = finding->cause ? say_word(words, finding->cause) : "";
	return strcasecmp(cause, title) == 0 ? "" : cause;
}

static const char *say_file(struct sm_phrases *words, const struct sm_finding *finding)
{
	if (!finding->file || !*finding->file) {
		return "";
	}
	return finding->line > 0 ? sm_phrases_printf(words, "%s:%d", finding->file, finding->line)
				 : finding->file;
}

static const char *join(struct sm_phrases *words, const char *left, const char *right)
{
	return *right ? sm_phrases_printf(words, "%s%s%s", left, *left ? ", " : "", right) : left;
}

/* The loader is named only where there are several to choose from. */
static const char *say_where(
	struct sm_phrases *words, const struct sm_finding *finding, size_t loader_count)
{
	const char *where = finding->name ? finding->name : "";
	where = join(words, where, say_file(words, finding));
	if (finding->calls && *finding->calls) {
		where = sm_phrases_printf(words, "%s (%s)", where, finding->calls);
	}
	if (finding->loader && loader_count > 1) {
		where = join(words, where, sm_phrases_printf(words, "loader %s", finding->loader));
	}
	if (finding->rank >= 0) {
		where = join(words, where, sm_phrases_printf(words, "rank %d", finding->rank));
	}
	return sm_phrases_clean(words, where);
}

static const char *say_gives_back(struct sm_phrases *words, const struct sm_finding *finding)
{
	if (isnan(finding->severity)) {
		return finding->risk ? "a risk" : "a symptom";
	}
	const char *share = sm_phrases_share_of(
		words, finding->severity, finding->severity_low, finding->severity_high);
	if (isnan(finding->severity_low) || isnan(finding->severity_high)) {
		return sm_phrases_printf(words, "gives back %s", share);
	}
	return sm_phrases_printf(words, "gives back %s (%s)", share,
		sm_phrases_share_range(words, finding->severity_low, finding->severity_high));
}

bool sm_outline_findings_is_setting(const struct sm_change *change)
{
	return change->key && change->value >= 0;
}

bool sm_outline_findings_is_flag(const struct sm_change *change)
{
	static const char *const flags[] = {"pin_memory", "persistent_workers", "in_order"};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(change->key, flags[i]) == 0) {
			return true;
		}
	}
	return false;
}

static const char *say_one_change(struct sm_phrases *words, const struct sm_change *change)
{
	if (sm_outline_findings_is_flag(change)) {
		return sm_phrases_printf(
			words, "%s=%s", change->key, change->value ? "True" : "False");
	}
	return sm_phrases_printf(words, "%s=%lld", change->key, (long long)change->value);
}

static const char *say_change(struct sm_phrases *words, const struct sm_suggestion *suggestion)
{
	const char *text = "";
	for (size_t i = 0; i < suggestion->change_count; i++) {
		if (sm_outline_findings_is_setting(&suggestion->changes[i])) {
			text = join(words, text, say_one_change(words, &suggestion->changes[i]));
		}
	}
	return text;
}

/* Without a prediction the finding's own size is the bound: no cure does more than take its cause away. */
static const char *say_bound(struct sm_phrases *words, double severity)
{
	if (isnan(severity) || severity >= 1) {
		return "gain not predictable from this run";
	}
	return sm_phrases_printf(words, "not predictable from this run; %s faster at most",
		sm_phrases_times(words, 1 / (1 - severity)));
}

static const char *say_gain(
	struct sm_phrases *words, const struct sm_interval *speedup, double severity)
{
	if (isnan(speedup->middle)) {
		return say_bound(words, severity);
	}
	const char *times = sm_phrases_times(words, speedup->middle);
	if (isnan(speedup->low) || isnan(speedup->high)) {
		return sm_phrases_printf(words, "predicted %s faster", times);
	}
	return sm_phrases_printf(words, "predicted %s faster (%s)", times,
		sm_phrases_times_range(words, speedup->low, speedup->high));
}

static void fill_evidence(
	struct sm_phrases *words, const struct sm_finding *finding, struct sm_outline_finding *row)
{
	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct sm_evidence *evidence = &finding->evidence[i];
		const char *unit = evidence->unit ? evidence->unit : "";
		row->evidence[row->evidence_count++] = (struct sm_outline_pair){
			sm_phrases_clean(words, sm_phrases_metric(words, evidence->metric, unit)),
			sm_phrases_value(words, evidence->value, unit)};
	}
}

static void fill_suggestions(
	struct sm_phrases *words, const struct sm_finding *finding, struct sm_outline_finding *row)
{
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		const struct sm_suggestion *suggestion = &finding->suggestions[i];
		row->suggestions[row->suggestion_count++] = (struct sm_outline_suggestion){
			.text = sm_phrases_clean(words, suggestion->text),
			.change = say_change(words, suggestion),
			.gain = say_gain(words, &suggestion->speedup, finding->severity),
			.speedup = suggestion->speedup.middle};
	}
}

static const char *explain(
	struct sm_phrases *words, const struct sm_detector *detector, const char *text)
{
	const char *filled = text ? sm_words_explain(detector, text, words->arena) : "";
	words->failed |= !filled;
	return filled ? filled : "";
}

static void fill_rule(
	struct sm_phrases *words, const struct sm_detector *detector, struct sm_outline_rule *rule)
{
	*rule = (struct sm_outline_rule){.summary = explain(words, detector, detector->summary),
		.causes = explain(words, detector, detector->causes),
		.evidence = explain(words, detector, detector->evidence),
		.fixes = explain(words, detector, detector->fixes),
		.wrong = explain(words, detector, detector->wrong)};
}

void sm_outline_findings_say(struct sm_phrases *words, const struct sm_finding *finding,
	size_t loader_count, struct sm_outline_finding *ret_row)
{
	const struct sm_detector *detector = finding->detector;
	const char *title = finding->title ? finding->title : detector->title;
	double severity = finding->severity;
	*ret_row = (struct sm_outline_finding){
		.finding = finding,
		.id = detector->id,
		.type = detector->type,
		.title = title ? title : say_word(words, detector->type),
		.cause = say_cause(words, finding, title ? title : ""),
		.where = say_where(words, finding, loader_count),
		.gives_back = say_gives_back(words, finding),
		.confidence = sm_phrases_printf(
			words, "%s confidence", sm_detect_confidence_name(finding->confidence)),
		.risk = sm_phrases_clean(words, finding->risk),
		.shown = isnan(severity) || severity * 100 >= SM_SEVERITY_SHOWN_PERCENT,
	};
	fill_evidence(words, finding, ret_row);
	fill_suggestions(words, finding, ret_row);
	fill_rule(words, detector, &ret_row->rule);
}

static void build_passed(struct sm_outline *outline, const struct sm_findings *findings)
{
	outline->passed =
		sm_outline_alloc(outline, findings->passed_count, sizeof(*outline->passed));
	for (size_t i = 0; outline->passed && i < findings->passed_count; i++) {
		const struct sm_detector *detector = findings->passed[i];
		outline->passed[outline->passed_count++] = sm_phrases_printf(&outline->words,
			"%s %s", detector->id, say_word(&outline->words, detector->type));
	}
}

void sm_outline_findings_build(struct sm_outline *outline, const struct sm_report *report)
{
	const struct sm_findings *findings = report->findings;
	outline->findings = sm_outline_alloc(outline, findings->count, sizeof(*outline->findings));
	for (size_t i = 0; outline->findings && i < findings->count; i++) {
		struct sm_outline_finding *row = &outline->findings[outline->finding_count++];
		sm_outline_findings_say(
			&outline->words, &findings->items[i], report->analysis->loader_count, row);
		outline->shown_count += row->shown;
	}
	build_passed(outline, findings);
}
