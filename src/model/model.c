#include "model/model.h"

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
