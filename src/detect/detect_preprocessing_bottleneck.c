/* One transform, or the data set's own code, takes the time. What it does with it is told from the causes of its spans:
 * computing (its own thread or helpers), touching fresh memory, reading storage, or waiting. */
#include "detect/computing.h"
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/storage.h"
#include "detect/waits.h"
#include "detect/words.h"

#include <string.h>

enum {
	MOST_PERCENT = 50,  /* of what the code needs: the larger half names the cause */
	KNOWN_PERCENT = 50, /* of its time must lie in spans that carry their cause */
	LOOP_US = 1000,	    /* a call in the interpreter longer than this holds a loop */
	FAULT_NS = 1000,    /* CPU of a minor fault: a quarter on bare metal, twice in a guest */
};

struct suspect {
	enum sm_stage stage;
	const char *name, *where;
	const struct sm_cause_sum *sum;
	const struct sm_waits *waits; /* of the loader */
	double calls;
	struct sm_split split;
	struct sm_cure cure;
};

struct nature {
	const char *cause, *detail;
	bool waits; /* it does not compute: named before the number of workers */
	bool reads; /* and that for local storage */
};

/* A millisecond is tens of thousands of Python's instructions: nobody writes so many down, so there is a loop. */
static bool loops_in_python(const struct suspect *suspect, const struct sm_computing *computing)
{
	double call_s = (double)suspect->sum->wall_ns * 1e-9 / suspect->calls;
	return !strcmp(computing->detail, "python_cpu") && call_s * 1e6 >= LOOP_US;
}

static struct nature nature_of_work(const struct sm_judge *judge, const struct suspect *suspect)
{
	double faults_s = (double)suspect->sum->minor_faults * FAULT_NS * 1e-9;
	if (faults_s * 100 >= MOST_PERCENT * suspect->split.computing) {
		return (struct nature){"MEMORY_INTENSIVE", "allocation", false};
	}
	const struct sm_computing computing =
		sm_computing_of(judge, suspect->stage, &suspect->split);
	bool loops = loops_in_python(suspect, &computing);
	return (struct nature){
		loops ? "VECTORIZATION_INEFFICIENT" : "CPU_INTENSIVE", computing.detail, false};
}

static struct nature nature_of_wait(const struct sm_waits *waits)
{
	static const char *const waits_for[] = {
		[SM_WAIT_UNKNOWN] = "",
		[SM_WAIT_LOCK] = "lock",
		[SM_WAIT_SLEEP] = "sleep",
		[SM_WAIT_PEER] = "network",
		[SM_WAIT_FILE] = "file",
	};
	return (struct nature){"I_O_BOUND", waits_for[waits->kind], true};
}

static struct nature nature_of(const struct sm_judge *judge, const struct suspect *suspect)
{
	const struct sm_split *split = &suspect->split;
	double need = sm_split_need(split);
	if (split->wall * 100 < KNOWN_PERCENT * (split->wall + split->unknown) || !(need > 0)) {
		return (struct nature){"", "", false};
	}
	if (sm_split_work(split) * 100 >= MOST_PERCENT * need) {
		return nature_of_work(judge, suspect);
	}
	if (split->storage >= split->waiting) {
		return (struct nature){
			"I_O_BOUND", sm_storage_of(judge, suspect->sum).cause, true, true};
	}
	return nature_of_wait(suspect->waits);
}

static void prove(const struct sm_judge *judge, const struct suspect *suspect,
	const struct nature *nature, struct sm_finding *finding)
{
	const struct sm_split *split = &suspect->split;
	sm_finding_evidence(finding, "wall_s", split->wall + split->unknown, "s");
	sm_finding_evidence(
		finding, "mean_call_s", (split->wall + split->unknown) / suspect->calls, "s");
	if (split->wall > 0) {
		sm_finding_evidence(
			finding, "own_cpu_share", split->computing / split->wall, "share");
		sm_finding_evidence(
			finding, "helper_cpu_share", split->helpers / split->wall, "share");
		sm_finding_evidence(
			finding, "run_delay_share", split->run_delay / split->wall, "share");
		sm_finding_evidence(
			finding, "storage_share", split->storage / split->wall, "share");
		sm_finding_evidence(
			finding, "waiting_share", split->waiting / split->wall, "share");
	}
	sm_finding_evidence(finding, "python_share_of_cpu",
		sm_computing_of(judge, suspect->stage, split).python_share, "share");
	sm_finding_evidence(
		finding, "worker_busy_share", sm_judge_busy_share(judge->loader->loader), "share");
	if (nature->reads) {
		struct sm_storage storage = sm_storage_of(judge, suspect->sum);
		sm_finding_evidence(
			finding, "read_from_storage_bytes", storage.read_bytes, "bytes");
	} else if (nature->waits) {
		sm_waits_evidence(suspect->waits, finding);
	}
}

