/* A run, read and judged: what everything that speaks about a finished run begins with. */
#ifndef SM_READ_READING_H
#define SM_READ_READING_H

#include "base/err.h"
#include "report/report.h"

struct sm_reading {
	struct sm_model model;
	struct sm_analysis analysis;
	struct sm_findings findings;
	struct sm_report report; /* points at the three above, and at the caller's `path` */
};

/* Reads `path`, a run directory or a .stall file. `told` may be NULL. On an error the reading is empty. */
int sm_reading_build(struct sm_reading *reading, const char *path,
	const struct sm_model_progress *told, struct sm_error *reterr);
/* The same of a model that is there already, and that the reading then owns; also on an error, which leaves it empty. */
int sm_reading_judge(struct sm_reading *reading, const struct sm_model *model, const char *path,
	struct sm_error *reterr);
void sm_reading_finish(struct sm_reading *reading); /* fine on a zeroed one */

#endif
