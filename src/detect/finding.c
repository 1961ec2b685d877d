#include "detect/detect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void sm_finding_evidence(
	struct sm_finding *finding, const char *metric, double value, const char *unit)
{
	if (isnan(value) || finding->evidence_count == SM_EVIDENCE_MAX) {
		return; /* what was not measured is no evidence */
	}
	finding->evidence[finding->evidence_count++] = (struct sm_evidence){metric, value, unit};
}

struct sm_suggestion *sm_finding_suggest(struct sm_finding *finding, const char *text)
{
	if (finding->suggestion_count == SM_SUGGESTION_MAX) {
		return NULL;
	}
	struct sm_suggestion *suggestion = &finding->suggestions[finding->suggestion_count++];
	*suggestion = (struct sm_suggestion){.text = text, .speedup = {NAN, NAN, NAN}};
	return suggestion;
}

void sm_finding_change(struct sm_suggestion *suggestion, const char *key, int64_t value)
{
	if (suggestion->change_count < SM_CHANGE_MAX) {
		suggestion->changes[suggestion->change_count++] = (struct sm_change){key, value};
	}
}

int sm_finding_place(
	struct sm_finding *finding, struct sm_arena *arena, const char *name, const char *where)
{
	const char *colon = strrchr(where, ':');
	finding->name = name;
	finding->line = colon ? (int)strtol(colon + 1, NULL, 10) : 0;
	size_t length = colon ? (size_t)(colon - where) : strlen(where);
	const char *file = sm_arena_strndup(arena, where, length);
	finding->file = file ? file : "";
	return file ? 0 : -ENOMEM;
}

void sm_finding_doubt(struct sm_finding *finding)
{
	if (finding->confidence > SM_CONFIDENCE_LOW) {
		finding->confidence--;
	}
}
