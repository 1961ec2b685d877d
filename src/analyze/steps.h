#ifndef SM_ANALYZE_STEPS_H
#define SM_ANALYZE_STEPS_H

#include "analyze/analysis.h"

/* Where the loader's time begins and ends, and how long it is without what lay between its epochs. */
struct sm_steps_span {
	int64_t begin_ns, end_ns;
	double time_s;
};
/* What of a stretch of this rank's time is not the training's: trials of ours. Seconds. */
double sm_steps_interlude_s(
	const struct sm_model *model, int rank, int64_t begin_ns, int64_t end_ns);
struct sm_steps_span sm_steps_span(const struct sm_loader *loader);

/* The steps of the loader that trains. 0 or -ENOMEM. */
int sm_steps_find(struct sm_steps *ret, struct sm_arena *arena, const struct sm_model *model,
	const struct sm_loader *loader);

#endif
