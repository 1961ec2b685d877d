#include "base/str.h"
#include "report/figures.h"
#include "report/report_html.h"
#include "report/report_json.h"

#include <errno.h>

/* Rows of the picture; a job with more keeps the first, and the page says how many are not drawn. */
enum { LANES_MAX = 64 };

static void write_steps(struct sm_json *json, const struct sm_steps *steps)
{
	sm_json_begin_object(json, "steps");
	sm_figures_drawn(json, "at_s", steps->at_s, steps->point_count);
	sm_figures_drawn(json, "wall_s", steps->wall_s, steps->point_count);
	sm_figures_drawn(json, "exposed_s", steps->exposed_s, steps->point_count);
	sm_figures_drawn(json, "transfer_s", steps->transfer_s, steps->point_count);
	sm_figures_drawn(json, "other_s", steps->other_s, steps->point_count);
	sm_json_end(json);
}

/* Parts as flat triples of begin, end and stage: one array a lane is a third of the bytes of one object a part. */
static void write_lane(struct sm_json *json, const struct sm_lane *lane)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "name", lane->name);
	sm_json_begin_array(json, "parts");
	for (size_t i = 0; i < lane->count; i++) {
		sm_figures_number(json, NULL, lane->parts[i].begin_s);
		sm_figures_number(json, NULL, lane->parts[i].end_s);
		sm_json_int(json, NULL, (int64_t)lane->parts[i].stage);
	}
	sm_json_end(json);
	sm_json_end(json);
}

static void write_lanes(struct sm_json *json, const struct sm_model *model)
{
	size_t drawn = model->lane_count < LANES_MAX ? model->lane_count : LANES_MAX;
	sm_json_begin_array(json, "lanes");
	for (size_t i = 0; i < drawn; i++) {
		write_lane(json, &model->lanes[i]);
	}
	sm_json_end(json);
	sm_json_int(json, "lanes_left_out", (int64_t)(model->lane_count - drawn));
}

static void write_stage_names(struct sm_json *json)
{
	sm_json_begin_array(json, "stages");
	for (int stage = 0; stage < SM_STAGE_COUNT; stage++) {
		sm_json_string(json, NULL, sm_vocabulary_stage_name((enum sm_stage)stage));
	}
	sm_json_end(json);
}

static ssize_t take_bytes(void *cookie, const char *bytes, size_t length)
{
	struct sm_str *str = cookie;
	sm_str_add_bytes(str, bytes, length);
	return str->failed ? 0 : (ssize_t)length;
}

/* As a string, so that the page's button copies what `--md` writes. */
static int write_markdown(struct sm_json *json, const struct sm_report *report)
{
	struct sm_str text = SM_STR_EMPTY;
	FILE *out = fopencookie(&text, "w", (cookie_io_functions_t){.write = take_bytes});
	if (!out) {
		return -ENOMEM;
	}
	int rc = sm_report_markdown(report, out);
	fclose(out);
	rc = text.failed ? -ENOMEM : rc;
	if (!rc) {
		sm_json_string(json, "markdown", sm_str_text(&text));
	}
	sm_str_finish(&text);
	return rc;
}

int sm_report_html_data_write(FILE *out, const struct sm_report *report)
{
	struct sm_json json;
	sm_json_init(&json, out, 0);
	sm_json_begin_object(&json, NULL);
	int rc = sm_report_json_write(&json, "report", report);
	write_stage_names(&json);
	write_steps(&json, &report->analysis->steps);
	write_lanes(&json, report->model);
	rc = rc ? rc : write_markdown(&json, report);
	sm_json_end(&json);
	return rc;
}