static const char *advice_for(const struct suspect *suspect, const struct nature *nature)
{
	if (nature->waits && suspect->stage == SM_STAGE_FETCH) {
		return "Take the waiting out of {name}, or let several samples wait at a time "
		       "(__getitems__, asynchronous requests): {waiting_share} of making a sample "
		       "is "
		       "neither computing nor reading a disk.";
	}
	if (nature->waits) {
		return "Take the waiting out of {name}: read ahead or once before training, or let "
		       "several requests run at a time. It waits for most of its {mean_call_s} a "
		       "call.";
	}
	if (nature->cause[0] == 'V') {
		return "Replace the loop in {name} by array operations (numpy, torch) on the whole "
		       "sample: {python_share_of_cpu} of the workers' CPU is in the Python "
		       "interpreter, {mean_call_s} a call.";
	}
	if (nature->cause[0] == 'M') {
		return "Reuse buffers in {name} (out=, in-place operations): most of its CPU goes "
		       "into touching fresh memory.";
	}
	return "Make {name} cheaper: it takes {mean_call_s} a call. Do its fixed part once and "
	       "store the result, work on smaller inputs (crop before resize), or use a vectorised "
	       "or native routine.";
}

static const char *title_of(const struct suspect *suspect, const struct nature *nature)
{
	if (suspect->stage != SM_STAGE_FETCH) {
		return NULL;
	}
	return nature->waits ? "Making a sample waits" : "Making a sample is slow";
}

/* A transform that waits comes first of all. A data set that waits is told where SLOW_DISK_IO would be: behind a few slow samples,
 * before the number of workers. */
static int order_of(const struct suspect *suspect, const struct nature *nature, int of_detector)
{
	if (!nature->waits) {
		return of_detector;
	}
	return suspect->stage == SM_STAGE_FETCH ? sm_detect_place(sm_detect_find("SM101")) : 0;
}

static int accuse(const struct sm_judge *judge, const struct suspect *suspect, struct nature nature)
{
	struct sm_finding *finding;
	int error = sm_judge_propose(
		judge, nature.cause, suspect->stage, NULL, &suspect->cure, &finding);
	if (error || !finding) {
		return error;
	}
	finding->title = title_of(suspect, &nature);
	finding->cause_detail = nature.detail;
	finding->order = order_of(suspect, &nature, finding->order);
	error = sm_finding_place(finding, judge->findings->arena, suspect->name, suspect->where);
	prove(judge, suspect, &nature, finding);
	if (!nature.cause[0] || (nature.waits && !nature.detail[0])) {
		sm_finding_doubt(finding);
	}
	sm_finding_suggest(finding, advice_for(suspect, &nature));
	return error ? error : sm_judge_suggest_workers(judge, finding);
}

/* What a lock holds back is the lock's finding, not the transform's. */
static bool is_held_back(const struct suspect *suspect)
{
	return suspect->waits->kind == SM_WAIT_LOCK &&
	       suspect->split.waiting * 100 >= MOST_PERCENT * sm_split_need(&suspect->split);
}

static int look_at_transforms(const struct sm_judge *judge, const struct sm_waits *waits)
{
	const struct sm_loader *loader = judge->loader->loader;
	double all_ns = (double)loader->stage[SM_STAGE_TRANSFORM].wall_ns;
	int error = 0;
	for (size_t i = 0; i < loader->transform_count && !error && all_ns > 0; i++) {
		const struct sm_transform *transform = &loader->transforms[i];
		double share = (double)transform->sum.wall_ns / all_ns;
		const struct suspect suspect = {SM_STAGE_TRANSFORM, transform->name,
			transform->where, &transform->sum, waits, (double)transform->sum.count,
			sm_waits_split(waits, &transform->sum),
			{.kind = SM_CURE_TRANSFORM_FREE, .share = share < 1 ? share : 1}};
		if (!is_held_back(&suspect)) {
			error = accuse(judge, &suspect, nature_of(judge, &suspect));
		}
	}
	return error;
}

