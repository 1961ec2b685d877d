/* A look says on which line a thread was and in which stage, not whether anybody waited for it. What the stage costs the
 * loop its share of the critical path says. So a line's share is its part of what was seen of the stage, times the stage's
 * share: exact where the parts that are waited for look like the rest of the stage, and never more than the stage.
 *
 *     share(line) = looks at the line in (loader, stage) / all looks in (loader, stage) * share(loader, stage)
 *
 * Of several loaders the one that takes more of the run comes first. Lines that few looks fell on are left out: of 10 looks
 * the relative standard error is a third. */
#include "analyze/hot_lines.h"

#include <math.h>

enum { LOOKS_LEAST = 10 };

static double stage_share(const struct sm_loader_analysis *loader, enum sm_stage stage)
{
	for (size_t i = 0; i < loader->stage_count; i++) {
		if (loader->stages[i].stage == stage) {
			return loader->stages[i].share;
		}
	}
	return 0;
}

static double share_of(const struct sm_analysis *analysis, const struct sm_hot_line *line)
{
	if (line->loader < 0 || (size_t)line->loader >= analysis->loader_count ||
		line->stage == SM_STAGE_COUNT) {
		return NAN;
	}
	return line->part * stage_share(&analysis->loaders[line->loader], line->stage);
}

static double weight_of(const struct sm_analysis *analysis, const struct sm_hot_row *row)
{
	return isnan(row->share) ? 0 : row->share * analysis->loaders[row->line->loader].time_s;
}

static bool is_before(
	const struct sm_analysis *analysis, const struct sm_hot_row *a, const struct sm_hot_row *b)
{
	double left = weight_of(analysis, a), right = weight_of(analysis, b);
	return left > right || (left >= right && a->line->wall_s > b->line->wall_s);
}

static void insert(struct sm_analysis *analysis, struct sm_hot_row row)
{
	size_t at = analysis->hot_line_count;
	while (at && is_before(analysis, &row, &analysis->hot_lines[at - 1])) {
		at--;
	}
	if (at == SM_HOT_LINES_MAX) {
		return;
	}
	size_t last = analysis->hot_line_count < SM_HOT_LINES_MAX ? analysis->hot_line_count++
								  : SM_HOT_LINES_MAX - 1;
	for (size_t i = last; i > at; i--) {
		analysis->hot_lines[i] = analysis->hot_lines[i - 1];
	}
	analysis->hot_lines[at] = row;
}

void sm_hot_lines_find(struct sm_analysis *analysis)
{
	const struct sm_model *model = analysis->model;
	for (size_t i = 0; i < model->hot_line_count; i++) {
		const struct sm_hot_line *line = &model->hot_lines[i];
		const struct sm_hot_row row = {line, share_of(analysis, line)};
		if (line->looks >= LOOKS_LEAST && !isnan(row.share)) {
			insert(analysis, row);
		}
	}
}

const struct sm_hot_row *sm_hot_lines_of_stage(const struct sm_analysis *analysis,
	const struct sm_loader_analysis *loader, enum sm_stage stage)
{
	for (size_t i = 0; i < analysis->hot_line_count; i++) {
		const struct sm_hot_row *row = &analysis->hot_lines[i];
		if (&analysis->loaders[row->line->loader] == loader && row->line->stage == stage) {
			return row;
		}
	}
	return NULL;
}
