/* The list of findings: how it grows, and in which order it is told.
 *
 * Findings are sorted by severity, risks last. The model behind a severity is good to a few percent (measuring.md: two
 * laws within 5 % of each other are both named, since neither can be told to be the larger one). So findings whose
 * severities lie within 5 % of the largest of them share one value, the smallest, and stand in the order of the detector
 * list, which puts the cure that costs least first: a setting before a rewrite. Without that, "one worker" would always
 * lose by a hair to "the transform takes time", which is true of every transform that ever ran. */
#include "detect/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct sm_findings *findings)
{
	if (findings->count < findings->capacity) {
		return 0;
	}
	size_t capacity = findings->capacity ? findings->capacity * 2 : 16;
	struct sm_finding *items = sm_arena_alloc(findings->arena, capacity * sizeof(*items));
	if (!items) {
		return -ENOMEM;
	}
	if (findings->count) {
		memcpy(items, findings->items, findings->count * sizeof(*items));
	}
	findings->items = items;
	findings->capacity = capacity;
	return 0;
}

struct sm_finding *sm_findings_add(struct sm_findings *findings, const struct sm_detector *detector,
	const struct sm_loader_analysis *loader)
{
	if (reserve(findings)) {
		return NULL;
	}
	struct sm_finding *finding = &findings->items[findings->count++];
	*finding = (struct sm_finding){
		.detector = detector,
		.cause = "",
		.cause_detail = "",
		.severity = NAN,
		.severity_low = NAN,
		.severity_high = NAN,
		.confidence = SM_CONFIDENCE_HIGH,
		.rank = -1,
		.order = sm_detect_place(detector),
		.loader = loader ? loader->loader->name : NULL,
		.stage = SM_STAGE_COUNT,
		.name = "",
		.file = "",
	};
	return finding;
}

int sm_findings_lack(
	struct sm_findings *findings, const struct sm_detector *detector, const char *why)
{
	for (size_t i = 0; i < findings->not_judged_count; i++) {
		if (findings->not_judged[i].key == detector->id) {
			return 0;
		}
	}
	if (!findings->not_judged) {
		size_t bytes = (size_t)sm_detect_table_count * sizeof(*findings->not_judged);
		findings->not_judged = sm_arena_alloc(findings->arena, bytes);
	}
	if (!findings->not_judged) {
		return -ENOMEM;
	}
	findings->not_judged[findings->not_judged_count++] = (struct sm_pair){detector->id, why};
	return 0;
}

static double rank_of(const struct sm_finding *finding)
{
	return isnan(finding->severity) ? -1 : finding->severity;
}

static int larger_first(const void *a, const void *b)
{
	double left = rank_of(a), right = rank_of(b);
	if (left != right) {
		return left < right ? 1 : -1;
	}
	const struct sm_finding *one = a, *other = b;
	return one->order != other->order ? one->order - other->order
					  : strcmp(one->name, other->name);
}

/* Findings from `first` on that cannot be told from it by their size share one. Returns the end of the group. */
static size_t level(struct sm_finding *items, size_t first, size_t count)
{
	size_t end = first + 1;
	while (end < count && items[end].severity * 100 >=
				      items[first].severity * (100 - SM_SEVERITY_ALIKE_PERCENT)) {
		end++;
	}
	for (size_t i = first; i < end; i++) {
		items[i].severity = items[end - 1].severity;
		items[i].severity_low = fmin(items[i].severity_low, items[i].severity);
	}
	return end;
}

void sm_findings_sort(struct sm_findings *findings)
{
	if (!findings->count) {
		return;
	}
	qsort(findings->items, findings->count, sizeof(*findings->items), larger_first);
	for (size_t i = 0; i < findings->count && !isnan(findings->items[i].severity);) {
		i = level(findings->items, i, findings->count);
	}
	qsort(findings->items, findings->count, sizeof(*findings->items), larger_first);
}

size_t sm_findings_shown_count(const struct sm_findings *findings)
{
	size_t count = 0;
	while (count < findings->count &&
		findings->items[count].severity * 100 >= SM_SEVERITY_SHOWN_PERCENT) {
		count++;
	}
	return count;
}
