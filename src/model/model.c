#include "model/model.h"

#include <math.h>
#include <string.h>

void sm_model_finish(struct sm_model *model)
{
	sm_arena_finish(&model->arena);
	*model = (struct sm_model){0};
}

/* Later facts override earlier ones. */
const char *sm_model_fact(const struct sm_model *model, const char *key)
{
	for (size_t i = model->fact_count; i-- > 0;) {
		if (strcmp(model->facts[i].key, key) == 0) {
			return model->facts[i].value;
		}
	}
	return NULL;
}

const struct sm_series *sm_model_series(const struct sm_model *model, int metric, int64_t instance)
{
	for (size_t i = 0; i < model->series_count; i++) {
		if (model->series[i].metric == metric && model->series[i].instance == instance) {
			return &model->series[i];
		}
	}
	return NULL;
}

static bool iterates_in(const struct sm_epoch *epoch, const struct sm_model_session *session)
{
	return epoch->first_request_ns < session->end_ns && epoch->end_ns > session->begin_ns;
}

bool sm_model_session_uses(const struct sm_model *model, const struct sm_model_session *session,
	const struct sm_loader *loader)
{
	bool is_own = loader->main_pid == model->processes[session->process].pid;
	for (size_t i = 0; is_own && i < loader->epoch_count; i++) {
		if (iterates_in(&loader->epochs[i], session)) {
			return true;
		}
	}
	return false;
}

double sm_model_session_severity(
	const struct sm_model_session *session, const struct sm_session_operation *operation)
{
	int64_t seen_ns = session->end_ns - session->begin_ns - session->lost_ns;
	return operation->busiest_ns < 0 || seen_ns <= 0
		       ? NAN
		       : fmin(1, (double)operation->busiest_ns / (double)seen_ns);
}
