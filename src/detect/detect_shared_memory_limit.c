#include "detect/judge.h"
#include "detect/words.h"

#include "base/metric.h"

#include <errno.h>
#include <math.h>

/* Times the batches under way: the next one may be larger, and deleted files go late. */
enum { MARGIN = 2 };

static double batches_under_way(const struct sm_loader *loader)
{
	int prefetch = loader->prefetch_factor > 0 ? loader->prefetch_factor : 2;
	return (double)loader->num_workers * prefetch + 1;
}

static int look(const struct sm_judge *judge)
{
	const struct sm_model *model = judge->analysis->model;
	const struct sm_series *free_bytes = sm_model_series(model, SM_METRIC_SHM_FREE, 0);
	const struct sm_series *total = sm_model_series(model, SM_METRIC_SHM_TOTAL, 0);
	const struct sm_loader *loader = judge->loader->loader;
	double batch = judge->loader->model->batch_bytes;
	if (!free_bytes || !total) {
		return sm_findings_lack(
			judge->findings, judge->detector, "/dev/shm was not sampled");
	}
	if (loader->num_workers < 1 ||
		!(free_bytes->minimum < MARGIN * batch * batches_under_way(loader))) {
		return isnan(batch) && loader->num_workers > 0
			       ? sm_findings_lack(judge->findings, judge->detector,
					 "the size of a batch is not known")
			       : 0;
	}
	struct sm_finding *finding =
		sm_findings_add(judge->findings, judge->detector, judge->loader);
	if (!finding) {
		return -ENOMEM;
	}
	finding->stage = SM_STAGE_TRANSPORT;
	finding->confidence = SM_CONFIDENCE_MEDIUM;
	finding->risk = "/dev/shm ({shm_total_bytes}) had only {shm_free_least_bytes} left; when "
			"it is full a worker dies with a bus error and takes the training with it.";
	sm_finding_evidence(finding, "shm_free_least_bytes", free_bytes->minimum, "bytes");
	sm_finding_evidence(finding, "shm_total_bytes", total->last, "bytes");
	sm_finding_evidence(finding, "batch_bytes", batch, "bytes");
	sm_finding_evidence(finding, "batches_under_way", batches_under_way(loader), "count");
	sm_finding_suggest(finding, "Give the container more shared memory (docker run --shm-size, "
				    "an emptyDir of medium Memory), or keep fewer batches under "
				    "way: {batches_under_way} of {batch_bytes} each.");
	return 0;
}

static const struct sm_bound bounds[] = {SM_BOUND(MARGIN), {0}};

const struct sm_detector sm_detect_shared_memory_limit = {
	.id = "SM115",
	.type = "SHARED_MEMORY_LIMIT",
	.title = "/dev/shm is nearly full",
	.summary = "Workers hand tensors over in /dev/shm. A file there that finds no room kills "
		   "its worker with a bus error.",
	.causes = "",
	.evidence = "The least room seen in /dev/shm was under {MARGIN} times the batches that may "
		    "be under way (workers x prefetch + 1).",
	.fixes = "A larger /dev/shm; smaller batches, fewer workers or a shallower prefetch; "
		 "file_descriptor sharing needs the same room.",
	.wrong = "Other programs may hold the space. With the host's /dev/shm in a container the "
		 "size shown is the host's.",
	.bounds = bounds,
	.needs = SM_NEED_STEPS | SM_NEED_MODEL | SM_NEED_COUNTERS,
	.look_at_loader = look,
};
