/* Alerts in order of time: of one file they come so, of several nodes they do not. */
#include "model/build.h"

#include <errno.h>
#include <stdlib.h>

enum { ALERTS_MAX = 20000 };

int sm_build_alerts_add(struct sm_build *build, const struct sm_trace_alert *told)
{
	struct sm_model *model = build->model;
	struct sm_alert alert = {.time_ns = told->time_ns,
		.kind = sm_arena_strdup(&model->arena, told->kind),
		.begins = told->begins,
		.value = told->value,
		.threshold = told->threshold};
	if (!alert.kind) {
		return -ENOMEM;
	}
	if (model->alert_count >= ALERTS_MAX) {
		return 0;
	}
	int error = sm_build_grow(build, &model->alerts, &build->alert_capacity,
		model->alert_count + 1, sizeof(alert));
	if (!error) {
		model->alerts[model->alert_count++] = alert;
	}
	return error;
}

static int compare(const void *a, const void *b)
{
	const struct sm_alert *first = a, *second = b;
	return (first->time_ns > second->time_ns) - (first->time_ns < second->time_ns);
}

void sm_build_alerts_complete(struct sm_build *build)
{
	struct sm_model *model = build->model;
	if (model->alert_count) {
		qsort(model->alerts, model->alert_count, sizeof(*model->alerts), compare);
	}
	for (size_t i = 0; i < model->alert_count; i++) {
		model->alerts[i].time_s =
			(double)(model->alerts[i].time_ns - model->begin_ns) * 1e-9;
	}
}
