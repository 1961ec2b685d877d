/* What was watched while the job ran: the table of metrics, and the log of alerts. */
#include "report/metrics.h"
#include "report/outline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_SEPARATOR = '\x1f' };

static const struct {
	const char *kind, *label;
} kinds[] = {
	{"memory", "memory in use"},
	{"gpu_memory", "device memory in use"},
	{"cpu", "CPU saturated"},
	{"io", "waiting for disks"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *sm_outline_monitor_label(struct sm_phrases *words, const char *kind)
{
	for (int i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].kind, kind) == 0) {
			return kinds[i].label;
		}
	}
	return sm_phrases_clean(words, kind);
}

/* --- alerts --- */

/* The end of the alert that begins at `place`; NULL: it lasted to the end of the run. */
static const struct sm_alert *end_of(const struct sm_model *model, size_t place)
{
	for (size_t i = place + 1; i < model->alert_count; i++) {
		const struct sm_alert *alert = &model->alerts[i];
		if (!alert->begins && strcmp(alert->kind, model->alerts[place].kind) == 0) {
			return alert;
		}
	}
	return NULL;
}

static void add_alert(struct sm_outline *outline, const struct sm_model *model, size_t place)
{
	struct sm_phrases *words = &outline->words;
	const struct sm_alert *alert = &model->alerts[place], *end = end_of(model, place);
	outline->alerts[outline->alert_count++] = (struct sm_outline_alert){
		.at = sm_phrases_seconds(words, alert->time_s),
		.what = sm_outline_monitor_label(words, alert->kind),
		.value = sm_phrases_share(words, alert->value),
		.threshold = sm_phrases_share(words, alert->threshold),
		.lasted =
			end ? sm_phrases_seconds(words, end->time_s - alert->time_s) : "to the end",
	};
}

static void build_alerts(struct sm_outline *outline, const struct sm_model *model)
{
	outline->alerts = sm_outline_alloc(outline, model->alert_count, sizeof(*outline->alerts));
	for (size_t i = 0; outline->alerts && i < model->alert_count; i++) {
		if (model->alerts[i].begins) {
			add_alert(outline, model, i);
		}
	}
}

/* Whether the list of what was watched ("cpu=0.95<1f>io=0.3") holds that kind; its threshold. */
static bool is_watched(const char *list, const char *kind, double *ret_threshold)
{
	size_t length = strlen(kind);
	for (const char *at = list; at; at = strchr(at, LIST_SEPARATOR)) {
		at += *at == LIST_SEPARATOR;
		if (strncmp(at, kind, length) == 0 && at[length] == '=') {
			*ret_threshold = strtod(at + length + 1, NULL);
			return true;
		}
	}
	return false;
}

static const char *add_word(struct sm_phrases *words, const char *list, const char *word)
{
	return sm_phrases_printf(words, "%s%s%s", list, *list ? ", " : "", word);
}

/* That there was no alert says nothing of what nobody watched. */
static const char *say_watched(struct sm_phrases *words, const char *list, bool is_quiet)
{
	const char *watched = "", *blind = "";
	for (int i = 0; list && i < KINDS; i++) {
		double threshold;
		if (is_watched(list, kinds[i].kind, &threshold)) {
			watched = add_word(words, watched,
				sm_phrases_printf(words, "%s above %s", kinds[i].label,
					sm_phrases_share(words, threshold)));
		} else {
			blind = add_word(words, blind, kinds[i].label);
		}
	}
	if (!list) {
		return "Nothing was watched for alerts.";
	}
	return sm_phrases_printf(words, "%sWatched: %s.%s%s%s", is_quiet ? "None. " : "",
		*watched ? watched : "nothing", *blind ? " Not watched: " : "", blind,
		*blind ? "." : "");
}

/* --- metrics --- */

static struct sm_outline_metric fill_row(struct sm_phrases *words, const struct sm_metrics_row *row)
{
	const struct sm_metrics_summary *summary = &row->summary;
	return (struct sm_outline_metric){
		.title = row->title,
		.description = row->detail ? sm_phrases_printf(
						     words, "%s; %s", row->description, row->detail)
					   : row->description,
		.mean = sm_phrases_value(words, summary->mean, row->unit),
		.least = sm_phrases_value(words, summary->minimum, row->unit),
		.most = sm_phrases_value(words, summary->maximum, row->unit),
		.last = sm_phrases_value(words, summary->last, row->unit),
		.missing = row->missing ? sm_phrases_clean(words, row->missing) : "",
	};
}

static struct sm_outline_metric fill_part(
	struct sm_phrases *words, const struct sm_metrics_part *part, const char *unit)
{
	const struct sm_metrics_summary *summary = &part->summary;
	return (struct sm_outline_metric){
		.title = sm_phrases_clean(words, part->name),
		.description = "",
		.mean = sm_phrases_value(words, summary->mean, unit),
		.least = sm_phrases_value(words, summary->minimum, unit),
		.most = sm_phrases_value(words, summary->maximum, unit),
		.last = sm_phrases_value(words, summary->last, unit),
		.missing = "",
		.is_part = true,
	};
}

/* Of one part there is nothing to compare. Of the two rows of CPUs the one of the cores has them. */
static size_t parts_shown(const struct sm_metrics_row *row)
{
	return row->part_count > 1 && strcmp(row->name, "cpu_usage") != 0 ? row->part_count : 0;
}

static void build_metrics(struct sm_outline *outline, const struct sm_report *report)
{
	struct sm_metrics metrics = {0};
	size_t room = 0;
	if (sm_metrics_build(&metrics, &outline->arena, report)) {
		outline->words.failed = true;
		return;
	}
	for (size_t i = 0; i < metrics.row_count; i++) {
		room += 1 + parts_shown(&metrics.rows[i]);
	}
	outline->metrics = sm_outline_alloc(outline, room, sizeof(*outline->metrics));
	for (size_t i = 0; outline->metrics && i < metrics.row_count; i++) {
		const struct sm_metrics_row *row = &metrics.rows[i];
		outline->metrics[outline->metric_count++] = fill_row(&outline->words, row);
		for (size_t part = 0; part < parts_shown(row); part++) {
			outline->metrics[outline->metric_count++] =
				fill_part(&outline->words, &row->parts[part], row->unit);
		}
	}
}

void sm_outline_monitor_build(struct sm_outline *outline, const struct sm_report *report)
{
	build_metrics(outline, report);
	build_alerts(outline, report->model);
	outline->watched = say_watched(&outline->words, sm_model_fact(report->model, "watched"),
		!report->model->alert_count);
}
