#include "collect/alerts.h"

#include "base/str.h"
#include "trace/trace_alert.h"

#include <inttypes.h>
#include <stdio.h>

#define SECOND_NS 1e9

static void tell(struct sm_alerts *alerts, const struct sm_trace_alert *alert)
{
	char line[SM_TOLD_LINE];
	snprintf(line, sizeof(line),
		"{\"time_s\": %.6f, \"kind\": \"%s\", \"value\": %.6g, \"threshold\": %.6g, "
		"\"state\": \"%s\"}\n",
		(double)(alert->time_ns - alerts->files->started_mono_ns) / SECOND_NS, alert->kind,
		alert->value, alert->threshold, alert->begins ? "begin" : "end");
	sm_told_say(&alerts->told, line);
}

static void keep(struct sm_alerts *alerts, const struct sm_trace_alert *alert)
{
	if (alerts->seen++ < SM_ALERTS_MAX) {
		(void)sm_trace_writer_alert(sm_run_files_first(alerts->files), alert);
	}
}

void sm_alerts_judge(struct sm_alerts *alerts, int64_t now_ns)
{
	struct sm_watch_alert found[SM_WATCH_KIND_COUNT];
	int count = sm_watch_judge(&alerts->watch, now_ns, found);
	for (int i = 0; i < count; i++) {
		const struct sm_trace_alert alert = {.time_ns = now_ns,
			.kind = sm_watch_name(found[i].kind),
			.begins = found[i].begins,
			.value = found[i].value,
			.threshold = found[i].threshold};
		tell(alerts, &alert);
		keep(alerts, &alert);
	}
}

static void note_number(const struct sm_alerts *alerts, uint64_t number, const char *what)
{
	char why[160];
	if (number) {
		snprintf(why, sizeof(why), "%" PRIu64 " %s", number, what);
		(void)sm_trace_writer_note(sm_run_files_first(alerts->files), "alerts", why);
	}
}

/* watched=memory=0.8<1f>cpu=0.95: each with its threshold. */
static void write_watched(const struct sm_alerts *alerts)
{
	struct sm_str lines = SM_STR_EMPTY;
	const char *between = "";
	sm_str_add(&lines, "watched=");
	for (int i = 0; i < SM_WATCH_KIND_COUNT; i++) {
		const struct sm_watch_one *one = &alerts->watch.one[i];
		if (one->judged) {
			sm_str_addf(&lines, "%s%s=%.9g", between,
				sm_watch_name((enum sm_watch_kind)i), one->rule.threshold);
			between = "\x1f";
		}
	}
	sm_str_add(&lines, "\n");
	if (!lines.failed) {
		(void)sm_trace_writer_run(sm_run_files_first(alerts->files), sm_str_text(&lines));
	}
	sm_str_finish(&lines);
}

void sm_alerts_finish(struct sm_alerts *alerts)
{
	uint64_t over = alerts->seen > SM_ALERTS_MAX ? alerts->seen - SM_ALERTS_MAX : 0;
	note_number(alerts, over, "more came than are kept");
	note_number(alerts, alerts->told.dropped,
		"were not told at once, since nobody took them; they are in the log");
	write_watched(alerts);
}
