#include "live/judgement.h"

#include "report/outline.h"
#include "report/text.h"

#include <string.h>

void sm_judgement_text(char *into, size_t bytes, const char *text)
{
	size_t used = 0;
	while (text && *text) {
		uint32_t point;
		size_t step = sm_text_point(text, &point);
		bool harmless = sm_text_is_harmless(point);
		size_t want = harmless ? step : 1;
		if (used + want >= bytes) {
			break;
		}
		memcpy(into + used,
			harmless			 ? text
			: point == '\n' || point == '\t' ? " "
							 : "?",
			want);
		used += want;
		text += step;
	}
	into[used] = '\0';
}
#define TAKE(field, text) sm_judgement_text((field), sizeof(field), (text))

static void take_verdict(struct sm_judgement *judgement, const struct sm_report *report,
	const struct sm_outline *outline)
{
	const struct sm_verdict *verdict = &report->analysis->verdict;
	judgement->class_ = verdict->class_;
	TAKE(judgement->class_name, sm_analysis_class_name(verdict->class_));
	TAKE(judgement->word, outline->verdict);
	TAKE(judgement->title, outline->title);
	TAKE(judgement->sentence, outline->sentence);
	TAKE(judgement->missing, verdict->missing);
	TAKE(judgement->stall, outline->stall);
	TAKE(judgement->stall_range, outline->stall_range);
	TAKE(judgement->step, outline->step);
	judgement->stall_share = verdict->exposed_stall_share;
	judgement->stall_low = verdict->exposed_low;
	judgement->stall_high = verdict->exposed_high;
	judgement->hidden_share = verdict->hidden_wait_share;
	judgement->ceiling_speedup = verdict->ceiling_speedup;
}

static void take_steps(struct sm_judgement *judgement, const struct sm_analysis *analysis)
{
	judgement->steps = (double)analysis->steps.count;
	judgement->mean_step_s = analysis->steps.mean_s;
	judgement->p50_step_s = analysis->steps.p50_s;
	judgement->p95_step_s = analysis->steps.p95_s;
	judgement->samples_per_s = analysis->steps.samples_per_s;
	judgement->wall_s = analysis->wall_s;
}

static void take_parts(struct sm_judgement *judgement, const struct sm_outline *outline)
{
	for (size_t i = 0; i < outline->part_count && i < SM_JUDGEMENT_PARTS; i++) {
		struct sm_judged_part *part = &judgement->parts[judgement->part_count++];
		TAKE(part->name, outline->parts[i].name);
		TAKE(part->value, outline->parts[i].value);
		part->share = outline->parts[i].share;
		part->kind = outline->parts[i].kind;
	}
}

static void take_loader(struct sm_judged_loader *into, const struct sm_outline_loader *loader)
{
	TAKE(into->settings, loader->settings);
	into->ordinal = loader->loader->loader->ordinal;
	into->main_pid = loader->loader->loader->main_pid;
	into->feeds_training = loader->feeds_training;
	into->background = loader->loader->loader->background;
	into->stall_share = loader->loader->exposed_share;
	into->ceiling_speedup = loader->loader->ceiling_speedup;
	for (size_t i = 0; i < loader->stage_count; i++) {
		struct sm_judged_stage *stage = &into->stages[into->stage_count++];
		stage->stage = loader->stages[i].stage;
		stage->share = loader->stages[i].share;
		TAKE(stage->per_step, loader->stages[i].per_step);
		TAKE(stage->spent, loader->stages[i].spent);
	}
}

static void take_finding(struct sm_judgement *judgement, const struct sm_outline_finding *finding)
{
	if (judgement->finding_count >= SM_JUDGEMENT_FINDINGS) {
		return;
	}
	struct sm_judged_finding *into = &judgement->findings[judgement->finding_count++];
	TAKE(into->id, finding->id);
	TAKE(into->type, finding->type);
	TAKE(into->title, finding->title);
	TAKE(into->where, finding->where);
	TAKE(into->gives_back, finding->gives_back);
	TAKE(into->risk, finding->risk);
	into->severity = finding->finding->severity;
	into->severity_low = finding->finding->severity_low;
	into->severity_high = finding->finding->severity_high;
	into->shown = finding->shown;
}

static void take_findings(struct sm_judgement *judgement, const struct sm_outline *outline)
{
	for (int shown = 1; shown >= 0; shown--) {
		for (size_t i = 0; i < outline->finding_count; i++) {
			if (outline->findings[i].shown == (bool)shown) {
				take_finding(judgement, &outline->findings[i]);
			}
		}
	}
	judgement->shown_count = outline->shown_count;
	judgement->passed_count = outline->passed_count;
}

int sm_judgement_fill(struct sm_judgement *judgement, const struct sm_report *report, bool unicode)
{
	struct sm_outline outline;
	int error = sm_outline_build(&outline, report, unicode);
	if (error) {
		return error;
	}
	*judgement = (struct sm_judgement){0};
	take_verdict(judgement, report, &outline);
	take_steps(judgement, report->analysis);
	take_parts(judgement, &outline);
	for (size_t i = 0; i < outline.loader_count && i < SM_JUDGEMENT_LOADERS; i++) {
		take_loader(&judgement->loaders[judgement->loader_count++], &outline.loaders[i]);
	}
	take_findings(judgement, &outline);
	sm_outline_finish(&outline);
	return 0;
}
