#include "trace/trace_alert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sm_trace_alert_add_lines(const struct sm_trace_alert *alert, struct sm_str *lines)
{
	sm_str_addf(lines, "kind=%s\nstate=%s\n", alert->kind, alert->begins ? "begin" : "end");
	sm_str_addf(lines, "value=%.17g\nthreshold=%.17g\n", alert->value, alert->threshold);
}

static double number(const char *text)
{
	char *end;
	double value = strtod(text, &end);
	return end != text && !*end && isfinite(value) ? value : NAN;
}

bool sm_trace_alert_read(struct sm_trace_alert *ret_alert, struct sm_trace_lines *lines)
{
	struct sm_trace_alert alert = {.kind = "", .value = NAN, .threshold = NAN};
	const char *key, *value, *state = "";
	while (sm_trace_lines_next(lines, &key, &value)) {
		if (!strcmp(key, "kind")) {
			alert.kind = value;
		} else if (!strcmp(key, "state")) {
			state = value;
		} else if (!strcmp(key, "value")) {
			alert.value = number(value);
		} else if (!strcmp(key, "threshold")) {
			alert.threshold = number(value);
		}
	}
	alert.begins = !strcmp(state, "begin");
	if (!*alert.kind || (!alert.begins && strcmp(state, "end")) || isnan(alert.value) ||
		isnan(alert.threshold)) {
		return false;
	}
	*ret_alert = alert;
	return true;
}
