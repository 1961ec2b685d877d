#include "detect/judge.h"
#include "detect/waits.h"
#include "detect/words.h"

#include <errno.h>

struct place {
	enum sm_stage stage;
	const char *name, *where;
	double waiting_s, wall_s;
};

static int accuse(
	const struct sm_judge *judge, const struct sm_waits *waits, const struct place *place)
{
	const struct sm_cure cure = sm_waits_cure(waits, place->waiting_s);
	struct sm_finding *finding = NULL;
	int error = place->waiting_s > 0
			    ? sm_judge_propose(judge, "", place->stage, NULL, &cure, &finding)
			    : 0;
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(finding, judge->findings->arena, place->name, place->where);
	sm_finding_evidence(finding, "waiting_share", place->waiting_s / place->wall_s, "share");
	sm_finding_evidence(finding, "waiting_s", place->waiting_s, "s");
	sm_waits_evidence(waits, finding);
	sm_finding_evidence(finding, "num_workers", judge->loader->loader->num_workers, "count");
	sm_finding_suggest(finding,
		"Hold no lock that all workers share while {name} works: give each worker "
		"its own handle, file or connection. It waits for a lock for "
		"{waiting_share} of its time, and more workers will not help.");
	return error;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_waits waits = sm_waits_of(judge);
	if (sm_looks_waiting(&waits.looks) + waits.looks.idle < 1) {
		return sm_findings_lack(judge->findings, judge->detector,
			"what waiting workers wait for could not be looked at");
	}
	if (waits.kind != SM_WAIT_LOCK) {
		return 0;
	}
	struct sm_split fetch = sm_waits_split(&waits, &loader->stage[SM_STAGE_FETCH]);
	struct place place = {SM_STAGE_FETCH, loader->dataset, "", fetch.waiting, fetch.wall};
	int error = accuse(judge, &waits, &place);
	for (size_t i = 0; i < loader->transform_count && !error; i++) {
		struct sm_split split = sm_waits_split(&waits, &loader->transforms[i].sum);
		place = (struct place){SM_STAGE_TRANSFORM, loader->transforms[i].name,
			loader->transforms[i].where, split.waiting, split.wall};
		error = accuse(judge, &waits, &place);
	}
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(SM_LOOKS_LEAST),
	SM_BOUND(SM_LOOKS_MAJORITY_PERCENT), SM_BOUND(SM_WAITS_HELPERS_PERCENT), {0}};

const struct sm_detector sm_detect_lock_contention = {
	.id = "SM114",
	.type = "LOCK_CONTENTION",
	.title = "Workers wait for each other's lock",
	.summary = "All workers need one lock, so that only one of them works at a time, however "
		   "many there are.",
	.causes = "",
	.evidence = "Time blocked without block input and without helper threads at work (their "
		    "CPU under {SM_WAITS_HELPERS_PERCENT} % of it), at least "
		    "{SM_LOOKS_LEAST} looks at workers that wait, at least "
		    "{SM_LOOKS_MAJORITY_PERCENT} % of them in a lock (futex or flock), and the run "
		    "replayed without it is shorter by at least {WORTH_PERCENT} %.",
	.fixes = "One handle a worker, opened in worker_init_fn or on first use; a file format "
		 "without a global lock; a lock held for the read alone, not for the decode.",
	.wrong = "A thread that waits for its own helper threads also sits in a futex; their CPU "
		 "is taken off first, but helpers that wait themselves (for a network, say) look "
		 "like a lock.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_CAUSES | SM_NEED_COUNTERS,
	.look_at_loader = look,
};
