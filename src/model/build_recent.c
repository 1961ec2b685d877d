/* The newest batches and fetches, kept beside the tables: these are thinned when a run gets long, and a view of the last
 * seconds must not be. Each ring holds SM_BUILD_RECENT; what is older is overwritten. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>

int sm_build_recent_watch(struct sm_build *build)
{
	struct sm_build_recent *recent = &build->recent;
	recent->batches = sm_mem_calloc(SM_BUILD_RECENT, sizeof(*recent->batches));
	recent->fetches = sm_mem_calloc(SM_BUILD_RECENT, sizeof(*recent->fetches));
	if (!recent->batches || !recent->fetches) {
		sm_build_recent_finish(recent);
		return -ENOMEM;
	}
	return 0;
}

void sm_build_recent_finish(struct sm_build_recent *recent)
{
	sm_mem_free(recent->batches);
	sm_mem_free(recent->fetches);
	*recent = (struct sm_build_recent){0};
}

void sm_build_recent_batch(struct sm_build *build, const struct sm_build_batch *batch)
{
	struct sm_build_recent *recent = &build->recent;
	if (recent->batches) {
		recent->batches[recent->batch_count++ % SM_BUILD_RECENT] = *batch;
	}
}

void sm_build_recent_border(struct sm_build *build, const struct sm_build_loader *loader,
	int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_batch wait = {
		.loader = loader->index,
		.batch =
			{
				.task = -1,
				.request_ns = begin_ns,
				.deliver_ns = end_ns,
				.end_ns = end_ns,
				.forward_ns = -1,
				.trainer_blocked_ns = -1,
				.device_state = -1,
				.device_elapsed_ns = -1,
				.device_copy_ns = -1,
			},
	};
	sm_build_recent_batch(build, &wait);
}

void sm_build_recent_fetch(struct sm_build *build, const struct sm_build_fetch *fetch)
{
	struct sm_build_recent *recent = &build->recent;
	if (recent->fetches) {
		recent->fetches[recent->fetch_count++ % SM_BUILD_RECENT] =
			(struct sm_build_fetched){
				.process = fetch->process,
				.tid = fetch->tid,
				.start_ns = fetch->part.start_ns,
				.done_ns = fetch->part.done_ns,
			};
	}
}

struct sm_batch *sm_build_recent_find(
	struct sm_build *build, uint32_t loader, int64_t iteration, int64_t task)
{
	enum { LOOK_BACK = 256 };
	struct sm_build_recent *recent = &build->recent;
	uint64_t room = recent->batch_count < LOOK_BACK ? recent->batch_count : LOOK_BACK;
	for (uint64_t back = 1; task >= 0 && back <= room; back++) {
		struct sm_build_batch *batch =
			&recent->batches[(recent->batch_count - back) % SM_BUILD_RECENT];
		if (batch->loader == loader && batch->batch.task == task &&
			batch->batch.iteration == iteration) {
			return &batch->batch;
		}
	}
	return NULL;
}
