/* What was run, what it cost to watch, and what was not seen. */
#include "report/metrics.h"
#include "report/not_measured.h"
#include "report/outline.h"

#include <math.h>
#include <string.h>
#include <time.h>

static const char *say_command(struct sm_phrases *words, const char *fact)
{
	char *text = sm_arena_strdup(words->arena, fact ? fact : "");
	if (!text) {
		words->failed = true;
		return "";
	}
	for (char *at = text; *at; at++) {
		*at = *at == '\x1f' ? ' ' : *at;
	}
	return sm_phrases_clean(words, text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static bool is_script(const char *word)
{
	size_t length = strlen(word);
	return length > 3 && strcmp(word + length - 3, ".py") == 0;
}

/* What the user thinks of as the program: the script, the module behind -m, else the command itself. */
static const char *find_program(struct sm_phrases *words, const char *fact)
{
	const char *first = NULL;
	bool after_m = false;
	while (fact && *fact) {
		const char *end = strchrnul(fact, '\x1f');
		const char *word = sm_phrases_printf(words, "%.*s", (int)(end - fact), fact);
		if (after_m || is_script(word)) {
			return base_name(word);
		}
		after_m = strcmp(word, "-m") == 0;
		first = first ? first : base_name(word);
		fact = *end ? end + 1 : end;
	}
	return first;
}

static const char *say_title(struct sm_outline *outline, const struct sm_report *report)
{
	const char *name = sm_model_fact(report->model, "name");
	if (!name || !*name) {
		name = find_program(&outline->words, sm_model_fact(report->model, "command"));
	}
	return sm_phrases_clean(&outline->words, name && *name ? name : report->trace_path);
}

static const char *say_started(struct sm_phrases *words, int64_t real_ns)
{
	char text[64];
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm utc;
	if (real_ns <= 0 || !gmtime_r(&seconds, &utc) ||
		!strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc)) {
		return "";
	}
	return sm_phrases_clean(words, text);
}

static const char *say_facts(struct sm_phrases *words, const struct sm_report *report)
{
	const struct sm_analysis *analysis = report->analysis;
	const char *text = sm_phrases_printf(words, "%s step%s",
		sm_phrases_count(words, (double)analysis->steps.count),
		analysis->steps.count == 1 ? "" : "s");
	if (!isnan(analysis->wall_s)) {
		text = sm_phrases_printf(
			words, "%s, %s", sm_phrases_seconds(words, analysis->wall_s), text);
	}
	if (analysis->steps.warmup) {
		text = sm_phrases_printf(words, "%s (%s of them warm-up)", text,
			sm_phrases_count(words, (double)analysis->steps.warmup));
	}
	return report->model->ranks > 1
		       ? sm_phrases_printf(words, "%s, %d ranks", text, report->model->ranks)
		       : text;
}

static const char *say_broken(struct sm_phrases *words, const struct sm_model *model)
{
	if (model->complete) {
		return "";
	}
	if (model->events_lost) {
		return sm_phrases_printf(words,
			"incomplete: %s of %s events were lost, so parts of the run are missing",
			sm_phrases_count(words, (double)model->events_lost),
			sm_phrases_count(words, (double)(model->events + model->events_lost)));
	}
	return "incomplete: the run ended before it was closed; what was recorded up to then is "
	       "judged";
}

static const char *say_overhead(struct sm_phrases *words, const struct sm_analysis *analysis)
{
	if (isnan(analysis->own_cpu_s)) {
		return "overhead unknown";
	}
	const char *seconds = sm_phrases_seconds(words, analysis->own_cpu_s);
	return isnan(analysis->own_cpu_share)
		       ? sm_phrases_printf(words, "overhead %s of CPU time", seconds)
		       : sm_phrases_printf(words, "overhead %s of one core (%s of CPU time)",
				 sm_phrases_share(words, analysis->own_cpu_share), seconds);
}

static void build_quality(struct sm_outline *outline, const struct sm_report *report)
{
	struct sm_phrases *words = &outline->words;
	const struct sm_analysis *analysis = report->analysis;
	const struct sm_model *model = report->model;
	outline->overhead = say_overhead(words, analysis);
	outline->quality = sm_phrases_printf(words, "%s events, %s lost",
		sm_phrases_count(words, (double)model->events),
		model->events_lost ? sm_phrases_count(words, (double)model->events_lost) : "none");
}

struct pair_list {
	struct sm_outline *outline;
	size_t count;
	bool filling;
};

static struct sm_outline_pair *find_reason(const struct pair_list *list, const char *why)
{
	const char *said = sm_phrases_clean(&list->outline->words, why);
	for (size_t i = 0; list->filling && i < list->count; i++) {
		if (strcmp(list->outline->not_measured[i].value, said) == 0) {
			return &list->outline->not_measured[i];
		}
	}
	return NULL;
}

static void add_pair(struct pair_list *list, const char *what, const char *why)
{
	if (list->filling) {
		list->outline->not_measured[list->count] =
			(struct sm_outline_pair){sm_phrases_clean(&list->outline->words, what),
				sm_phrases_clean(&list->outline->words, why)};
	}
	list->count++;
}

/* Things that are missing for the same reason share a line. */
static void take_pair(void *context, const char *what, const char *why)
{
	struct pair_list *list = context;
	struct sm_outline_pair *same = find_reason(list, why);
	if (same) {
		same->label = sm_phrases_printf(&list->outline->words, "%s, %s", same->label, what);
	} else {
		add_pair(list, what, why);
	}
}

/* A metric that is missing because its source is was told with the source. */
static void take_metric(void *context, const char *what, const char *why)
{
	struct pair_list *list = context;
	if (!find_reason(list, why)) {
		add_pair(list, what, why);
	}
}

static int take_all(struct pair_list *list, const struct sm_report *report)
{
	sm_not_measured_each(report, take_pair, list);
	return sm_metrics_each_missing(report, take_metric, list);
}

static void build_not_measured(struct sm_outline *outline, const struct sm_report *report)
{
	struct pair_list list = {.outline = outline};
	int rc = take_all(&list, report);
	outline->not_measured =
		sm_outline_alloc(outline, list.count, sizeof(*outline->not_measured));
	if (!outline->not_measured) {
		return;
	}
	list = (struct pair_list){.outline = outline, .filling = true};
	rc = take_all(&list, report) || rc;
	outline->not_measured_count = list.count;
	outline->words.failed |= rc != 0;
}

static void build_operations(struct sm_outline *outline, const struct sm_model *model)
{
	struct sm_phrases *words = &outline->words;
	outline->operations =
		sm_outline_alloc(outline, model->operation_count, sizeof(*outline->operations));
	for (size_t i = 0; outline->operations && i < model->operation_count; i++) {
		const struct sm_operation *operation = &model->operations[i];
		outline->operations[outline->operation_count++] = (struct sm_outline_pair){
			sm_phrases_clean(words, operation->name),
			sm_phrases_printf(words, "%s times, %s, of it %s its own",
				sm_phrases_count(words, (double)operation->count),
				sm_phrases_seconds(words, (double)operation->inclusive_ns / 1e9),
				sm_phrases_seconds(words, (double)operation->self_ns / 1e9))};
	}
}

void sm_outline_run_build(struct sm_outline *outline, const struct sm_report *report)
{
	struct sm_phrases *words = &outline->words;
	outline->command = say_command(words, sm_model_fact(report->model, "command"));
	outline->title = say_title(outline, report);
	outline->facts = say_facts(words, report);
	outline->started = say_started(words, report->model->started_real_ns);
	outline->broken = say_broken(words, report->model);
	build_quality(outline, report);
	build_not_measured(outline, report);
	build_operations(outline, report->model);
}
