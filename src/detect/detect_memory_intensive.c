/* Time that goes into memory instead of into data: touching fresh pages, and copying what is there already.
 *
 * What a fault costs here was measured beside the calls, and what copies took stands in the calls that were followed. A call that
 * keeps touching fresh pages, warm-up past, gets its memory from the system each time and gives it back: arrays above
 * the allocator's threshold do. */
#include "detect/judge_calls.h"

#include <math.h>
#include <string.h>

enum {
	OWN_PERCENT = 50
}; /* of the pages touched, what Python's allocators held at a time: then it is they */

/* Memory that came in huge pages: one fault fills five hundred pages then, and small ones do not add up to what was allocated.
 * A call that got what it held from memory that it had already has no such faults. */
static double huge_bytes(const struct sm_calls *calls)
{
	double small_bytes = calls->minor_faults * calls->page_bytes;
	double expected = calls->allocated_bytes / calls->huge_page_bytes;
	bool is_huge = small_bytes * 100 < OWN_PERCENT * calls->allocated_bytes &&
		       calls->minor_faults * 100 >= OWN_PERCENT * expected && expected >= 1;
	return is_huge ? calls->allocated_bytes : 0; /* false for NaN */
}

static double fresh_bytes(const struct sm_calls *calls)
{
	double huge = huge_bytes(calls);
	return huge > 0 ? huge : calls->minor_faults * calls->page_bytes;
}

/* Faults are work of its own thread; what was not measured stays NaN. */
static double faults_at(const struct sm_calls *calls, double fault_s, double huge_fault_s)
{
	double huge = huge_bytes(calls) / calls->huge_page_bytes; /* pages */
	double pages_s = huge > 0 ? huge * huge_fault_s : 0, work_s = sm_judge_calls_work_s(calls);
	double small = huge > 0 ? fmax(0, calls->minor_faults - huge) : calls->minor_faults;
	double faults_s = pages_s + small * fault_s;
	return faults_s > work_s ? work_s : faults_s;
}

static struct sm_interval faults_of(const struct sm_calls *calls)
{
	return (struct sm_interval){.middle = faults_at(calls, calls->fault_s, calls->huge_fault_s),
		.low = faults_at(calls, calls->fault_low_s, calls->huge_fault_low_s),
		.high = faults_at(calls, calls->fault_high_s, calls->huge_fault_high_s)};
}

static struct sm_interval copies_of(const struct sm_calls *calls)
{
	return (struct sm_interval){.middle = calls->copy_share * calls->need_s,
		.low = calls->copy_low_share * calls->need_s,
		.high = calls->copy_high_share * calls->need_s};
}

static const char *cause_of_faults(const struct sm_calls *calls)
{
	return calls->allocated_bytes * 100 >= OWN_PERCENT * fresh_bytes(calls) ? "allocation"
										: "page_fault";
}

static const char *advice_for(const char *cause)
{
	if (!strcmp(cause, "copy")) {
		return "Copy less in {name}: {copy_share} of a call is in functions that only "
		       "copy. "
		       "Share memory (torch.from_numpy, np.asarray, views), convert types once, "
		       "and work in place on what is yours.";
	}
	if (!strcmp(cause, "allocation")) {
		return "Reuse buffers in {name} (out=, in-place operations): each call touches "
		       "{fresh_bytes} of fresh memory.";
	}
	return "Keep mapped or fresh memory between the calls of {name}: each touches "
	       "{fresh_bytes} "
	       "that it has no page for yet.";
}

static void advise(struct sm_finding *finding, const char *cause)
{
	sm_judge_calls_cure(finding, advice_for(cause));
	if (!strcmp(cause, "copy")) {
		return;
	}
	sm_judge_calls_cure(finding,
		"Or let the allocator keep freed memory: start Python with MALLOC_MMAP_THRESHOLD_ "
		"and "
		"MALLOC_TRIM_THRESHOLD_ set to 1 GiB (glibc), at the price of memory that stays "
		"taken.");
	sm_finding_suggest(finding, "Or work on smaller pieces at a time, so that the same memory "
				    "serves them one after "
				    "the other.");
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	const struct sm_interval faults = faults_of(calls), copies = copies_of(calls);
	if (isnan(faults.middle) && isnan(copies.middle)) {
		return sm_judge_calls_lack(judge, calls->no_memory,
			"neither its page faults nor its copies were looked at");
	}
	bool copies_lead = !(faults.middle >= copies.middle) && !isnan(copies.middle);
	const char *cause = copies_lead ? "copy" : cause_of_faults(calls);
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, cause, copies_lead ? copies : faults, &finding);
	if (error || !finding) {
		return error;
	}
	if (copies_lead && calls->copy_where) {
		error = sm_finding_place(finding, judge->findings->arena,
			calls->copy_name ? calls->copy_name : calls->name, calls->copy_where);
		finding->name = calls->name;
		finding->cause_detail = calls->copy_name ? calls->copy_name : "";
	}
	sm_finding_evidence(finding, "minor_faults", calls->minor_faults, "count");
	sm_finding_evidence(finding, "fault_s", calls->fault_s, "s");
	sm_finding_evidence(finding, "fresh_bytes", fresh_bytes(calls), "bytes");
	sm_finding_evidence(finding, "allocated_bytes", calls->allocated_bytes, "bytes");
	sm_finding_evidence(finding, "copy_share", calls->copy_share, "share");
	sm_finding_evidence(finding, "output_bytes", calls->output_bytes, "bytes");
	advise(finding, cause);
	return error;
}

static const struct sm_bound bounds[] = {
	SM_BOUND(OWN_PERCENT), SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_memory_intensive = {
	.id = "SM202",
	.type = "MEMORY_INTENSIVE",
	.title = "Its time goes into memory",
	.summary =
		"The function spends its time on touching fresh memory or on copying, not on its "
		"data.",
	.causes = "allocation: each call gets fresh memory, touches it and gives it back; Python's "
		  "allocators held at least {OWN_PERCENT} % of it\n"
		  "page_fault: each call touches pages that it has not yet, of mapped files or of "
		  "an allocator that Python does not see\n"
		  "copy: more time is in functions that only copy (copy, astype, clone, tobytes, "
		  "deepcopy and the like)",
	.evidence =
		"The page faults of a call, at the price of one that was measured on this machine "
		"beside the calls, or the share of its copies in calls that were followed, "
		"make up at least {SM_JUDGE_CALLS_WORTH_PERCENT} % of a call. Severity: they "
		"take nothing.",
	.fixes =
		"Buffers that are used again; fewer conversions of type and of container; views in "
		"place of copies; an allocator that keeps what was freed.",
	.wrong = "A page that is cleared by the kernel is warm afterwards: without the fault the "
		 "first access would cost a little. Copies made inside native code are not "
		 "seen. An astype that is needed is counted as well.",
	.bounds = bounds,
	.look_at_calls = look,
};
