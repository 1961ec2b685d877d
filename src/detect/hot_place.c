#include "detect/hot_place.h"

#include "analyze/hot_lines.h"

#include <math.h>
#include <string.h>

static const struct sm_loader_analysis *loader_of(
	const struct sm_analysis *analysis, const struct sm_finding *finding)
{
	for (size_t i = 0; finding->loader && i < analysis->loader_count; i++) {
		if (!strcmp(analysis->loaders[i].loader->name, finding->loader)) {
			return &analysis->loaders[i];
		}
	}
	return NULL;
}

static bool names_a_whole(enum sm_stage stage)
{
	return stage == SM_STAGE_FETCH || stage == SM_STAGE_COLLATE || stage == SM_STAGE_SAMPLER;
}

static bool ends_with(const char *path, const char *file)
{
	size_t length = strlen(path), end = strlen(file);
	return end && length >= end && !strcmp(path + length - end, file) &&
	       (length == end || path[length - end - 1] == '/');
}

/* As the spans name files: from the package on, or the last names of a path. */
static const char *short_file(const char *path)
{
	const char *last = strrchr(path, '/');
	const char *before = last ? memrchr(path, '/', (size_t)(last - path)) : NULL;
	return before ? before + 1 : path;
}

void sm_hot_place_name(const struct sm_analysis *analysis, struct sm_finding *finding)
{
	const struct sm_loader_analysis *loader = loader_of(analysis, finding);
	const struct sm_hot_row *row =
		loader && names_a_whole(finding->stage) && !isnan(finding->severity)
			? sm_hot_lines_of_stage(analysis, loader, finding->stage)
			: NULL;
	if (!row || row->line->part * 100 < SM_HOT_PLACE_MOST_PERCENT || !row->line->line) {
		return;
	}
	if (!finding->file || !ends_with(row->line->file, finding->file)) {
		finding->file = short_file(row->line->file);
	}
	finding->line = row->line->line;
	finding->function = row->line->function;
	finding->calls = row->line->calls;
}
