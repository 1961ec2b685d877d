/* When a number that goes up and down begins to be too high, and when it has ceased to be: a bound to pass on the way up,
 * a lower one on the way down, and a time that it must stay beyond either. */
#ifndef SM_COLLECT_HYSTERESIS_H
#define SM_COLLECT_HYSTERESIS_H

#include <stdbool.h>
#include <stdint.h>

struct sm_hysteresis_rule {
	double threshold;
	int64_t enter_ns, leave_ns; /* 0: at once */
};

struct sm_hysteresis {
	bool on, crossing; /* crossing: beyond the bound, not yet for long enough */
	int64_t crossed_ns;
};

enum sm_hysteresis_change { SM_HYSTERESIS_STAYS, SM_HYSTERESIS_BEGINS, SM_HYSTERESIS_ENDS };

/* `value` held from `from_ns` to `now_ns`; of a level the two are the same. */
enum sm_hysteresis_change sm_hysteresis_judge(struct sm_hysteresis *state,
	const struct sm_hysteresis_rule *rule, int64_t from_ns, int64_t now_ns, double value);

#endif
