/* The function waits: for storage, for a peer, for a clock. */
#include "detect/judge_calls.h"

#include "detect/looks.h"

#include <math.h>
#include <string.h>

enum { FAULT_PERCENT = 50 }; /* of what was read, by pages that were touched: storage.h's bound */

static bool reads_storage(const struct sm_calls *calls)
{
	return calls->read_bytes > 0 || calls->major_faults >= 1;
}

static const char *cause_of(const struct sm_calls *calls)
{
	double by_faults = calls->major_faults * calls->page_bytes;
	if (!reads_storage(calls)) {
		return "";
	}
	return by_faults * 100 >= FAULT_PERCENT * calls->read_bytes ? "page_fault" : "cold_cache";
}

struct wait {
	const char *name;
	double looks;
};

/* What most looks found it waiting for, or "" where there were few, or none had a majority. */
static const char *most_of(const struct sm_calls *calls)
{
	const struct wait waits[] = {{"sleep", calls->sleep_looks}, {"lock", calls->lock_looks},
		{"network", calls->network_looks}, {"file", calls->file_looks},
		{"process", calls->process_looks}};
	double all = 0;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		all += waits[i].looks;
	}
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		if (all >= SM_LOOKS_LEAST &&
			waits[i].looks * 100 >= SM_LOOKS_MAJORITY_PERCENT * all) {
			return waits[i].name;
		}
	}
	return "";
}

/* Work of helpers does not end sooner for not being waited for. */
static struct sm_interval saved(const struct sm_calls *calls)
{
	double waiting = sm_judge_calls_waiting_s(calls), helped = calls->blocked_s - waiting;
	return (struct sm_interval){.middle = waiting,
		.low = fmax(0, calls->blocked_low_s - helped),
		.high = calls->blocked_high_s - helped};
}

static const char *advice_for(const struct sm_calls *calls, const char *wait)
{
	if (reads_storage(calls)) {
		return "Read ahead for {name}, or put its files into memory, onto a faster disk or "
		       "into fewer, larger files: each call waits {waiting_s} and reads "
		       "{read_bytes} "
		       "from storage.";
	}
	if (!strcmp(wait, "lock")) {
		return "Find who holds the lock that {name} waits for: {waiting_s} of each call.";
	}
	if (!strcmp(wait, "sleep")) {
		return "Take the sleep out of {name}: {waiting_s} of each call.";
	}
	return "Take the waiting out of {name}: do it once and keep the answer, or before "
	       "training; it "
	       "waits {waiting_s} of each call.";
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (isnan(calls->blocked_s)) {
		return sm_judge_calls_lack(
			judge, calls->no_costs, "the thread's CPU clock could not be read");
	}
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, cause_of(calls), saved(calls), &finding);
	if (error || !finding) {
		return error;
	}
	const char *wait = most_of(calls);
	finding->cause_detail = wait;
	sm_finding_evidence(finding, "waiting_s", sm_judge_calls_waiting_s(calls), "s");
	sm_finding_evidence(finding, "read_bytes", calls->read_bytes, "bytes");
	sm_finding_evidence(finding, "major_faults", calls->major_faults, "count");
	sm_finding_evidence(finding, "sleep_looks", calls->sleep_looks, "count");
	sm_finding_evidence(finding, "lock_looks", calls->lock_looks, "count");
	sm_finding_evidence(finding, "network_looks", calls->network_looks, "count");
	sm_finding_evidence(finding, "file_looks", calls->file_looks, "count");
	sm_finding_evidence(finding, "process_looks", calls->process_looks, "count");
	sm_judge_calls_cure(finding, advice_for(calls, wait));
	if (strcmp(wait, "lock")) {
		sm_judge_calls_spread(finding,
			"Or let several calls wait at a time: in DataLoader workers (more of them "
			"than "
			"cores, where they wait), or in threads.",
			SM_JUDGE_CALLS_WAITING_FACTOR * calls->usable_cpus);
	}
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(FAULT_PERCENT), SM_BOUND(SM_LOOKS_LEAST),
	SM_BOUND(SM_LOOKS_MAJORITY_PERCENT), SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT),
	SM_BOUND(SM_JUDGE_CALLS_WAITING_FACTOR), {0}};

const struct sm_detector sm_detect_i_o_bound = {
	.id = "SM204",
	.type = "I_O_BOUND",
	.title = "It waits",
	.summary =
		"The function's thread stands still for storage, for a peer or for a clock, while "
		"nobody works for it.",
	.causes = "cold_cache: it reads from storage what is not in memory\n"
		  "page_fault: it reads mapped files, by touching their pages, for at least "
		  "{FAULT_PERCENT} % of what it reads\n"
		  "and as detail what it was found waiting for (sleep, lock, network, file, "
		  "process), where at least {SM_LOOKS_LEAST} looks in a separate pass found it "
		  "waiting and {SM_LOOKS_MAJORITY_PERCENT} % of them agree",
	.evidence = "Of a call's wall time, what is neither CPU of its thread, nor CPU of helper "
		    "threads meanwhile, nor waiting for a CPU, is at least "
		    "{SM_JUDGE_CALLS_WORTH_PERCENT} %. Severity: that takes nothing.",
	.fixes = "Read ahead; keep what was read; several requests at a time: up to "
		 "{SM_JUDGE_CALLS_WAITING_FACTOR} for each usable core.",
	.wrong = "The first call finds files cold that later ones find in memory: the warm-up call "
		 "is "
		 "not judged, so what a first epoch waits for may be missing here. Work in another "
		 "process looks like waiting.",
	.bounds = bounds,
	.look_at_calls = look,
};
