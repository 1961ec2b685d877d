#include "detect/judge.h"

#include "detect/cpu_taken.h"

#include <errno.h>
#include <math.h>

static const struct sm_cure NO_CURE = {.kind = SM_CURE_NONE};

static bool can_be_judged(const struct sm_loader_analysis *loader)
{
	return loader->model && loader->steps >= SM_JUDGE_STEPS_LEAST;
}

int sm_judge_run(const struct sm_detector *detector, const struct sm_analysis *analysis,
	struct sm_findings *findings)
{
	struct sm_judge judge = {detector, analysis, NULL, findings};
	if (detector->look_at_run) {
		return detector->look_at_run(&judge);
	}
	int error = 0;
	for (size_t i = 0; i < analysis->loader_count && !error; i++) {
		judge.loader = &analysis->loaders[i];
		error = can_be_judged(judge.loader) ? detector->look_at_loader(&judge) : 0;
	}
	return error;
}

/* The loader's part of the run's time. */
static double part_of_run(const struct sm_judge *judge)
{
	return judge->analysis->time_s > 0
		       ? fmin(1, judge->loader->time_s / judge->analysis->time_s)
		       : 0;
}

int sm_judge_try(const struct sm_judge *judge, const struct sm_setting *setting,
	const struct sm_cure *cure, struct sm_interval *ret_severity)
{
	int error = sm_loader_model_severity(
		judge->loader->model, setting, cure ? cure : &NO_CURE, ret_severity);
	double part = part_of_run(judge);
	ret_severity->low *= part;
	ret_severity->middle *= part;
	ret_severity->high *= part;
	return error;
}

bool sm_judge_is_worth(const struct sm_interval *severity)
{
	return severity->middle * 100 >= SM_JUDGE_WORTH_PERCENT; /* false for NaN */
}

static enum sm_confidence confidence_of(const struct sm_interval *severity)
{
	double width = (severity->high - severity->low) / 2 / severity->middle;
	if (!(severity->low > 0) || width > 0.6) {
		return SM_CONFIDENCE_LOW;
	}
	return width > 0.25 ? SM_CONFIDENCE_MEDIUM : SM_CONFIDENCE_HIGH;
}

struct sm_finding *sm_judge_find(const struct sm_judge *judge, const char *cause,
	enum sm_stage stage, const struct sm_interval *severity)
{
	struct sm_finding *finding =
		sm_findings_add(judge->findings, judge->detector, judge->loader);
	if (finding) {
		finding->cause = cause;
		finding->stage = stage;
		finding->rank = judge->loader->loader->rank;
		finding->severity = severity->middle;
		finding->severity_low = severity->low;
		finding->severity_high = severity->high;
		finding->confidence = confidence_of(severity);
	}
	return finding;
}

int sm_judge_propose(const struct sm_judge *judge, const char *cause, enum sm_stage stage,
	const struct sm_setting *setting, const struct sm_cure *cure,
	struct sm_finding **ret_finding)
{
	struct sm_interval severity;
	*ret_finding = NULL;
	int error = sm_judge_try(judge, setting, cure, &severity);
	if (error || !sm_judge_is_worth(&severity)) {
		return error;
	}
	*ret_finding = sm_judge_find(judge, cause, stage, &severity);
	return *ret_finding ? 0 : -ENOMEM;
}

/* Speed-up of the run when one loader's part of it becomes `speedup` times as fast. */
static double of_run(double speedup, double part)
{
	return 1 / (1 - part + part / speedup);
}

static void list_changes(struct sm_suggestion *suggestion, const struct sm_setting *from,
	const struct sm_setting *to)
{
	if (to->num_workers != from->num_workers) {
		sm_finding_change(suggestion, "num_workers", to->num_workers);
	}
	if (to->prefetch_factor != from->prefetch_factor && to->num_workers > 0 &&
		from->num_workers > 0) {
		sm_finding_change(suggestion, "prefetch_factor", to->prefetch_factor);
	}
	if (to->persistent_workers != from->persistent_workers) {
		sm_finding_change(suggestion, "persistent_workers", to->persistent_workers);
	}
	if (to->in_order != from->in_order) {
		sm_finding_change(suggestion, "in_order", to->in_order);
	}
	if (to->pin_memory != from->pin_memory) {
		sm_finding_change(suggestion, "pin_memory", to->pin_memory);
	}
}

