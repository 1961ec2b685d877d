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

static int look_at_analysis(
	const struct sm_detector *detector, const void *subject, struct sm_findings *findings)
{
	const struct sm_analysis *analysis = subject;
	const char *lack = why_not(detector, analysis);
	return lack ? sm_findings_lack(findings, detector, lack)
		    : sm_judge_run(detector, analysis, findings);
}

int sm_detect_note(const struct sm_detector *detector, struct sm_findings *findings,
	int (*look)(const struct sm_detector *, const void *, struct sm_findings *),
	const void *subject)
{
	size_t found = findings->count, lacking = findings->not_judged_count;
	int error = look(detector, subject, findings);
	if (!error && findings->count == found && findings->not_judged_count == lacking) {
		findings->passed[findings->passed_count++] = detector;
	}
	return error;
}

int sm_detect_begin(struct sm_findings *findings, struct sm_arena *arena)
{
	*findings = (struct sm_findings){.arena = arena};
	findings->passed =
		sm_arena_alloc(arena, (size_t)sm_detect_table_count * sizeof(struct sm_detector *));
	return findings->passed ? 0 : -ENOMEM;
}

int sm_detect_end(struct sm_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		int error = sm_words_fill(&findings->items[i], findings->arena);
		if (error) {
			return error;
		}
	}
	sm_findings_sort(findings);
	return 0;
}

int sm_detect_run(const struct sm_analysis *analysis, struct sm_findings *ret_findings)
{
	struct sm_findings findings;
	int error = sm_detect_begin(&findings, analysis->arena);
	for (int i = 0; i < sm_detect_table_count && !error; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		if (!detector->look_at_calls) {
			error = sm_detect_note(detector, &findings, look_at_analysis, analysis);
		}
	}
	for (size_t i = 0; !error && i < findings.count; i++) {
		sm_hot_place_name(analysis, &findings.items[i]);
	}
	error = error ? error : sm_detect_end(&findings);
	if (!error) {
		*ret_findings = findings;
	}
	return error;
}
