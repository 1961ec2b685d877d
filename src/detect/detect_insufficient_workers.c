/* More workers, as far as cores and memory go.
 *
 * What they gain on storage one run cannot know: the same disk may serve twice as many readers twice as fast, or not
 * at all faster. So the part of the workers' time that waits for storage counts between nothing and in full: the
 * interval reaches from one to the other, and the value is its middle. */
#include "detect/cpu_taken.h"
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/waits.h"
#include "detect/words.h"

/* Of the workers' time: above, the finding is less sure. */
enum { STORAGE_PERCENT = 50 };

static double storage_share(const struct sm_loader *loader)
{
	double storage = 0, need = 0;
	for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
		struct sm_split split = sm_split_of(&loader->stage[stage]);
		storage += split.storage;
		need += sm_split_need(&split);
	}
	return need > 0 ? storage / need : 0;
}

static void widen(struct sm_finding *finding, double storage)
{
	finding->severity_low *= 1 - storage;
	finding->severity *= 1 - storage / 2;
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		struct sm_interval *speedup = &finding->suggestions[i].speedup;
		speedup->low = 1 + (speedup->low - 1) * (1 - storage);
		speedup->middle = 1 + (speedup->middle - 1) * (1 - storage / 2);
	}
	if (storage * 100 >= STORAGE_PERCENT) {
		sm_finding_doubt(finding);
	}
}

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
	sm_finding_evidence(finding, "worker_storage_share", storage_share(loader), "share");
	error = sm_judge_suggest(
		judge, finding, "Set num_workers={num_workers} on the DataLoader.", &best);
	widen(finding, storage_share(loader));
	return error;
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
	.wrong = "Storage may have a limit that more workers meet at once: that part of the gain "
		 "is an interval from none to all, and above {STORAGE_PERCENT} % of the workers' "
		 "time the finding is held less sure. Code under one lock does not go faster with "
		 "more workers: where workers were seen waiting for one most of their time the "
		 "finding is not made, but unseen locks deceive.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
