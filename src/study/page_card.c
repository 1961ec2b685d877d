/* A finding in words: those of the run's report, so that both say the same of the same. Its rule is told where the program
 * has one under its id; a rule of the user's own is known to the user alone. */
#include "study/page_blocks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const char *said(struct sm_page *page, const char *text)
{
	return sm_phrases_clean(&page->words, text);
}

static int confidence_of(const char *name)
{
	for (int i = SM_CONFIDENCE_LOW; name && i <= SM_CONFIDENCE_HIGH; i++) {
		if (strcmp(name, sm_detect_confidence_name((enum sm_confidence)i)) == 0) {
			return i;
		}
	}
	return -EINVAL;
}

/* The detector's words, under the name and type that were handed in. */
static struct sm_detector rule_of(struct sm_page *page, const struct sm_page_finding *given)
{
	const struct sm_detector *known = given->id ? sm_detect_find(given->id) : NULL;
	struct sm_detector rule = known ? *known : (struct sm_detector){0};
	rule.id = said(page, given->id);
	rule.type = said(page, given->type);
	return rule;
}

static const char *say_cause(struct sm_page *page, const struct sm_page_finding *given)
{
	if (!given->cause_detail || !*given->cause_detail) {
		return said(page, given->cause);
	}
	return sm_phrases_printf(
		&page->words, "%s: %s", said(page, given->cause), said(page, given->cause_detail));
}

/* Where nothing else is known of the place, its stage is. */
static const char *say_name(struct sm_page *page, const struct sm_page_finding *given)
{
	bool has_name = (given->name && *given->name) || (given->file && *given->file);
	if (!has_name && given->stage && *given->stage) {
		return sm_phrases_printf(&page->words, "stage %s", said(page, given->stage));
	}
	return said(page, given->name);
}

static void fill_evidence(
	struct sm_page *page, const struct sm_page_finding *given, struct sm_finding *finding)
{
	for (size_t i = 0; i < given->evidence_count; i++) {
		const struct sm_page_evidence *one = &given->evidence[i];
		finding->evidence[finding->evidence_count++] = (struct sm_evidence){
			said(page, one->metric), one->value, said(page, one->unit)};
	}
}

static void fill_suggestions(
	struct sm_page *page, const struct sm_page_finding *given, struct sm_finding *finding)
{
	for (size_t i = 0; i < given->suggestion_count; i++) {
		const struct sm_study_interval *gain = &given->suggestions[i].speedup;
		finding->suggestions[finding->suggestion_count++] = (struct sm_suggestion){
			.text = said(page, given->suggestions[i].text),
			.speedup = {.low = gain->low, .middle = gain->middle, .high = gain->high}};
	}
}

/* The outline words only settings with whole numbers; these are words already. */
static void fill_changes(
	struct sm_page *page, const struct sm_page_finding *given, struct sm_outline_finding *words)
{
	for (size_t i = 0; i < given->suggestion_count; i++) {
		words->suggestions[i].change = said(page, given->suggestions[i].change);
	}
}

int sm_page_card_build(
	struct sm_page *page, const struct sm_page_finding *given, struct sm_page_card *ret_card)
{
	int confidence = confidence_of(given->confidence);
	if (confidence < 0 || given->evidence_count > SM_PAGE_EVIDENCE_MAX ||
		given->suggestion_count > SM_PAGE_SUGGESTIONS_MAX) {
		return -EINVAL;
	}
	_Static_assert((int)SM_PAGE_EVIDENCE_MAX == (int)SM_EVIDENCE_MAX &&
			       (int)SM_PAGE_SUGGESTIONS_MAX == (int)SM_SUGGESTION_MAX,
		"the bounds of a finding are public");
	ret_card->detector = rule_of(page, given);
	ret_card->finding = (struct sm_finding){.detector = &ret_card->detector,
		.title = given->title && *given->title ? said(page, given->title) : NULL,
		.cause = say_cause(page, given),
		.severity = given->severity.middle,
		.severity_low = given->severity.low,
		.severity_high = given->severity.high,
		.confidence = (enum sm_confidence)confidence,
		.rank = given->rank,
		.loader = given->loader && *given->loader ? said(page, given->loader) : NULL,
		.stage = SM_STAGE_COUNT, /* a page of trials has no stages to link to */
		.name = say_name(page, given),
		.file = said(page, given->file),
		.line = given->line,
		.risk = given->risk && *given->risk ? said(page, given->risk) : NULL};
	fill_evidence(page, given, &ret_card->finding);
	fill_suggestions(page, given, &ret_card->finding);
	sm_outline_findings_say(&page->words, &ret_card->finding, 2, &ret_card->words);
	fill_changes(page, given, &ret_card->words);
	return 0;
}
