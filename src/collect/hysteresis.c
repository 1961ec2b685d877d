#include "collect/hysteresis.h"

/* The way back leads a tenth below the threshold: what wavers about it by less is one alert, not many. */
#define RELEASE 0.9

enum sm_hysteresis_change sm_hysteresis_judge(struct sm_hysteresis *state,
	const struct sm_hysteresis_rule *rule, int64_t from_ns, int64_t now_ns, double value)
{
	bool beyond = state->on ? value < RELEASE * rule->threshold : value > rule->threshold;
	if (!beyond) {
		state->crossing = false;
		return SM_HYSTERESIS_STAYS;
	}
	if (!state->crossing) {
		state->crossing = true;
		state->crossed_ns = from_ns;
	}
	if (now_ns - state->crossed_ns < (state->on ? rule->leave_ns : rule->enter_ns)) {
		return SM_HYSTERESIS_STAYS;
	}
	state->on = !state->on;
	state->crossing = false;
	return state->on ? SM_HYSTERESIS_BEGINS : SM_HYSTERESIS_ENDS;
}
