#include "detect/cpu_taken.h"
#include "detect/judge.h"
#include "detect/words.h"

#include "base/metric.h"

#include <math.h>

enum {
	PERIODS_PERCENT = 10,  /* quota periods with a stop; fewer are single bursts */
	THROTTLED_PERCENT = 5, /* of the run's time on its cores: counts alone raise false alarms */
};

static double limit_of(const struct sm_model *model)
{
	const struct sm_series *limit = sm_model_series(model, SM_METRIC_GROUP_CPU_LIMIT, 0);
	return limit ? limit->minimum : (double)NAN;
}

static bool is_throttled(const struct sm_judge *judge, const struct sm_cpu_taken *taken)
{
	double core_seconds = judge->analysis->wall_s * judge->analysis->usable_cores;
	return taken->quota_share > 0 && taken->throttled_share * 100 >= PERIODS_PERCENT &&
	       taken->throttled_s * 100 >= THROTTLED_PERCENT * core_seconds;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_cpu_taken taken = sm_cpu_taken_of(judge->analysis, judge->loader->loader);
	if (isnan(taken.throttled_s)) {
		return sm_findings_lack(judge->findings, judge->detector,
			"the control group says nothing about a CPU quota");
	}
	const struct sm_cure cure = {.kind = SM_CURE_RUN_DELAY_FREE, .share = taken.quota_share};
	struct sm_finding *finding = NULL;
	int error = is_throttled(judge, &taken)
			    ? sm_judge_propose(judge, "", SM_STAGE_COUNT, NULL, &cure, &finding)
			    : 0;
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "throttled_periods_share", taken.throttled_share, "share");
	sm_finding_evidence(finding, "throttled_s", taken.throttled_s, "s");
	sm_finding_evidence(finding, "cpu_limit", limit_of(judge->analysis->model), "cores");
	sm_finding_evidence(finding, "run_delay_share", taken.delay_share, "share");
	sm_finding_evidence(finding, "machine_idle_share", taken.idle_share, "share");
	sm_finding_suggest(finding,
		"Raise the CPU limit of the container or job above {cpu_limit} cores: its "
		"threads were stopped in {throttled_periods_share} of the quota periods.");
	return sm_judge_suggest_workers(judge, finding);
}

static const struct sm_bound bounds[] = {SM_BOUND(PERIODS_PERCENT), SM_BOUND(THROTTLED_PERCENT),
	SM_BOUND(SM_CPU_TAKEN_IDLE_PERCENT), {0}};

const struct sm_detector sm_detect_cpu_throttled = {
	.id = "SM302",
	.type = "CPU_THROTTLED",
	.title = "A CPU quota stops the workers",
	.summary = "The control group's quota is used up before its period ends, and the kernel "
		   "stops all threads of the job until the next one, however idle the machine is.",
	.causes = "",
	.evidence = "At least {PERIODS_PERCENT} % of the quota periods had a stop, the time "
		    "stopped is at least {THROTTLED_PERCENT} % of the run's time on its cores "
		    "(counts alone fire on single bursts), and the run replayed without that part "
		    "of the run delay is shorter by at least {WORTH_PERCENT} %. Where the machine "
		    "was {SM_CPU_TAKEN_IDLE_PERCENT} % idle all run delay is the quota's.",
	.fixes = "A higher limit, or none with a request instead; otherwise as many workers and "
		 "threads as the limit has cores, so that the quota is spent evenly.",
	.wrong = "Another program in the same control group may have spent the quota. Kernels "
		 "before 5.4 throttled too early. The replay frees the loader only, though the "
		 "training thread was stopped as well.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_CAUSES | SM_NEED_COUNTERS,
	.look_at_loader = look,
};
