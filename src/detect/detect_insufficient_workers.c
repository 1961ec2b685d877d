/* More workers, as far as cores and memory go.
 *
 * What they gain on storage one run cannot know: the same disk may serve twice as many readers twice as fast, or not
 * at all faster. Nor whether other programs would give way where the CPUs are theirs. So the part of the gain that hangs on
 * either counts between nothing and in full: the interval reaches from one to the other, and the value is its middle. */
#include "detect/cpu_taken.h"
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/waits.h"
#include "detect/words.h"

#include <math.h>

/* Of the gain: above, the finding is less sure. */
enum { UNSURE_PERCENT = 50 };

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

static double gain_as_speedup(double severity)
{
	return 1 / (1 - fmin(severity, 0.99));
}

static void widen(struct sm_finding *finding, double unsure)
{
	finding->severity_low *= 1 - unsure;
	finding->severity *= 1 - unsure / 2;
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		sm_judge_widen(&finding->suggestions[i].speedup, unsure);
	}
	if (unsure * 100 >= UNSURE_PERCENT) {
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
	const struct sm_cpu_taken taken = sm_cpu_taken_of(judge->analysis, loader);
	double storage = storage_share(loader);
	double contested = sm_cpu_taken_contested_share(&taken, gain_as_speedup(finding->severity));
	sm_finding_evidence(finding, "machine_idle_share", taken.idle_share, "share");
	sm_finding_evidence(finding, "gain_on_cpu_of_others_share", contested, "share");
	sm_finding_evidence(finding, "worker_storage_share", storage, "share");
	error = sm_judge_suggest(
		judge, finding, "Set num_workers={num_workers} on the DataLoader.", &best);
	widen(finding, 1 - (1 - storage) * (1 - contested));
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(UNSURE_PERCENT), {0}};

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
	.wrong = "Storage may have a limit that more workers meet at once, and CPUs that other "
		 "programs keep busy may not become free for more workers: that part of the gain "
		 "is an interval from none to all, and above {UNSURE_PERCENT} % of it the "
		 "finding is held less sure. Code under one lock does not go faster with "
		 "more workers: where workers were seen waiting for one most of their time the "
		 "finding is not made, but unseen locks deceive.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
