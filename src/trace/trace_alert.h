/* An alert: that a number which is watched while the job runs began to be too high, or ceased to be. In the file an
 * ALERT block, whose body is lines. */
#ifndef SM_TRACE_TRACE_ALERT_H
#define SM_TRACE_TRACE_ALERT_H

#include "base/str.h"
#include "trace/trace_lines.h"

#include <stdbool.h>
#include <stdint.h>

struct sm_trace_alert {
	int64_t time_ns;
	const char *kind; /* "memory"; a later version may know others */
	bool begins;	  /* else it ends */
	double value, threshold;
};

void sm_trace_alert_add_lines(const struct sm_trace_alert *alert, struct sm_str *lines);
/* Fills all but the time from lines that were begun; `kind` is borrowed from them. False: it says not enough. */
bool sm_trace_alert_read(struct sm_trace_alert *ret_alert, struct sm_trace_lines *lines);

#endif
