#ifndef SM_PREDICT_SIMULATE_H
#define SM_PREDICT_SIMULATE_H

#include "predict/recursion.h"

/* Time alone, without shares: what searches and intervals ask thousands of times. `demands` is the model's, cured.
 * Shares CPUs where the setting asks for more than there are (shared_cores.c). 0 or -ENOMEM. */
int sm_simulate_time(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_demand *demands, const struct sm_borders *borders, const size_t *order,
	size_t count, struct sm_outcome *ret);

/* Allocates and cures; `ret_demands` is the caller's to free. */
int sm_simulate_demands(const struct sm_loader_model *model, const struct sm_cure *cure,
	struct sm_demand **ret_demands, struct sm_borders *ret_borders);

#endif
