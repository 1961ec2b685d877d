#include "detect/judge_calls.h"

#include "detect/computing.h"

#include <errno.h>
#include <math.h>

static int look_at_calls(
	const struct sm_detector *detector, const void *subject, struct sm_findings *findings)
{
	const struct sm_judge_calls judge = {detector, subject, findings};
	if (!(judge.calls->need_s > 0)) {
		return sm_judge_calls_lack(&judge, NULL, "no call was timed");
	}
	return detector->look_at_calls(&judge);
}

int sm_judge_calls_run(
	const struct sm_calls *calls, struct sm_arena *arena, struct sm_findings *ret_findings)
{
	struct sm_findings findings;
	int error = sm_detect_begin(&findings, arena);
	for (int i = 0; i < sm_detect_table_count && !error; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		if (detector->look_at_calls) {
			error = sm_detect_note(detector, &findings, look_at_calls, calls);
		}
	}
	error = error ? error : sm_detect_end(&findings);
	if (!error) {
		*ret_findings = findings;
	}
	return error;
}

/* --- severity --- */

static double share_of(double seconds, double of_s)
{
	return isnan(seconds) ? seconds : fmax(0, fmin(1, seconds / of_s));
}

/* As judge.c's: a half-width under a quarter of the severity is high, under 60 % medium. An end that is not known is doubted. */
static enum sm_confidence confidence_of(const struct sm_interval *severity)
{
	double width = (severity->high - severity->low) / 2 / severity->middle;
	if (!(severity->low > 0) || !(width <= 0.6)) {
		return SM_CONFIDENCE_LOW;
	}
	return width > 0.25 ? SM_CONFIDENCE_MEDIUM : SM_CONFIDENCE_HIGH;
}

static int place(const struct sm_judge_calls *judge, struct sm_finding *finding)
{
	const struct sm_calls *calls = judge->calls;
	return sm_finding_place(finding, judge->findings->arena, calls->name ? calls->name : "",
		calls->where ? calls->where : "");
}

int sm_judge_calls_find(const struct sm_judge_calls *judge, const char *cause,
	struct sm_interval saved_s, struct sm_finding **ret_finding)
{
	double need_s = judge->calls->need_s;
	struct sm_interval severity = {.middle = share_of(saved_s.middle, need_s),
		.low = share_of(saved_s.low, need_s),
		.high = share_of(saved_s.high, need_s)};
	*ret_finding = NULL;
	if (!(severity.middle * 100 >= SM_JUDGE_CALLS_WORTH_PERCENT)) {
		return 0;
	}
	struct sm_finding *finding = sm_findings_add(judge->findings, judge->detector, NULL);
	if (!finding) {
		return -ENOMEM;
	}
	finding->cause = cause;
	finding->severity = severity.middle;
	finding->severity_low = severity.low;
	finding->severity_high = severity.high;
	finding->confidence = confidence_of(&severity);
	sm_finding_evidence(finding, "call_s", need_s, "s");
	*ret_finding = finding;
	return place(judge, finding);
}

int sm_judge_calls_prove(const struct sm_judge_calls *judge, const char *cause,
	struct sm_interval saved_s, struct sm_finding **ret_finding)
{
	*ret_finding = NULL;
	return saved_s.low > 0 ? sm_judge_calls_find(judge, cause, saved_s, ret_finding) : 0;
}

int sm_judge_calls_lack(const struct sm_judge_calls *judge, const char *why, const char *otherwise)
{
	return sm_findings_lack(judge->findings, judge->detector, why && why[0] ? why : otherwise);
}

/* --- suggestions --- */

static double speedup_of(double severity)
{
	return severity < 1 ? 1 / (1 - severity) : (double)NAN;
}

/* With too few calls for an interval: from nothing to what the mean says. */
struct sm_interval sm_judge_calls_speedup(const struct sm_finding *finding)
{
	double middle = speedup_of(finding->severity);
	double low = speedup_of(finding->severity_low), high = speedup_of(finding->severity_high);
	return (struct sm_interval){
		.middle = middle, .low = isnan(low) ? 1 : low, .high = isnan(high) ? middle : high};
}

struct sm_suggestion *sm_judge_calls_cure(struct sm_finding *finding, const char *text)
{
	struct sm_suggestion *suggestion = sm_finding_suggest(finding, text);
	if (suggestion) {
		suggestion->speedup = sm_judge_calls_speedup(finding);
	}
	return suggestion;
}

static double spread(double share, double at_a_time)
{
	return 1 / (1 - share + share / at_a_time);
}

/* From nothing, where they get into each other's way, to each having its part. */
void sm_judge_calls_spread(struct sm_finding *finding, const char *text, double at_a_time)
{
	struct sm_suggestion *suggestion = at_a_time > 1 ? sm_finding_suggest(finding, text) : NULL;
	if (suggestion) {
		double most = spread(finding->severity, at_a_time);
		double high = spread(finding->severity_high, at_a_time);
		suggestion->speedup = (struct sm_interval){
			.middle = (1 + most) / 2, .low = 1, .high = isnan(high) ? most : high};
	}
}

/* --- what the facts say --- */

static double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

double sm_judge_calls_work_s(const struct sm_calls *calls)
{
	return calls->cpu_s + or_zero(calls->helper_cpu_s);
}

/* Helper threads work while the caller waits for them: that much of its waiting is theirs. */
double sm_judge_calls_waiting_s(const struct sm_calls *calls)
{
	return fmax(0, calls->blocked_s - or_zero(calls->helper_cpu_s));
}

double sm_judge_calls_python_share(const struct sm_calls *calls)
{
	return calls->cpu_looks >= SM_COMPUTING_LOOKS_LEAST ? calls->python_looks / calls->cpu_looks
							    : (double)NAN;
}
