/* A loop in Python that does for one element what array operations do for all of them.
 *
 * The lines of one call were followed (each with its runs and its CPU), beside the timed calls. A line is a loop's when it runs
 * LOOP_RUNS times in a call, and it is the interpreter's when one run of it takes at most LINE_US: an instruction of Python's is
 * tens of nanoseconds, an operation on one NumPy or torch element a few hundred nanoseconds to a few microseconds, most of it
 * the way there; a line whose run takes longer does work worth calling for. A line that runs for at least every other number of an
 * array works on single numbers, so it may take ELEMENT_US: that is ten operations of torch's, of which one takes two to five
 * microseconds whatever it is given. Following a line costs about a microsecond, so
 * the loop's own time is not what was followed: it is the CPU of the call without being followed, less the lines that are no
 * loop's. */
#include "detect/judge_calls.h"

#include <math.h>

enum {
	LOOP_RUNS = 32, /* a loop over the channels or corners of an image is shorter */
	LINE_US = 10,
	ELEMENT_US = 50,
};

struct loop {
	double rest_s, runs;
	const struct sm_calls_line *line; /* the costliest; the user's own before a library's */
};

static bool is_loop(const struct sm_calls_line *line, double elements)
{
	bool is_of_elements = line->runs * 2 >= elements; /* false for NaN */
	double pace_us = is_of_elements ? ELEMENT_US : LINE_US;
	return line->runs >= LOOP_RUNS && line->cpu_s * 1e6 <= pace_us * line->runs;
}

static bool is_better(const struct sm_calls_line *line, const struct sm_calls_line *than)
{
	if (!than || line->is_library != than->is_library) {
		return !than || !line->is_library;
	}
	return line->cpu_s > than->cpu_s;
}

static struct loop find_loop(const struct sm_calls *calls)
{
	struct loop loop = {0};
	for (size_t i = 0; i < calls->line_count; i++) {
		const struct sm_calls_line *line = &calls->lines[i];
		if (!is_loop(line, calls->followed_elements)) {
			loop.rest_s += line->cpu_s;
			continue;
		}
		loop.runs += line->runs;
		loop.line = is_better(line, loop.line) ? line : loop.line;
	}
	return loop;
}

/* What is left when the loop is one operation: a pass over the data. At the least, the interpreter's own instructions go. */
static struct sm_interval saved(const struct sm_calls *calls, double share)
{
	double loop_s = share * calls->cpu_s;
	double pass_s = isnan(calls->pass_s) ? 0 : calls->pass_s;
	double most = fmax(0, loop_s - pass_s);
	double python = sm_judge_calls_python_share(calls);
	return (struct sm_interval){.middle = most,
		.high = most,
		.low = isnan(python) ? 0 : fmin(most, python * loop_s)};
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (!calls->line_count || !(calls->followed_cpu_s > 0)) {
		return sm_judge_calls_lack(
			judge, calls->no_lines, "no call was followed line by line");
	}
	const struct loop loop = find_loop(calls);
	double share = fmax(0, 1 - loop.rest_s / calls->followed_cpu_s);
	struct sm_finding *finding = NULL;
	int error = loop.line ? sm_judge_calls_find(judge, "", saved(calls, share), &finding) : 0;
	if (error || !finding) {
		return error;
	}
	error = sm_finding_place(finding, judge->findings->arena, calls->name, loop.line->where);
	sm_finding_evidence(finding, "loop_share", share, "share");
	sm_finding_evidence(finding, "line_runs", loop.line->runs, "count");
	sm_finding_evidence(finding, "loop_lines_run", loop.runs, "count");
	sm_finding_evidence(
		finding, "python_share_of_cpu", sm_judge_calls_python_share(calls), "share");
	sm_finding_evidence(finding, "one_pass_s", calls->pass_s, "s");
	sm_judge_calls_cure(finding, "Replace the loop in {name} by one operation on all of it "
				     "(NumPy, torch, a method of the "
				     "container): this line ran {line_runs} times in the call that "
				     "was followed, and such lines took {loop_share} of it.");
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(LOOP_RUNS), SM_BOUND(ELEMENT_US),
	SM_BOUND(LINE_US), SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_vectorization_inefficient = {
	.id = "SM205",
	.type = "VECTORIZATION_INEFFICIENT",
	.title = "A loop in Python goes over elements",
	.summary = "The function does for one element at a time, in the interpreter, what an "
		   "operation on the whole array does in native code.",
	.causes = "",
	.evidence = "A line runs at least {LOOP_RUNS} times in a call and takes at most {LINE_US} "
		    "us a run, which is the interpreter's pace, an operation on a single element "
		    "included, or {ELEMENT_US} us where it runs for every other number of an array "
		    "or more; and such lines make up at least {SM_JUDGE_CALLS_WORTH_PERCENT} % of "
		    "a call. Severity: the loop takes what one pass over input and output takes "
		    "on this machine; the lower end of its interval is the share of the CPU in "
		    "which the interpreter itself was at work.",
	.fixes = "Operations on whole arrays; np.where and masks for conditions, np.take and "
		 "lookup tables for mappings, cumulative functions for running values; a compiled "
		 "loop (Numba, Cython) where each step needs the last.",
	.wrong = "A loop whose steps depend on each other may have no array form. What the lines "
		 "did was followed on one call; on other input they may do something else. A "
		 "callback that a library calls for each element is named at its own line.",
	.bounds = bounds,
	.look_at_calls = look,
};
