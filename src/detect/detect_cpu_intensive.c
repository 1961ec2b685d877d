/* The CPU work that none of the other rules can take away.
 *
 * Nearly every function that is worth profiling computes. So this one comes last: of the CPU of a call it counts what is left
 * when the largest of the others' cures of CPU work (loops, growth, memory) has been taken off. */
#include "detect/judge_calls.h"

#include "detect/computing.h"

#include <math.h>
#include <string.h>

enum { MOST_PERCENT = 50, TENSOR_CALLS = 4 };

static bool is_of_cpu(const struct sm_finding *finding)
{
	static const char *const ids[] = {"SM202", "SM205", "SM208"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (!strcmp(finding->detector->id, ids[i])) {
			return true;
		}
	}
	return false;
}

static double explained(const struct sm_judge_calls *judge)
{
	double most = 0;
	for (size_t i = 0; i < judge->findings->count; i++) {
		const struct sm_finding *finding = &judge->findings->items[i];
		most = is_of_cpu(finding) ? fmax(most, finding->severity) : most;
	}
	return most * judge->calls->need_s;
}

/* Helpers compute beside the caller: together they fill no more than its wall time, or the caller waits for them. */
static double busy_s(const struct sm_calls *calls)
{
	double helped = calls->blocked_s - sm_judge_calls_waiting_s(calls);
	return fmin(calls->need_s, calls->cpu_s + (isnan(helped) ? 0 : helped));
}

static struct sm_interval left(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	double middle = fmax(0, busy_s(calls) - explained(judge));
	double off = (calls->cpu_high_s - calls->cpu_low_s) / 2;
	return (struct sm_interval){.middle = middle, .low = middle - off, .high = middle + off};
}

static const char *cause_of(double python_share)
{
	if (python_share * 100 >= SM_COMPUTING_MOST_PERCENT) {
		return "python_cpu";
	}
	return (1 - python_share) * 100 >= SM_COMPUTING_MOST_PERCENT ? "native_cpu" : "";
}

/* Libraries that have a faster one beside them which does the same. */
static const struct {
	const char *module, *advice;
} libraries[] = {
	{"PIL", "Most of {name} is Pillow ({library_share}). Decode JPEGs at the size needed "
		"(Image.draft), or with libjpeg-turbo (torchvision.io.decode_jpeg); OpenCV and "
		"torchvision.transforms.v2 on tensors resize and convert faster."},
	{"json", "Most of {name} is json ({library_share}): orjson and simdjson read and write the "
		 "same "
		 "text faster, a binary format (Arrow, NumPy) faster still."},
	{"zlib", "Most of {name} is zlib ({library_share}): isal and zlib-ng read the same streams "
		 "faster, zstd or lz4 are faster still to read where you may write the data anew."},
	{"csv", "Most of {name} is csv ({library_share}): pyarrow and polars parse in parallel, "
		"and Parquet "
		"need not be parsed."},
	{"pickle", "Most of {name} is pickle ({library_share}): arrays in NumPy's or Arrow's "
		   "format are "
		   "mapped, not parsed."},
	{"re", "Most of {name} is re ({library_share}): compile the pattern once, use methods of "
	       "str "
	       "where they do, or a tokenizer in native code (tokenizers, sentencepiece)."},
};

static void advise_library(const struct sm_calls *calls, struct sm_finding *finding)
{
	const char *module = calls->native_module ? calls->native_module : "";
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		if (!strcmp(libraries[i].module, module) &&
			calls->native_share * 100 >= MOST_PERCENT) {
			sm_finding_suggest(finding, libraries[i].advice);
		}
	}
}

/* Several operations of torch's one after the other are several passes over the data, and as many ways through Python. */
static void advise_compiling(const struct sm_calls *calls, struct sm_finding *finding)
{
	const char *module = calls->native_module ? calls->native_module : "";
	if (calls->tensor_calls >= TENSOR_CALLS && !strcmp(module, "torch") &&
		calls->native_share * 100 >= MOST_PERCENT) {
		sm_finding_suggest(finding, "Let torch.compile join the {tensor_calls} operations "
					    "of torch in a call of "
					    "{name} into fewer passes; try it, since it pays only "
					    "for what it can join.");
	}
}

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (isnan(calls->cpu_s)) {
		return sm_judge_calls_lack(
			judge, calls->no_costs, "the thread's CPU clock could not be read");
	}
	double python_share = sm_judge_calls_python_share(calls);
	struct sm_finding *finding;
	int error = sm_judge_calls_find(judge, cause_of(python_share), left(judge), &finding);
	if (error || !finding) {
		return error;
	}
	sm_finding_evidence(finding, "cpu_s", calls->cpu_s, "s");
	sm_finding_evidence(finding, "helper_cpu_s", calls->helper_cpu_s, "s");
	sm_finding_evidence(finding, "python_share_of_cpu", python_share, "share");
	sm_finding_evidence(finding, "library_share", calls->native_share, "share");
	sm_finding_evidence(finding, "tensor_calls", calls->tensor_calls, "count");
	sm_finding_evidence(finding, "usable_cpus", calls->usable_cpus, "count");
	advise_library(calls, finding);
	advise_compiling(calls, finding);
	sm_judge_calls_spread(finding,
		"Run {name} in DataLoader workers: {usable_cpus} cores are usable, and calls do "
		"not wait "
		"for each other in processes.",
		calls->usable_cpus);
	if (!finding->suggestion_count) {
		sm_judge_calls_cure(finding, "Do the part of {name} that is the same each time "
					     "once, before training, and store "
					     "the result.");
	}
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(MOST_PERCENT), SM_BOUND(TENSOR_CALLS),
	SM_BOUND(SM_COMPUTING_MOST_PERCENT), SM_BOUND(SM_COMPUTING_LOOKS_LEAST),
	SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_cpu_intensive = {
	.id = "SM201",
	.type = "CPU_INTENSIVE",
	.title = "It computes",
	.summary = "The function's time is CPU work that has no other name here: not a loop in "
		   "Python, "
		   "not growth, not memory.",
	.causes =
		"native_cpu: at least {SM_COMPUTING_MOST_PERCENT} % of the looks at its CPU found "
		"native code\n"
		"python_cpu: as many found the interpreter; without a word, neither, or fewer than "
		"{SM_COMPUTING_LOOKS_LEAST} looks",
	.evidence =
		"CPU of its thread, and of helper threads that it waits for, less what the largest "
		"of SM202, SM205 and SM208 explains, is at least {SM_JUDGE_CALLS_WORTH_PERCENT} % "
		"of a call. Severity: that takes nothing.",
	.fixes = "Store results; a library that does the same faster (named where calls into one "
		 "are "
		 "{MOST_PERCENT} % of the time); torch.compile for {TENSOR_CALLS} operations of "
		 "torch's "
		 "and more; processes on other cores; a device.",
	.wrong = "It says what the work costs, not that it is badly done. Code that spins while it "
		 "waits "
		 "looks like computing. A Python that carries its libraries inside itself (uv's) "
		 "shows their work, zlib say, as its own.",
	.bounds = bounds,
	.look_at_calls = look,
};
