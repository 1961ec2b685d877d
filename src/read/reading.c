#include "read/reading.h"

int sm_reading_judge(struct sm_reading *reading, const struct sm_model *model, const char *path,
	struct sm_error *reterr)
{
	*reading = (struct sm_reading){.model = *model};
	int rc = sm_analysis_build(&reading->analysis, &reading->model, reterr);
	rc = rc ? rc : sm_loader_model_attach(&reading->analysis);
	rc = rc ? rc : sm_detect_run(&reading->analysis, &reading->findings);
	if (rc) {
		sm_reading_finish(reading);
		return rc;
	}
	reading->report =
		(struct sm_report){&reading->model, &reading->analysis, &reading->findings, path};
	return 0;
}

int sm_reading_build(struct sm_reading *reading, const char *path,
	const struct sm_model_progress *told, struct sm_error *reterr)
{
	struct sm_model model;
	*reading = (struct sm_reading){0};
	int rc = sm_model_build(&model, path, told, reterr);
	return rc ? rc : sm_reading_judge(reading, &model, path, reterr);
}

void sm_reading_finish(struct sm_reading *reading)
{
	sm_model_finish(&reading->model);
	*reading = (struct sm_reading){0};
}
