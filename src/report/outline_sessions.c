/* Sessions of a profiler: their operations, the dearest first, each by what is its own. */
#include "report/outline.h"

#include <math.h>
#include <stdlib.h>

static double rank_of(const struct sm_outline_operation *row)
{
	return isnan(row->share) ? -1 : row->share;
}

static int dearest_first(const void *left, const void *right)
{
	double a = rank_of(left), b = rank_of(right);
	return a < b ? 1 : a > b ? -1 : 0;
}

const char *sm_outline_sessions_advice(struct sm_phrases *words,
	const struct sm_model_session *session, const struct sm_session_operation *row)
{
	double share = sm_model_session_severity(session, row);
	if (!(share > 0 && share < 1)) {
		return "";
	}
	return sm_phrases_printf(words,
		"Look into %s: %s of the session is its own time; if it took none, the session "
		"would be %s faster at most",
		sm_phrases_clean(words, row->operation->name), sm_phrases_share(words, share),
		sm_phrases_times(words, 1 / (1 - share)));
}

static struct sm_outline_operation say_operation(struct sm_phrases *words,
	const struct sm_model_session *session, const struct sm_session_operation *row)
{
	double share = sm_model_session_severity(session, row);
	const char *count = sm_phrases_count(words, (double)row->count);
	return (struct sm_outline_operation){
		.name = sm_phrases_clean(words, row->operation->name),
		.type = sm_phrases_clean(words, row->operation->type),
		.count = row->open ? sm_phrases_printf(words, "%s, %s open", count,
					     sm_phrases_count(words, (double)row->open))
				   : count,
		.inclusive = sm_phrases_seconds(words, (double)row->inclusive_ns / 1e9),
		.own = sm_phrases_seconds(words, (double)row->self_ns / 1e9),
		.share = share,
		.share_text = isnan(share) ? "in workers" : sm_phrases_share(words, share),
		.typical = row->count ? sm_phrases_seconds(
						words, sm_sketch_quantile(&row->wall_s, 0.5))
				      : "",
		.slow = row->count
				? sm_phrases_seconds(words, sm_sketch_quantile(&row->wall_s, 0.99))
				: "",
		.ceiling = share < 1 ? sm_phrases_times(words, 1 / (1 - share)) : "",
	};
}

/* What no operation covers; NaN where several threads' operations ran at the same time. */
static double rest_of(const struct sm_outline_session *session)
{
	double rest = 1;
	for (size_t i = 0; i < session->operation_count; i++) {
		rest -= session->operations[i].share > 0 ? session->operations[i].share : 0;
	}
	return rest < 0 ? NAN : rest;
}

static const char *say_state(struct sm_phrases *words, const struct sm_model_session *session)
{
	const char *open = session->open ? "never closed: up to what was seen last" : "";
	if (!session->lost_ns) {
		return open;
	}
	return sm_phrases_printf(words,
		"%s%sevents were lost in %s of it, and shares are of the rest", open,
		*open ? "; " : "", sm_phrases_seconds(words, (double)session->lost_ns / 1e9));
}

static void build_session(struct sm_outline *outline, struct sm_outline_session *ret_session,
	const struct sm_model_session *session)
{
	struct sm_phrases *words = &outline->words;
	double wall_s = (double)(session->end_ns - session->begin_ns) / 1e9;
	double seen_s = wall_s - (double)session->lost_ns / 1e9;
	*ret_session = (struct sm_outline_session){
		.name = sm_phrases_clean(words, session->name),
		.wall = sm_phrases_seconds(words, wall_s),
		.state = say_state(words, session),
		.operations = sm_outline_alloc(
			outline, session->operation_count, sizeof(*ret_session->operations)),
	};
	for (size_t i = 0; ret_session->operations && i < session->operation_count; i++) {
		ret_session->operations[ret_session->operation_count++] =
			say_operation(words, session, &session->operations[i]);
	}
	ret_session->notes =
		sm_outline_alloc(outline, session->note_count, sizeof(*ret_session->notes));
	for (size_t i = 0; ret_session->notes && i < session->note_count; i++) {
		ret_session->notes[ret_session->note_count++] =
			sm_phrases_clean(words, session->notes[i]);
	}
	if (ret_session->operation_count > 1) {
		qsort(ret_session->operations, ret_session->operation_count,
			sizeof(*ret_session->operations), dearest_first);
	}
	ret_session->rest = rest_of(ret_session);
	ret_session->rest_text =
		isnan(ret_session->rest) ? "" : sm_phrases_share(words, ret_session->rest);
	ret_session->rest_time = isnan(ret_session->rest)
					 ? ""
					 : sm_phrases_seconds(words, ret_session->rest * seen_s);
}

void sm_outline_sessions_build(struct sm_outline *outline, const struct sm_report *report)
{
	const struct sm_model *model = report->model;
	outline->sessions =
		sm_outline_alloc(outline, model->session_count, sizeof(*outline->sessions));
	for (size_t i = 0; outline->sessions && i < model->session_count; i++) {
		build_session(
			outline, &outline->sessions[outline->session_count++], &model->sessions[i]);
	}
}
