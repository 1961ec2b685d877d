#include "report/figures.h"
#include "report/outline.h"
#include "report/report_json.h"

#include <errno.h>
#include <math.h>

static void write_blocks(struct sm_json *json, const struct sm_blocks *blocks)
{
	sm_figures_numbers(json, "blocks_s", blocks->mean, blocks->full);
}

/* What can be said of an operation that we know from outside only. */
static void write_advice(struct sm_json *json, struct sm_phrases *words,
	const struct sm_model_session *session, const struct sm_session_operation *row)
{
	const char *advice = sm_outline_sessions_advice(words, session, row);
	sm_json_string(json, "advice", *advice ? advice : NULL);
}

static void write_operation(struct sm_json *json, struct sm_phrases *words,
	const struct sm_model_session *session, const struct sm_session_operation *row)
{
	double severity = sm_model_session_severity(session, row);
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "name", row->operation->name);
	sm_json_string(json, "type", row->operation->type);
	sm_json_int(json, "count", (int64_t)row->count);
	sm_json_int(json, "open", (int64_t)row->open);
	sm_figures_ns(json, "inclusive_s", row->inclusive_ns);
	sm_figures_ns(json, "self_s", row->self_ns);
	sm_figures_share(json, "severity", severity);
	/* Nothing done to this operation alone can make the session faster than that. */
	sm_figures_number(json, "ceiling_speedup", severity < 1 ? 1 / (1 - severity) : NAN);
	sm_figures_number(json, "p50_s", sm_sketch_quantile(&row->wall_s, 0.5));
	sm_figures_number(json, "p99_s", sm_sketch_quantile(&row->wall_s, 0.99));
	write_blocks(json, &row->blocks);
	write_advice(json, words, session, row);
	sm_json_end(json);
}

static void write_loaders(
	struct sm_json *json, const struct sm_model *model, const struct sm_model_session *session)
{
	sm_json_begin_array(json, "loaders");
	for (size_t i = 0; i < model->loader_count; i++) {
		if (sm_model_session_uses(model, session, &model->loaders[i])) {
			sm_json_string(json, NULL, model->loaders[i].name);
		}
	}
	sm_json_end(json);
}

static void write_session(struct sm_json *json, struct sm_phrases *words,
	const struct sm_model *model, const struct sm_model_session *session)
{
	sm_json_begin_object(json, NULL);
	sm_json_string(json, "id", session->id);
	sm_json_string(json, "name", session->name);
	sm_json_int(json, "pid", model->processes[session->process].pid);
	/* Below 0 where nothing was recorded before it. */
	sm_figures_number(json, "begin_s", (double)(session->begin_ns - model->begin_ns) / 1e9);
	sm_figures_ns(json, "wall_s", session->end_ns - session->begin_ns);
	sm_figures_ns(json, "lost_s", session->lost_ns);
	sm_json_bool(json, "open", session->open);
	write_loaders(json, model, session);
	sm_json_begin_array(json, "notes");
	for (size_t i = 0; i < session->note_count; i++) {
		sm_json_string(json, NULL, session->notes[i]);
	}
	sm_json_end(json);
	sm_json_begin_array(json, "operations");
	for (size_t i = 0; i < session->operation_count; i++) {
		write_operation(json, words, session, &session->operations[i]);
	}
	sm_json_end(json);
	sm_json_end(json);
}

int sm_report_json_sessions_write(
	struct sm_json *json, struct sm_arena *arena, const struct sm_model *model)
{
	struct sm_phrases words = {.arena = arena, .unicode = true};
	sm_json_begin_array(json, "sessions");
	for (size_t i = 0; i < model->session_count; i++) {
		write_session(json, &words, model, &model->sessions[i]);
	}
	sm_json_end(json);
	return words.failed ? -ENOMEM : 0;
}
