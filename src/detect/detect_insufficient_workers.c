#include "detect/cpu_taken.h"
#include "detect/judge.h"
#include "detect/waits.h"
#include "detect/words.h"

/* Of fetch: above, more workers meet the same storage, whose limit one run cannot know. */
enum { STORAGE_PERCENT = 50 };

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	struct sm_setting recorded = sm_loader_model_setting(judge->loader->model), best;
	struct sm_finding *finding;
	int error = sm_loader_model_best_workers(judge->loader->model, &best);
	if (error || best.num_workers <= recorded.num_workers || sm_waits_are_locks(judge)) {
		return error;
	}
	const char *cause = recorded.num_workers == 0 ? "no_workers" : "too_few_workers";
	error = sm_judge_propose(judge, cause, SM_STAGE_COUNT, &best, NULL, &finding);
	if (error || !finding) {
		return error;
	}
	struct sm_split fetch = sm_split_of(&loader->stage[SM_STAGE_FETCH]);
	double storage = fetch.wall > 0 ? fetch.storage / fetch.wall : 0;
	sm_finding_evidence(finding, "num_workers", recorded.num_workers, "count");
	sm_finding_evidence(finding, "best_num_workers", best.num_workers, "count");
	if (recorded.num_workers > 0) {
		sm_finding_evidence(
			finding, "worker_busy_share", sm_judge_busy_share(loader), "share");
	}
	sm_finding_evidence(finding, "exposed_stall_share", judge->loader->exposed_share, "share");
	sm_finding_evidence(finding, "usable_cores", judge->analysis->usable_cores, "cores");
	sm_finding_evidence(finding, "machine_idle_share",
		sm_cpu_taken_of(judge->analysis, loader).idle_share, "share");
	if (storage * 100 >= STORAGE_PERCENT) {
		sm_finding_evidence(finding, "fetch_storage_share", storage, "share");
		sm_finding_doubt(finding);
	}
	return sm_judge_suggest(
		judge, finding, "Set num_workers={num_workers} on the DataLoader.", &best);
}

static const struct sm_bound bounds[] = {SM_BOUND(STORAGE_PERCENT), {0}};

const struct sm_detector sm_detect_insufficient_workers = {
	.id = "SM102",
	.type = "INSUFFICIENT_WORKERS",
	.title = "Not enough workers",
	.summary = "The workers that there are cannot make batches as fast as the training takes "
		   "them, and there is room for more.",
	.causes = "no_workers: num_workers=0, so that loading and training take turns\n"
		  "too_few_workers: the workers are busy, and cores (or, for input that waits, "
		  "nothing at all) are left for more",
	.evidence = "Replaying the recorded batch times with the best worker count up to the "
		    "usable cores (for workers that wait more than they compute: up to 4 times) "
		    "makes the run shorter by at least {WORTH_PERCENT} %. Cores are those of "
		    "affinity and control group, not the machine's.",
	.fixes = "The num_workers that is suggested; above it nothing is gained. Each worker costs "
		 "its own memory.",
	.wrong = "Storage may have a limit that more workers meet at once: where more than "
		 "{STORAGE_PERCENT} % of fetch waits for storage the finding is held less sure. "
		 "Code under one lock does not go faster with more workers: where workers were "
		 "seen waiting for one most of their time the finding is not made, but unseen "
		 "locks deceive.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
