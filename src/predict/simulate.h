#ifndef SM_PREDICT_SIMULATE_H
#define SM_PREDICT_SIMULATE_H

#include "predict/recursion.h"

/* Whether more threads than there are CPUs would want to run, so that sharing must be simulated. */
bool sm_simulate_shares(const struct sm_loader_model *model, const struct sm_setting *setting);

/* Time alone, without shares: what searches and intervals ask thousands of times. `demands` is the model's, cured;
 * `shared`: with CPUs shared. 0 or -ENOMEM. */
int sm_simulate_time(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_demand *demands, const struct sm_borders *borders, const size_t *order,
	size_t count, bool shared, struct sm_outcome *ret);

/* Finds how many threads of others must have competed for the run to have taken as long as it did. 0 or -ENOMEM. */
int sm_simulate_calibrate(struct sm_loader_model *model);

/* Allocates and cures; `ret_demands` is the caller's to free. */
int sm_simulate_demands(const struct sm_loader_model *model, const struct sm_cure *cure,
	struct sm_demand **ret_demands, struct sm_borders *ret_borders);

#endif
