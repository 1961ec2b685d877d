#include "detect/words.h"

#include "detect/judge.h"

#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct scale {
	double above, unit;
	const char *name;
};
static const struct scale seconds[] = {
	{1, 1, "s"}, {1e-3, 1e-3, "ms"}, {1e-6, 1e-6, "us"}, {0, 1e-9, "ns"}};
static const struct scale bytes[] = {
	{1e9, 1e9, "GB"}, {1e6, 1e6, "MB"}, {1e3, 1e3, "kB"}, {0, 1, "B"}};

static void add_scaled(struct sm_str *text, const struct scale *scale, double value)
{
	while (value < scale->above) {
		scale++;
	}
	sm_str_addf(text, "%.3g %s", value / scale->unit, scale->name);
}

static void add_value(struct sm_str *text, double value, const char *unit)
{
	if (!strcmp(unit, "share")) {
		sm_str_addf(text, "%.0f %%", value * 100);
	} else if (!strcmp(unit, "s")) {
		add_scaled(text, seconds, value);
	} else if (!strcmp(unit, "bytes")) {
		add_scaled(text, bytes, value);
	} else if (!strcmp(unit, "count") && value == floor(value)) {
		sm_str_addf(text, "%.0f", value);
	} else {
		sm_str_addf(text, "%.3g", value);
	}
}

static bool is_word(const char *key, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(key, word, length);
}

static const struct sm_bound common_bounds[] = {
	{"WORTH_PERCENT", SM_JUDGE_WORTH_PERCENT},
	{"STEPS_LEAST", SM_JUDGE_STEPS_LEAST},
	{"SHOWN_PERCENT", SM_SEVERITY_SHOWN_PERCENT},
	{"ALIKE_PERCENT", SM_SEVERITY_ALIKE_PERCENT},
	{0},
};

static bool add_bound(
	struct sm_str *text, const char *key, size_t length, const struct sm_bound *bounds)
{
	for (const struct sm_bound *bound = bounds; bound && bound->name; bound++) {
		if (is_word(key, length, bound->name)) {
			sm_str_addf(text, "%d", bound->value);
			return true;
		}
	}
	return false;
}

/* What a template is about; NULL parts have nothing to say. */
struct subject {
	const struct sm_detector *detector;
	const struct sm_finding *finding;
	const struct sm_suggestion *suggestion;
};

static bool add_change(
	struct sm_str *text, const char *key, size_t length, const struct sm_suggestion *suggestion)
{
	for (size_t i = 0; suggestion && i < suggestion->change_count; i++) {
		if (is_word(key, length, suggestion->changes[i].key)) {
			sm_str_addf(text, "%lld", (long long)suggestion->changes[i].value);
			return true;
		}
	}
	return false;
}

static bool add_evidence(
	struct sm_str *text, const char *key, size_t length, const struct sm_finding *finding)
{
	for (size_t i = 0; i < finding->evidence_count; i++) {
		if (is_word(key, length, finding->evidence[i].metric)) {
			add_value(text, finding->evidence[i].value, finding->evidence[i].unit);
			return true;
		}
	}
	return false;
}

static bool add_place(
	struct sm_str *text, const char *key, size_t length, const struct sm_finding *finding)
{
	if (is_word(key, length, "name")) {
		sm_str_add(text, finding->name[0] ? finding->name : "it");
	} else if (is_word(key, length, "loader") && finding->loader) {
		sm_str_add(text, finding->loader);
	} else {
		return false;
	}
	return true;
}

/* Adds what `key` stands for; false for a key that means nothing here. */
static bool add_meaning(
	struct sm_str *text, const char *key, size_t length, const struct subject *subject)
{
	const struct sm_finding *finding = subject->finding;
	return add_bound(text, key, length, common_bounds) ||
	       add_bound(text, key, length, subject->detector->bounds) ||
	       add_change(text, key, length, subject->suggestion) ||
	       (finding && (add_evidence(text, key, length, finding) ||
				   add_place(text, key, length, finding)));
}

/* A key that means nothing here is left standing with its braces, where a test and a reader will see it. */
static char *fill(const char *template, const struct subject *subject, struct sm_arena *arena)
{
	struct sm_str text = SM_STR_EMPTY;
	for (const char *at = template; *at;) {
		size_t plain = strcspn(at, "{");
		sm_str_add_bytes(&text, at, plain);
		at += plain;
		const char *close = *at ? strchr(at, '}') : NULL;
		if (close && add_meaning(&text, at + 1, (size_t)(close - at - 1), subject)) {
			at = close + 1;
		} else if (*at) {
			sm_str_add_bytes(&text, at++, 1);
		}
	}
	char *filled = text.failed ? NULL : sm_arena_strdup(arena, sm_str_text(&text));
	sm_str_finish(&text);
	return filled;
}

int sm_words_fill(struct sm_finding *finding, struct sm_arena *arena)
{
	struct subject subject = {finding->detector, finding, NULL};
	if (finding->risk && !(finding->risk = fill(finding->risk, &subject, arena))) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		subject.suggestion = &finding->suggestions[i];
		finding->suggestions[i].text = fill(finding->suggestions[i].text, &subject, arena);
		if (!finding->suggestions[i].text) {
			return -ENOMEM;
		}
	}
	return 0;
}

char *sm_words_explain(const struct sm_detector *detector, const char *text, struct sm_arena *arena)
{
	const struct subject subject = {detector, NULL, NULL};
	return fill(text, &subject, arena);
}