static int add_setting(const struct sm_judge *judge, struct sm_finding *finding, const char *text,
	const struct sm_setting *setting, double least)
{
	struct sm_interval speedup;
	int error = sm_loader_model_speedup(judge->loader->model, setting, &speedup);
	if (error || !(speedup.middle >= least)) {
		return error;
	}
	struct sm_suggestion *suggestion = sm_finding_suggest(finding, text);
	if (suggestion) {
		struct sm_setting recorded = sm_loader_model_setting(judge->loader->model);
		double part = part_of_run(judge);
		suggestion->speedup = (struct sm_interval){of_run(speedup.low, part),
			of_run(speedup.middle, part), of_run(speedup.high, part)};
		list_changes(suggestion, &recorded, setting);
	}
	return 0;
}

int sm_judge_suggest(const struct sm_judge *judge, struct sm_finding *finding, const char *text,
	const struct sm_setting *setting)
{
	return add_setting(judge, finding, text, setting, 1 + SM_JUDGE_WORTH_PERCENT / 100.0);
}

int sm_judge_offer(const struct sm_judge *judge, struct sm_finding *finding, const char *text,
	const struct sm_setting *setting)
{
	return add_setting(judge, finding, text, setting, 1 - SM_JUDGE_HARMLESS_PERCENT / 100.0);
}

void sm_judge_widen(struct sm_interval *speedup, double unsure_share)
{
	speedup->low = 1 + (speedup->low - 1) * (1 - unsure_share);
	speedup->middle = 1 + (speedup->middle - 1) * (1 - unsure_share / 2);
}

int sm_judge_suggest_workers(const struct sm_judge *judge, struct sm_finding *finding)
{
	struct sm_setting recorded = sm_loader_model_setting(judge->loader->model), best;
	int error = sm_loader_model_best_workers(judge->loader->model, &best);
	if (error || best.num_workers == recorded.num_workers) {
		return error;
	}
	size_t before = finding->suggestion_count;
	error = sm_judge_suggest(
		judge, finding, "Set num_workers={num_workers} on the DataLoader.", &best);
	if (!error && finding->suggestion_count > before) {
		struct sm_interval *speedup = &finding->suggestions[before].speedup;
		const struct sm_cpu_taken taken =
			sm_cpu_taken_of(judge->analysis, judge->loader->loader);
		sm_judge_widen(speedup, sm_cpu_taken_contested_share(&taken, speedup->middle));
	}
	return error;
}

int sm_judge_suggest_prefetch(const struct sm_judge *judge, struct sm_finding *finding)
{
	struct sm_setting recorded = sm_loader_model_setting(judge->loader->model), best;
	if (recorded.num_workers < 1) {
		return 0;
	}
	int error = sm_loader_model_best_prefetch(judge->loader->model, &best);
	if (error || best.prefetch_factor <= recorded.prefetch_factor) {
		return error;
	}
	return sm_judge_suggest(
		judge, finding, "Set prefetch_factor={prefetch_factor} on the DataLoader.", &best);
}

double sm_judge_busy_share(const struct sm_loader *loader)
{
	double busy = 0, alive = 0;
	for (size_t i = 0; i < loader->worker_count; i++) {
		busy += (double)loader->workers[i].busy_ns;
		alive += (double)loader->workers[i].alive_ns;
	}
	return alive > 0 ? busy / alive : (double)NAN;
}

/* Of a long run some batches were left out. */
double sm_judge_samples(const struct sm_loader *loader)
{
	double kept = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		kept += loader->batches[i].count;
	}
	return loader->batch_count
		       ? kept / (double)loader->batch_count * (double)loader->batch_total
		       : 0;
}
