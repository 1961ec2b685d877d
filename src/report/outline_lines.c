/* The hottest lines in words: where, what is called there, whose stage it is, and what the time went into. */
#include "report/outline.h"

#include <math.h>
#include <string.h>

/* The last two names of a path tell files of one job apart and fit a table. */
static const char *short_file(const char *path)
{
	const char *last = strrchr(path, '/');
	const char *before = last ? memrchr(path, '/', (size_t)(last - path)) : NULL;
	return before ? before + 1 : path;
}

static const char *add(
	struct sm_phrases *words, const char *text, double part_s, double whole_s, const char *name)
{
	double share = part_s / whole_s;
	if (isnan(share) || share < 0.05) {
		return text;
	}
	return sm_phrases_printf(
		words, "%s%s%s %s", text, *text ? ", " : "", sm_phrases_share(words, share), name);
}

static const char *say_spent(struct sm_phrases *words, const struct sm_hot_line *line)
{
	const char *text = add(words, "", line->in_call_s, line->wall_s, "native calls");
	text = add(
		words, text, line->awake_s - line->in_call_s, line->wall_s, "Python or operators");
	return add(words, text, line->wall_s - line->awake_s, line->wall_s, "blocked");
}

static const char *say_where(struct sm_phrases *words, const struct sm_hot_line *line)
{
	const char *file = sm_phrases_clean(words, short_file(line->file));
	return line->line > 0 ? sm_phrases_printf(words, "%s:%d", file, line->line) : file;
}

static void build_lines(struct sm_outline *outline, const struct sm_analysis *analysis)
{
	struct sm_phrases *words = &outline->words;
	outline->lines =
		sm_outline_alloc(outline, analysis->hot_line_count, sizeof(*outline->lines));
	for (size_t i = 0; outline->lines && i < analysis->hot_line_count; i++) {
		const struct sm_hot_row *row = &analysis->hot_lines[i];
		const struct sm_hot_line *line = row->line;
		outline->lines[outline->line_count++] = (struct sm_outline_line){
			.where = say_where(words, line),
			.function = sm_phrases_clean(words, line->function),
			.calls = sm_phrases_clean(words, line->calls),
			.stage = sm_vocabulary_stage_name(line->stage),
			.loader = sm_phrases_clean(
				words, analysis->loaders[line->loader].loader->name),
			.share = row->share,
			.share_text = sm_phrases_share(words, row->share),
			.looks = sm_phrases_count(words, (double)line->looks),
			.spent = say_spent(words, line),
		};
	}
}

static const char *say_looks(struct sm_phrases *words, const struct sm_stacks *stacks)
{
	const char *rate = sm_phrases_printf(words, "%.3g", 1 / stacks->shortest_s);
	if (stacks->longest_s > stacks->shortest_s) {
		rate = sm_phrases_printf(words, "%.3g to %s", 1 / stacks->longest_s, rate);
	}
	const char *torn = stacks->torn ? sm_phrases_count(words, (double)stacks->torn) : "none";
	return sm_phrases_printf(words,
		"%s looks at Python stacks, %s a second at each thread; %s torn, and not shown",
		sm_phrases_count(words, (double)stacks->looks), rate, torn);
}

void sm_outline_lines_build(struct sm_outline *outline, const struct sm_report *report)
{
	const struct sm_stacks *stacks = &report->model->stacks;
	build_lines(outline, report->analysis);
	outline->looks = stacks->has_interval ? say_looks(&outline->words, stacks) : "";
}
