#include "detect/judge.h"
#include "detect/words.h"

#include <string.h>

/* Where the gap before an epoch's first batch goes: in the main process (making the workers, sending them the data set) or
 * in the workers (importing, building, first batch). */
struct startup {
	size_t epochs; /* that started workers anew, the first one left out */
	double gap_s, main_s;
};

static struct startup startup_of(const struct sm_loader *loader)
{
	struct startup startup = {0};
	for (size_t i = 1; i < loader->epoch_count; i++) {
		const struct sm_epoch *epoch = &loader->epochs[i];
		if (epoch->respawned && epoch->first_deliver_ns > epoch->iterate_begin_ns) {
			startup.epochs++;
			startup.gap_s +=
				(double)(epoch->first_deliver_ns - epoch->iterate_begin_ns) * 1e-9;
			startup.main_s +=
				(double)(epoch->iterate_end_ns - epoch->iterate_begin_ns) * 1e-9;
		}
	}
	return startup;
}

/* spawn and forkserver send the data set by pickle, from the main process; fork shares it. */
static const char *detail_of(const struct sm_loader *loader, const struct startup *startup)
{
	bool pickles = !strcmp(loader->start_method, "spawn") ||
		       !strcmp(loader->start_method, "forkserver");
	return pickles && startup->main_s > startup->gap_s / 2 ? "dataset_pickling" : "";
}

static int look(const struct sm_judge *judge)
{
	const struct sm_cure cure = {.kind = SM_CURE_STARTUP_FREE};
	const struct sm_loader *loader = judge->loader->loader;
	const struct startup startup = startup_of(loader);
	struct sm_finding *finding = NULL;
	int error = startup.epochs ? sm_judge_propose(judge, "respawned_each_epoch", SM_STAGE_COUNT,
					     NULL, &cure, &finding)
				   : 0;
	if (error || !finding) {
		return error;
	}
	finding->cause_detail = detail_of(loader, &startup);
	sm_finding_evidence(finding, "epochs_with_new_workers", (double)startup.epochs, "count");
	sm_finding_evidence(
		finding, "first_batch_after_s", startup.gap_s / (double)startup.epochs, "s");
	sm_finding_evidence(
		finding, "of_it_in_main_process_s", startup.main_s / (double)startup.epochs, "s");
	sm_finding_evidence(finding, "num_workers", loader->num_workers, "count");
	struct sm_setting setting = sm_loader_model_setting(judge->loader->model);
	setting.persistent_workers = true;
	return sm_judge_offer(judge, finding,
		"Set persistent_workers=True: workers then live as long as the DataLoader, and the "
		"{first_batch_after_s} before each epoch's first batch is paid once.",
		&setting);
}

const struct sm_detector sm_detect_worker_startup = {
	.id = "SM111",
	.type = "WORKER_STARTUP",
	.title = "Workers are started anew for every epoch",
	.summary = "Without persistent_workers each epoch forks or spawns its workers, which "
		   "import, build and load again before the first batch comes.",
	.causes = "respawned_each_epoch: new worker processes at the start of later epochs\n"
		  "dataset_construction: workers build the data set again (named only where stacks "
		  "were sampled)\n"
		  "dataset_pickling (as detail): more than half of the gap passes in the main "
		  "process under spawn or forkserver, which send the data set by pickle",
	.evidence = "New workers in at least one epoch after the first, and the run replayed "
		    "without start-up after the first epoch is shorter by at least {WORTH_PERCENT} "
		    "%. The first start cannot be avoided and is not counted.",
	.fixes = "persistent_workers=True; one iterator over several epochs' worth of indices; a "
		 "data set that opens its files in the worker and on first use; fewer, longer "
		 "epochs.",
	.wrong = "A loader that is made anew for every epoch cannot keep its workers: move it out "
		 "of the loop first. Persistent workers keep their memory between epochs.",
	.needs = SM_NEED_STEPS | SM_NEED_MODEL,
	.look_at_loader = look,
};
