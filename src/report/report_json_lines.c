#include "report/figures.h"
#include "report/report_json.h"

#include <math.h>

static double part(double part_s, double whole_s)
{
	return whole_s > 0 ? part_s / whole_s : NAN;
}

static void write_line(
	struct sm_json *json, const struct sm_analysis *analysis, const struct sm_hot_row *row)
{
	const struct sm_hot_line *line = row->line;
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "file", line->file);
	sm_figures_count(json, "line", line->line > 0 ? line->line : -1);
	sm_json_string(json, "function", line->function);
	sm_json_string(json, "calls", line->calls);
	sm_json_string(json, "stage", sm_vocabulary_stage_name(line->stage));
	sm_json_string(json, "loader", analysis->loaders[line->loader].loader->name);
	sm_figures_share(json, "share", row->share);
	sm_json_int(json, "samples", (int64_t)line->looks);
	sm_figures_number(json, "wall_s", line->wall_s);
	sm_figures_number(json, "cpu_s", line->cpu_s);
	sm_figures_share(json, "native_share", part(line->in_call_s, line->awake_s));
	sm_figures_share(json, "blocked_share", part(line->wall_s - line->awake_s, line->wall_s));
	sm_json_end(json);
}

static void write_stacks(struct sm_json *json, const struct sm_stacks *stacks)
{
	sm_json_begin_object(json, "stacks");
	sm_json_int(json, "samples", (int64_t)stacks->looks);
	sm_json_int(json, "torn", (int64_t)stacks->torn);
	sm_json_int(json, "unread", (int64_t)stacks->unread);
	sm_json_int(json, "missed_rounds", (int64_t)stacks->missed);
	sm_figures_number(json, "rate_hz", stacks->has_interval ? 1 / stacks->shortest_s : NAN);
	sm_figures_number(
		json, "lowest_rate_hz", stacks->has_interval ? 1 / stacks->longest_s : NAN);
	sm_json_end(json);
}

void sm_report_json_lines_write(struct sm_json *json, const struct sm_report *report)
{
	const struct sm_analysis *analysis = report->analysis;
	write_stacks(json, &report->model->stacks);
	sm_json_begin_array(json, "hot_lines");
	for (size_t i = 0; i < analysis->hot_line_count; i++) {
		write_line(json, analysis, &analysis->hot_lines[i]);
	}
	sm_json_end(json);
}
