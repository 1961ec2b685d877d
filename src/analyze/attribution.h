#ifndef SM_ANALYZE_ATTRIBUTION_H
#define SM_ANALYZE_ATTRIBUTION_H

#include "model/model.h"

/* Seconds of the run's critical path that each stage took; together they are the time walked. 0 or -ENOMEM. */
int sm_attribution_walk(const struct sm_loader *loader, double ret_charge_s[SM_STAGE_COUNT]);

#endif
