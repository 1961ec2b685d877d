/* Runs the detectors and says of each: it found something, it passed, or it could not judge and why. */
#include "detect/detect.h"

#include "detect/hot_place.h"
#include "detect/judge.h"
#include "detect/words.h"

#include <errno.h>
#include <strings.h>

#define DETECTOR(name) extern const struct sm_detector sm_detect_##name;
#include "detect_list.inc"
#undef DETECTOR

const struct sm_detector *const sm_detect_table[] = {
#define DETECTOR(name) &sm_detect_##name,
#include "detect_list.inc"
#undef DETECTOR
};
const int sm_detect_table_count = sizeof(sm_detect_table) / sizeof(sm_detect_table[0]);

static const char *const confidence_names[] = {"low", "medium", "high"};

const char *sm_detect_confidence_name(enum sm_confidence confidence)
{
	return confidence_names[confidence];
}

const struct sm_detector *sm_detect_find(const char *id_or_type)
{
	for (int i = 0; i < sm_detect_table_count; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		if (!strcasecmp(detector->id, id_or_type) ||
			!strcasecmp(detector->type, id_or_type)) {
			return detector;
		}
	}
	return NULL;
}

int sm_detect_place(const struct sm_detector *detector)
{
	int at = 0;
	while (at < sm_detect_table_count && sm_detect_table[at] != detector) {
		at++;
	}
	return at;
}

static bool has_model(const struct sm_analysis *analysis)
{
	for (size_t i = 0; i < analysis->loader_count; i++) {
		if (analysis->loaders[i].model) {
			return true;
		}
	}
	return false;
}

static bool has_steps(const struct sm_analysis *analysis)
{
	for (size_t i = 0; i < analysis->loader_count; i++) {
		if (analysis->loaders[i].steps >= SM_JUDGE_STEPS_LEAST) {
			return true;
		}
	}
	return false;
}

static bool has_causes(const struct sm_analysis *analysis)
{
	for (size_t i = 0; i < analysis->loader_count; i++) {
		for (int stage = 0; stage < SM_STAGE_COUNT; stage++) {
			const struct sm_cause_sum *sum = &analysis->loaders[i].loader->stage[stage];
			if (sum->count > sum->without_cause) {
				return true;
			}
		}
	}
	return false;
}

static const char *why_no_samples(const struct sm_analysis *analysis)
{
	const char *why = "no per-sample times were recorded";
	for (size_t i = 0; i < analysis->loader_count; i++) {
		if (analysis->loaders[i].loader->sample_count) {
			return NULL;
		}
		why = analysis->loaders[i].loader->no_samples_why
			      ? analysis->loaders[i].loader->no_samples_why
			      : why;
	}
	return why;
}

/* NULL when the detector has what it needs. */
static const char *why_not(const struct sm_detector *detector, const struct sm_analysis *analysis)
{
	unsigned needs = detector->needs;
	if ((needs & (SM_NEED_MODEL | SM_NEED_STEPS)) && !analysis->loader_count) {
		return "no loader was iterated";
	}
	if ((needs & SM_NEED_STEPS) && !has_steps(analysis)) {
		return "too few steps were recorded";
	}
	if ((needs & SM_NEED_MODEL) && !has_model(analysis)) {
		return "too little of the loader was seen to replay it";
	}
	if ((needs & SM_NEED_CAUSES) && !has_causes(analysis)) {
		return "no span was long enough to carry what it did with its time";
	}
	if ((needs & SM_NEED_COUNTERS) && !analysis->model->series_count) {
		return "no system counters were sampled";
	}
	return needs & SM_NEED_SAMPLES ? why_no_samples(analysis) : NULL;
}

static bool fired(const struct sm_findings *findings, const struct sm_detector *detector)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->items[i].detector == detector) {
			return true;
		}
	}
	return false;
}

static int judge_one(const struct sm_detector *detector, const struct sm_analysis *analysis,
	struct sm_findings *findings)
{
	const char *lack = why_not(detector, analysis);
	if (lack) {
		return sm_findings_lack(findings, detector, lack);
	}
	size_t lacking = findings->not_judged_count;
	int error = sm_judge_run(detector, analysis, findings);
	if (!error && !fired(findings, detector) && findings->not_judged_count == lacking) {
		findings->passed[findings->passed_count++] = detector;
	}
	return error;
}

static int fill_words(struct sm_findings *findings)
{
	int error = 0;
	for (size_t i = 0; i < findings->count && !error; i++) {
		error = sm_words_fill(&findings->items[i], findings->arena);
	}
	return error;
}

int sm_detect_run(const struct sm_analysis *analysis, struct sm_findings *ret_findings)
{
	struct sm_findings findings = {.arena = analysis->arena};
	findings.passed = sm_arena_alloc(
		analysis->arena, (size_t)sm_detect_table_count * sizeof(struct sm_detector *));
	int error = findings.passed ? 0 : -ENOMEM;
	for (int i = 0; i < sm_detect_table_count && !error; i++) {
		error = judge_one(sm_detect_table[i], analysis, &findings);
	}
	error = error ? error : fill_words(&findings);
	for (size_t i = 0; i < findings.count && !error; i++) {
		sm_hot_place_name(analysis, &findings.items[i]);
	}
	if (!error) {
		sm_findings_sort(&findings);
		*ret_findings = findings;
	}
	return error;
}
