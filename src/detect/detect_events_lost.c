#include "detect/judge.h"
#include "detect/words.h"

#include <errno.h>

static int look(const struct sm_judge *judge)
{
	const struct sm_model *model = judge->analysis->model;
	if (!model->events && !model->events_lost) {
		return sm_findings_lack(judge->findings, judge->detector, "no event was recorded");
	}
	if (!model->events_lost) {
		return 0;
	}
	struct sm_finding *finding = sm_findings_add(judge->findings, judge->detector, NULL);
	if (!finding) {
		return -ENOMEM;
	}
	finding->risk = "{events_lost} of the recorded events ({events_lost_share}) were lost: "
			"sums are too small by about that much.";
	sm_finding_evidence(finding, "events_lost", (double)model->events_lost, "count");
	sm_finding_evidence(finding, "events_lost_share",
		(double)model->events_lost / (double)(model->events + model->events_lost), "share");
	sm_finding_suggest(finding,
		"Record with a larger --limit, or with --level production, which records less.");
	return 0;
}

const struct sm_detector sm_detect_events_lost = {
	.id = "SM702",
	.type = "EVENTS_LOST",
	.title = "Some events were lost",
	.summary = "More was recorded than could be kept: the mapping or the run directory was "
		   "full, or its size limit was reached.",
	.causes = "",
	.evidence = "The exact count that the recorder keeps of events it had no room for.",
	.fixes = "A larger limit; a lower level; a run directory with more room.",
	.wrong = "Lost events cluster: what ran while there was no room is missing whole, so "
		 "shares can be off by more than the count says.",
	.needs = 0,
	.look_at_run = look,
};
