#include "detect/cpu_taken.h"
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/words.h"

#include <math.h>

enum {
	DELAY_PERCENT = 20, /* of the workers' time, runnable but not running */
	OWN_PERCENT = 80,   /* of the machine's busy time: below, others took part of it */
	HELPER_PERCENT =
		50, /* of a worker's own CPU: above, helper threads are a good part of it */
};

static double helper_ratio(const struct sm_loader *loader)
{
	double own = 0, helpers = 0;
	for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
		own += (double)loader->stage[stage].cpu_ns;
		helpers += (double)loader->stage[stage].helper_cpu_ns;
	}
	return own > 0 ? helpers / own : 0;
}

/* NULL: neither the workers nor their threads are more than the cores. */
static const char *crowd_of(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	if (helper_ratio(loader) * 100 >= HELPER_PERCENT) {
		return "intra_op_threads";
	}
	return loader->num_workers > judge->analysis->usable_cores ? "too_many_workers" : NULL;
}

static int suggest(const struct sm_judge *judge, struct sm_finding *finding, bool helpers)
{
	if (helpers) {
		struct sm_suggestion *suggestion = sm_finding_suggest(finding,
			"Give each worker one thread: torch.set_num_threads(1), "
			"cv2.setNumThreads(0) or OMP_NUM_THREADS=1 in worker_init_fn.");
		if (suggestion) {
			sm_finding_change(suggestion, "worker_threads", 1);
		}
	}
	struct sm_setting setting = sm_loader_model_setting(judge->loader->model);
	int cores = (int)fmax(1, floor(judge->analysis->usable_cores));
	if (setting.num_workers <= cores) {
		return 0;
	}
	setting.num_workers = cores;
	return sm_judge_offer(judge, finding,
		"Set num_workers={num_workers}, as many as there are usable cores: the others only "
		"take turns, hold memory and start slowly. For more throughput make the work "
		"itself cheaper.",
		&setting);
}

static int look(const struct sm_judge *judge)
{
	const struct sm_cpu_taken taken = sm_cpu_taken_of(judge->analysis, judge->loader->loader);
	const char *cause = crowd_of(judge);
	if (!cause || taken.delay_share * 100 < DELAY_PERCENT || taken.quota_share >= 1) {
		return 0;
	}
	if (!(taken.own_share * 100 >= OWN_PERCENT)) {
		return sm_findings_lack(judge->findings, judge->detector,
			isnan(taken.own_share) ? "the machine's CPU time was not sampled"
					       : "other programs kept the CPUs busy meanwhile");
	}
	const struct sm_cure cure = {
		.kind = SM_CURE_RUN_DELAY_FREE, .share = 1 - taken.quota_share};
	struct sm_finding *finding;
	int error = sm_judge_propose(judge, cause, SM_STAGE_COUNT, NULL, &cure, &finding);
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "run_delay_share", taken.delay_share, "share");
	sm_finding_evidence(finding, "num_workers", judge->loader->loader->num_workers, "count");
	sm_finding_evidence(finding, "usable_cores", judge->analysis->usable_cores, "cores");
	sm_finding_evidence(finding, "own_share_of_busy_cpu", taken.own_share, "share");
	sm_finding_evidence(finding, "machine_idle_share", taken.idle_share, "share");
	sm_finding_evidence(
		finding, "helper_cpu_per_own_cpu", helper_ratio(judge->loader->loader), "ratio");
	return suggest(judge, finding, helper_ratio(judge->loader->loader) * 100 >= HELPER_PERCENT);
}

static const struct sm_bound bounds[] = {
	SM_BOUND(HELPER_PERCENT), SM_BOUND(DELAY_PERCENT), SM_BOUND(OWN_PERCENT), {0}};

const struct sm_detector sm_detect_cpu_oversubscription = {
	.id = "SM301",
	.type = "CPU_OVERSUBSCRIPTION",
	.title = "More threads want to run than there are cores",
	.summary = "The job's own workers, or the helper threads of their libraries, take the CPU "
		   "from each other.",
	.causes = "too_many_workers: num_workers is above the usable cores\n"
		  "intra_op_threads: helper threads of the workers use at least {HELPER_PERCENT} % "
		  "of the CPU their own threads use",
	.evidence =
		"Workers could run but did not for at least {DELAY_PERCENT} % of their time, the "
		"job itself had at least {OWN_PERCENT} % of the machine's busy CPU time, and the "
		"run replayed without that delay is shorter by at least {WORTH_PERCENT} %.",
	.fixes = "One thread a worker; as many workers as usable cores; then cheaper work. "
		 "Severity says what as many cores as threads would give; fewer workers alone give "
		 "less, as the suggestion's prediction says.",
	.wrong = "Where other programs were busy too the finding is not made, even if both are "
		 "true. Cores of a virtual machine may be hyper-threads, or be taken by the host "
		 "unseen.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_CAUSES | SM_NEED_COUNTERS,
	.look_at_loader = look,
};
