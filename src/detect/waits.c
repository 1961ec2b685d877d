#include "detect/waits.h"

#include "detect/split.h"

struct sm_waits sm_waits_of(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	struct sm_waits waits = {.looks = sm_looks_of(judge->analysis->model, loader)};
	waits.kind = sm_looks_decide(&waits.looks);
	for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
		waits.all_s += sm_split_of(&loader->stage[stage]).waiting;
	}
	return waits;
}

struct sm_cure sm_waits_cure(const struct sm_waits *waits, double waiting_s)
{
	double share = waits->all_s > 0 ? waiting_s / waits->all_s : 0;
	return (struct sm_cure){.kind = SM_CURE_BLOCKED_FREE, .share = share < 1 ? share : 1};
}

void sm_waits_evidence(const struct sm_waits *waits, struct sm_finding *finding)
{
	double waiting = sm_looks_waiting(&waits->looks);
	if (waiting < 1) {
		return;
	}
	sm_finding_evidence(finding, "looks_at_waiting_workers", waiting, "count");
	sm_finding_evidence(finding, "looks_lock_share", waits->looks.lock / waiting, "share");
	sm_finding_evidence(finding, "looks_sleep_share", waits->looks.sleep / waiting, "share");
	sm_finding_evidence(finding, "looks_socket_share", waits->looks.peer / waiting, "share");
	sm_finding_evidence(finding, "looks_file_share", waits->looks.file / waiting, "share");
}