/* The data set's own code, outside any Compose: what it computes. */
static int look_at_work(const struct sm_judge *judge, const struct suspect *fetch)
{
	const struct sm_split *split = &fetch->split;
	double kept = split->wall > 0 ? (split->storage + split->waiting) / split->wall : 0;
	struct suspect suspect = *fetch;
	suspect.cure = (struct sm_cure){
		.kind = SM_CURE_STAGE_SCALED, .stage = SM_STAGE_FETCH, .factor = kept};
	return sm_split_work(split) * 100 >= MOST_PERCENT * sm_split_need(split)
		       ? accuse(judge, &suspect, nature_of(judge, &suspect))
		       : 0;
}

/* And its waits that are neither SLOW_DISK_IO's nor a lock's: a sleep, or what could not be seen. */
static int look_at_rest(const struct sm_judge *judge, const struct suspect *fetch)
{
	enum sm_wait kind = fetch->waits->kind;
	struct suspect suspect = *fetch;
	suspect.cure = sm_waits_cure(fetch->waits, fetch->split.waiting);
	return fetch->split.waiting > 0 && (kind == SM_WAIT_SLEEP || kind == SM_WAIT_UNKNOWN)
		       ? accuse(judge, &suspect, nature_of_wait(fetch->waits))
		       : 0;
}

static int look_at_fetch(const struct sm_judge *judge, const struct sm_waits *waits)
{
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_cause_sum *sum = &loader->stage[SM_STAGE_FETCH];
	const struct suspect fetch = {.stage = SM_STAGE_FETCH,
		.name = loader->dataset,
		.where = loader->dataset_where,
		.sum = sum,
		.waits = waits,
		.calls = sm_judge_samples(loader),
		.split = sm_waits_split(waits, sum)};
	int error = look_at_work(judge, &fetch);
	return error ? error : look_at_rest(judge, &fetch);
}

static int look(const struct sm_judge *judge)
{
	const struct sm_waits waits = sm_waits_of(judge);
	int error = look_at_transforms(judge, &waits);
	return error ? error : look_at_fetch(judge, &waits);
}

static const struct sm_bound bounds[] = {SM_BOUND(MOST_PERCENT), SM_BOUND(FAULT_NS),
	SM_BOUND(KNOWN_PERCENT), SM_BOUND(LOOP_US), SM_BOUND(SM_COMPUTING_MOST_PERCENT), {0}};

const struct sm_detector sm_detect_preprocessing_bottleneck = {
	.id = "SM105",
	.type = "PREPROCESSING_BOTTLENECK",
	.title = "A transform is slow",
	.summary = "One transform, or the data set's own code, takes so much of the workers' time "
		   "that the training waits for it.",
	.causes = "CPU_INTENSIVE: most of what it needs is CPU, on its own thread or on helper "
		  "threads; native_cpu or python_cpu as detail where at least "
		  "{SM_COMPUTING_MOST_PERCENT} % of the looks at the workers' CPU agree and the "
		  "code has that much of it\n"
		  "VECTORIZATION_INEFFICIENT: as python_cpu, and a call takes at least {LOOP_US} "
		  "us: that is a loop in Python\n"
		  "MEMORY_INTENSIVE: at least {MOST_PERCENT} % of its CPU is page faults, at "
		  "{FAULT_NS} ns each\n"
		  "I_O_BOUND: most of what it needs is waiting; the detail says for what (a cause "
		  "of SLOW_DISK_IO, network, file, sleep), or nothing where that could not be "
		  "seen. Of the data set's own code: waits in which no look found a store",
	.evidence = "The run replayed with this transform taking no time is shorter by at least "
		    "{WORTH_PERCENT} %. Its cause is whatever makes up at least {MOST_PERCENT} % "
		    "of what it needs; time in which it could have run and did not (run delay) is "
		    "not its need. At least {KNOWN_PERCENT} % of its time must lie in spans that "
		    "carry their cause, else the cause is left empty.",
	.fixes = "Store the result of the deterministic part; work on smaller inputs; native or "
		 "vectorised routines; batch transforms on the device; more workers where there "
		 "are cores.",
	.wrong = "Any pipeline has a largest part: this says what it costs, not that it is badly "
		 "written. Code that spins while it waits looks like computing. Work handed to "
		 "another process looks like waiting. A sleep may stand for anything: a limit on "
		 "requests, a client of a far store between two tries. A Python that carries its "
		 "libraries inside "
		 "itself (uv's) shows their work, zlib say, as its own.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
