#include "detect/waits.h"

/* What the model takes for blocked, which its cure is a share of: waits, but also helper threads at work. */
static double blocked_in_model(const struct sm_loader_model *model)
{
	double sum = 0, kept = (double)model->count;
	for (size_t i = 0; i < model->count; i++) {
		sum += (double)model->services[i].blocked_other;
	}
	return kept > 0 ? sum / kept * (double)model->loader->batch_total : 0;
}

struct sm_waits sm_waits_of(const struct sm_judge *judge)
{
	struct sm_waits waits = {
		.looks = sm_looks_of(judge->analysis->model, judge->loader->loader)};
	waits.kind = sm_looks_decide(&waits.looks);
	waits.blocked_s = blocked_in_model(judge->loader->model);
	return waits;
}

struct sm_split sm_waits_split(const struct sm_waits *waits, const struct sm_cause_sum *sum)
{
	struct sm_split split = sm_split_of(sum);
	double blocked = split.helpers + split.waiting;
	if (waits->kind == SM_WAIT_LOCK &&
		split.helpers * 100 >= blocked * SM_WAITS_HELPERS_PERCENT) {
		split.helpers = blocked;
		split.waiting = 0;
	}
	return split;
}

bool sm_waits_are_locks(const struct sm_judge *judge)
{
	const struct sm_waits waits = sm_waits_of(judge);
	double waiting = 0, need = 0;
	for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
		struct sm_split split =
			sm_waits_split(&waits, &judge->loader->loader->stage[stage]);
		waiting += split.waiting;
		need += sm_split_need(&split);
	}
	return waits.kind == SM_WAIT_LOCK && waiting * 2 >= need;
}

struct sm_cure sm_waits_cure(const struct sm_waits *waits, double waiting_s)
{
	double share = waits->blocked_s > 0 ? waiting_s / waits->blocked_s : 0;
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
