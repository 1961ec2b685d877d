/* There is a device, the function can run on it, and it stays on the CPU. */
#include "detect/judge_calls.h"

#include <math.h>

static int look(const struct sm_judge_calls *judge)
{
	const struct sm_calls *calls = judge->calls;
	if (!(calls->device > 0) || isnan(calls->device_s)) {
		return sm_judge_calls_lack(judge, calls->no_device, "no device was looked at");
	}
	struct sm_finding *finding;
	int error = sm_judge_calls_prove(judge, "",
		(struct sm_interval){.middle = calls->need_s - calls->device_s,
			.low = calls->need_s - calls->device_high_s,
			.high = calls->need_s - calls->device_low_s},
		&finding);
	if (error || !finding) {
		return error;
	}
	finding->cause_detail = calls->device_name ? calls->device_name : "";
	sm_finding_evidence(finding, "device_s", calls->device_s, "s");
	sm_judge_calls_cure(finding,
		"Run {name} on the device, on whole batches: {device_s} a call there, the way in "
		"and out "
		"included, instead of {call_s}. Augmentations that work on device tensors: "
		"torchvision.transforms.v2, kornia, DALI.");
	return error;
}

static const struct sm_bound bounds[] = {SM_BOUND(SM_JUDGE_CALLS_WORTH_PERCENT), {0}};

const struct sm_detector sm_detect_gpu_underutilized = {
	.id = "SM203",
	.type = "GPU_UNDERUTILIZED",
	.title = "It would be faster on the device",
	.summary =
		"The machine has a device on which the function runs as it is, and it runs on the "
		"CPU.",
	.causes = "",
	.evidence =
		"The function was run on the device, input copied there, result copied back, each "
		"call waited for, and took at least {SM_JUDGE_CALLS_WORTH_PERCENT} % less. "
		"Severity: a call takes what it takes there. Without a device, or where the "
		"function does not take tensors of one, nothing is said.",
	.fixes = "Augment batches on the device behind the DataLoader (torchvision.transforms.v2, "
		 "kornia, DALI); larger batches there; operations that the device has.",
	.wrong = "In a training the device has other work: time that it spends here it does not "
		 "spend there. Where it is the bottleneck already, leave this on the CPU.",
	.bounds = bounds,
	.look_at_calls = look,
};
