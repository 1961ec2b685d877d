/* Two waits of the fetch stage: for local storage, which the span itself proves by block input or major faults, and for
 * something far away, which shows as blocked time without either, at a socket or in a file operation. */
#include "detect/judge.h"
#include "detect/split.h"
#include "detect/storage.h"
#include "detect/waits.h"
#include "detect/words.h"

static int look_at_local(const struct sm_judge *judge, const struct sm_split *fetch)
{
	const struct sm_cure cure = {.kind = SM_CURE_INPUT_FREE};
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_storage storage = sm_storage_of(judge, &loader->stage[SM_STAGE_FETCH]);
	struct sm_finding *finding = NULL;
	int error = fetch->storage > 0 ? sm_judge_propose(judge, storage.cause, SM_STAGE_FETCH,
						 NULL, &cure, &finding)
				       : 0;
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(
		finding, judge->findings->arena, loader->dataset, loader->dataset_where);
	finding->cause_detail = storage.detail;
	sm_finding_evidence(finding, "fetch_storage_share", fetch->storage / fetch->wall, "share");
	sm_finding_evidence(
		finding, "fetch_cpu_share", sm_split_work(fetch) / fetch->wall, "share");
	sm_storage_evidence(&storage, finding);
	sm_finding_suggest(finding,
		"Keep what {name} reads near the CPU: on a local SSD or in memory, in "
		"fewer and larger files that are read in order. Fetch waits for storage "
		"for {fetch_storage_share} of its time.");
	error = error ? error : sm_judge_suggest_workers(judge, finding);
	return error ? error : sm_judge_suggest_prefetch(judge, finding);
}

/* A wait that left nothing in the span is for a store only where looks found it at one: it may as well be a sleep. */
static const char *detail_of(enum sm_wait kind)
{
	switch (kind) {
	case SM_WAIT_PEER:
		return "a socket, of another machine or of another process here";
	case SM_WAIT_FILE:
		return "a file on a mount that reads no local block";
	default:
		return NULL;
	}
}

static int look_at_remote(const struct sm_judge *judge, const struct sm_split *fetch)
{
	const struct sm_waits waits = sm_waits_of(judge);
	const struct sm_cure cure = sm_waits_cure(&waits, fetch->waiting);
	const char *detail = detail_of(waits.kind);
	struct sm_finding *finding = NULL;
	int error = 0;
	if (detail && fetch->waiting > 0) {
		error = sm_judge_propose(
			judge, "remote_latency", SM_STAGE_FETCH, NULL, &cure, &finding);
	}
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(finding, judge->findings->arena, judge->loader->loader->dataset,
		judge->loader->loader->dataset_where);
	finding->cause_detail = detail;
	sm_finding_evidence(finding, "fetch_waiting_share", fetch->waiting / fetch->wall, "share");
	sm_finding_evidence(
		finding, "fetch_cpu_share", sm_split_work(fetch) / fetch->wall, "share");
	sm_finding_evidence(finding, "fetch_storage_share", fetch->storage / fetch->wall, "share");
	sm_waits_evidence(&waits, finding);
	sm_finding_suggest(finding,
		"Fetch several samples at once in {name} (__getitems__, asynchronous or "
		"batched requests), or keep a local copy: {fetch_waiting_share} of fetch "
		"is spent waiting, not reading and not computing.");
	error = error ? error : sm_judge_suggest_workers(judge, finding);
	return error ? error : sm_judge_suggest_prefetch(judge, finding);
}

static int look(const struct sm_judge *judge)
{
	const struct sm_waits waits = sm_waits_of(judge);
	const struct sm_split fetch =
		sm_waits_split(&waits, &judge->loader->loader->stage[SM_STAGE_FETCH]);
	int error = look_at_local(judge, &fetch);
	return error ? error : look_at_remote(judge, &fetch);
}

static const struct sm_bound bounds[] = {SM_BOUND(SM_STORAGE_SMALL_KILOBYTES),
	SM_BOUND(SM_STORAGE_FAULT_PERCENT), SM_BOUND(SM_STORAGE_REFAULT_PERCENT),
	SM_BOUND(SM_LOOKS_LEAST), SM_BOUND(SM_LOOKS_MAJORITY_PERCENT), {0}};

const struct sm_detector sm_detect_slow_disk_io = {
	.id = "SM101",
	.type = "SLOW_DISK_IO",
	.title = "Reading samples waits for storage",
	.summary = "Inside the data set, outside its transforms, workers are blocked: by reads "
		   "that miss the page cache, or by a store that is far away.",
	.causes = "cold_cache: blocks are read from disk, in pieces of at least "
		  "{SM_STORAGE_SMALL_KILOBYTES} kB a sample\n"
		  "small_files: less than that a sample, so that places cost more than bytes\n"
		  "page_fault: a mapped file; at least {SM_STORAGE_FAULT_PERCENT} % of the waits "
		  "are major faults\n"
		  "cache_thrash: at least {SM_STORAGE_REFAULT_PERCENT} % of the bytes read had "
		  "been in memory and were pushed out (97 % were where a set did not fit, 0.4 % on "
		  "a first pass)\n"
		  "remote_latency: blocked without block input or fault, and at least "
		  "{SM_LOOKS_MAJORITY_PERCENT} % of the looks (of {SM_LOOKS_LEAST} or more) at "
		  "workers that wait found them at a socket or in a file operation: a server, a "
		  "network mount\n"
		  "bandwidth, read_amplification, repeated_open: need a second concurrency, sizes "
		  "of samples or names of files; not told yet",
	.evidence =
		"Spans in which the thread was blocked while it read blocks or took major "
		"faults (from the span's own rusage, not from the device: a throttled volume "
		"shows an idle disk), or blocked with neither at a socket or in a file. The run "
		"replayed without that time is shorter by at least {WORTH_PERCENT} %.",
	.fixes = "Local SSD or memory; shards (tar, WebDataset, Parquet) instead of single files; "
		 "reading ahead and in order; more workers where the store has room; a data set "
		 "that fits the memory limit.",
	.wrong = "The first epoch is cold by nature: when the set fits into memory later ones are "
		 "not. A socket may lead to a process of the same machine. A sleep between the "
		 "tries "
		 "of a client, and waits where workers could not be looked at, are not told to be "
		 "storage: PREPROCESSING_BOTTLENECK has them.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_CAUSES,
	.look_at_loader = look,
};
