/* Batches that are late on the device because of the copy, or of the thread that pins them for it.
 *
 * Where the loop and the device take turns, what counts is the time of the loop inside the copy. With a device beside the host
 * that time says little, since the call may wait there for all work before: what counts is what the copies took of the
 * device, which it told itself. */
#include "detect/judge.h"
#include "detect/words.h"

#include <math.h>

enum {
	MOST_PERCENT = 50, /* of the copying host's time: what most of it went into is the cause */
};

static double share_of(int64_t part_ns, const struct sm_copies *copies)
{
	return copies->wall_ns > 0 ? (double)part_ns / (double)copies->wall_ns : NAN;
}

static const char *cause_of(const struct sm_copies *copies)
{
	if (share_of(copies->pageable_ns, copies) * 100 >= MOST_PERCENT) {
		return "pageable_copy";
	}
	return share_of(copies->blocking_ns, copies) * 100 >= MOST_PERCENT ? "blocking_copy"
									   : "exposed_copy";
}

/* How much faster pinned memory is here one run cannot know: from not at all to the whole copy. */
static void widen(struct sm_suggestion *suggestion, const struct sm_finding *finding)
{
	if (suggestion) {
		suggestion->speedup = (struct sm_interval){1 / (1 - finding->severity_low),
			1 / (1 - fmin(finding->severity, 0.99)),
			1 / (1 - fmin(finding->severity_high, 0.99))};
		sm_judge_widen(&suggestion->speedup, 1);
	}
}

static void suggest(struct sm_finding *finding, const struct sm_loader *loader)
{
	struct sm_suggestion *suggestion = NULL;
	if (finding->cause[0] == 'p' && loader->pin_memory != 1) {
		suggestion = sm_finding_suggest(finding,
			"Set pin_memory=True on the DataLoader and copy with .to(device, "
			"non_blocking=True): {pageable_share} of the copying is from pageable "
			"memory, "
			"which holds the loop until the driver has staged it.");
		if (suggestion) {
			sm_finding_change(suggestion, "pin_memory", 1);
		}
	} else if (finding->cause[0] == 'p') {
		suggestion = sm_finding_suggest(finding,
			"Give the batch's class a pin_memory() method: pin_memory=True is set, but "
			"{pageable_share} of the copying is from memory that is not pinned.");
	} else if (finding->cause[0] == 'b') {
		suggestion =
			sm_finding_suggest(finding, "Copy with .to(device, non_blocking=True): the "
						    "batches are pinned, but the loop "
						    "waits for {blocking_share} of the copying.");
	} else {
		suggestion =
			sm_finding_suggest(finding, "Copy the next batch on a stream of its own "
						    "while the present one trains, or send "
						    "smaller types (uint8 images, normalised on "
						    "the device): {copy_bytes} a batch.");
	}
	widen(suggestion, finding);
}

/* Mean over the batches of which it is known; NaN without any. */
static double device_copy_s(const struct sm_loader *loader)
{
	double sum = 0, count = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		if (loader->batches[i].device_state >= 0 &&
			loader->batches[i].device_copy_ns >= 0) {
			sum += (double)loader->batches[i].device_copy_ns * 1e-9;
			count++;
		}
	}
	return count > 0 ? sum / count : NAN;
}

static int look_at_copies(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_H2D};
	const struct sm_loader *loader = judge->loader->loader;
	const struct sm_copies *copies = &loader->copies;
	struct sm_finding *finding = NULL;
	int error = copies->count ? sm_judge_propose(judge, cause_of(copies), SM_STAGE_H2D, NULL,
					    &cure, &finding)
				  : 0;
	if (error || !finding) {
		return error;
	}
	double batches = (double)loader->batch_total;
	sm_finding_evidence(finding, "device_copy_s", device_copy_s(loader), "s");
	sm_finding_evidence(finding, "host_copy_s", (double)copies->wall_ns * 1e-9 / batches, "s");
	sm_finding_evidence(finding, "copy_bytes", (double)copies->bytes / batches, "bytes");
	sm_finding_evidence(
		finding, "pageable_share", share_of(copies->pageable_ns, copies), "share");
	sm_finding_evidence(
		finding, "blocking_share", share_of(copies->blocking_ns, copies), "share");
	sm_finding_evidence(finding, "pin_memory", loader->pin_memory, "count");
	suggest(finding, loader);
	return 0;
}

static int look_at_pinning(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STAGE_FREE, .stage = SM_STAGE_PIN};
	const struct sm_loader *loader = judge->loader->loader;
	struct sm_finding *finding = NULL;
	int error = loader->pin_memory == 1 ? sm_judge_propose(judge, "pin_thread", SM_STAGE_PIN,
						      NULL, &cure, &finding)
					    : 0;
	if (error || !finding) {
		return error;
	}
	double pin_ns = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		pin_ns += (double)loader->batches[i].pin_ns;
	}
	sm_finding_evidence(finding, "pin_s", pin_ns * 1e-9 / (double)loader->batch_count, "s");
	sm_finding_evidence(finding, "batch_bytes", judge->loader->model->batch_bytes, "bytes");
	struct sm_suggestion *suggestion =
		sm_finding_suggest(finding, "Hand over fewer and larger tensors, or smaller types: "
					    "one thread pins all batches, "
					    "and takes {pin_s} for each while the training waits.");
	(void)suggestion;
	return 0;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_loader *loader = judge->loader->loader;
	if (!loader->copies.count && loader->pin_memory != 1) {
		return sm_findings_lack(
			judge->findings, judge->detector, "no copy to a device was seen");
	}
	if (judge->loader->model->asynchronous && loader->copies.count &&
		isnan(device_copy_s(loader))) {
		return sm_findings_lack(judge->findings, judge->detector,
			"the device did not tell what its copies took");
	}
	int error = look_at_copies(judge);
	return error ? error : look_at_pinning(judge);
}

static const struct sm_bound bounds[] = {SM_BOUND(MOST_PERCENT), {0}};

const struct sm_detector sm_detect_gpu_transfer_overhead = {
	.id = "SM104",
	.type = "GPU_TRANSFER_OVERHEAD",
	.title = "Copying batches to the device holds the training",
	.summary = "Between a batch in hand and the first work on it the loop copies it to the "
		   "device, and the device has nothing else to do.",
	.causes = "pageable_copy: at least {MOST_PERCENT} % of the copying is from memory that is "
		  "not pinned; the call returns when the driver has staged it\n"
		  "blocking_copy: the memory is pinned, and at least {MOST_PERCENT} % of the "
		  "copying is by calls without non_blocking\n"
		  "exposed_copy: the copies are pinned and non-blocking, and the device waits for "
		  "them all the same\n"
		  "pin_thread: the one thread that pins batches is slower than the training",
	.evidence =
		"The run replayed with the copies (for pin_thread, the pinning) taking no time "
		"is shorter by at least {WORTH_PERCENT} %. A copy that queued work covers gives "
		"nothing back and is not a finding.",
	.fixes =
		"pin_memory=True with non_blocking=True; copying the next batch on another stream; "
		"smaller types; work that is cheap on the device (normalising) done there.",
	.wrong = "Copies that the loop makes on a stream of its own are beside the work, and count "
		 "as "
		 "if they were not. How much faster pinned memory "
		 "is depends on the machine, so the gain is an interval from none to all.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
