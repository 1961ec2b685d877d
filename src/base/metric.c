#include "base/metric.h"

#include <stddef.h>

const struct sm_metric_info sm_metric_table[] = {
/* clang-format off */
#define M(id_, symbol, scope_, kind_, unit_, name_, summary_) \
	{.id = (id_), .scope = SM_SCOPE_##scope_, .kind = SM_##kind_, .unit = (unit_), .name = (name_), .summary = (summary_)},
	/* clang-format on */
	SM_METRICS(M)
#undef M
};
const int sm_metric_table_count = sizeof(sm_metric_table) / sizeof(sm_metric_table[0]);

const struct sm_metric_info *sm_metric_find(int id)
{
	for (int i = 0; i < sm_metric_table_count; i++) {
		if (sm_metric_table[i].id == id) {
			return &sm_metric_table[i];
		}
	}
	return NULL;
}
