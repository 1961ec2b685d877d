#include "base/mem.h"
#include "model/build.h"

#include <errno.h>

static const struct sm_loader nothing_known = {
	.rank = -1,
	.num_workers = -1,
	.batch_size = -1,
	.prefetch_factor = -1,
	.pin_memory = -1,
	.persistent_workers = -1,
	.in_order = -1,
	.start_method = "",
	.dataset_kind = "",
	.dataset = "",
	.dataset_where = "",
	.sampler = "",
	.sampler_where = "",
	.collate = "",
	.collate_where = "",
};

static int add_loader(
	struct sm_build *build, uint32_t process, int ordinal, struct sm_build_loader **ret_loader)
{
	int error = sm_mem_grow(&build->loaders, &build->loader_capacity, build->loader_count + 1,
		sizeof(struct sm_build_loader *));
	struct sm_build_loader *loader = error ? NULL : sm_mem_calloc(1, sizeof(*loader));
	if (!loader) {
		return -ENOMEM;
	}
	loader->process = process;
	loader->index = (uint32_t)build->loader_count;
	loader->sent_iteration = -1;
	loader->facts = nothing_known;
	loader->facts.ordinal = ordinal;
	build->loaders[build->loader_count++] = loader;
	*ret_loader = loader;
	return 0;
}

int sm_build_loader_find(struct sm_build *build, uint32_t process, int64_t ordinal,
	struct sm_build_loader **ret_loader)
{
	enum { LOADERS_MAX = 4096 };
	*ret_loader = NULL;
	if (ordinal < 0 || ordinal >= LOADERS_MAX) {
		return 0;
	}
	for (size_t i = 0; i < build->loader_count; i++) {
		struct sm_build_loader *loader = build->loaders[i];
		if (loader->process == process && loader->facts.ordinal == ordinal) {
			*ret_loader = loader;
			return 0;
		}
	}
	return build->loader_count < LOADERS_MAX
		       ? add_loader(build, process, (int)ordinal, ret_loader)
		       : 0;
}

/* Epochs come one after the other, so the wanted one is nearly always the last. */
struct sm_epoch *sm_build_loader_epoch(struct sm_build_loader *loader, int32_t iteration)
{
	enum { EPOCHS_MAX = 1 << 16 };
	for (size_t i = loader->epoch_count; i-- > 0;) {
		if (loader->epochs[i].iteration == iteration) {
			return &loader->epochs[i];
		}
	}
	if (loader->epoch_count >= EPOCHS_MAX ||
		sm_mem_grow(&loader->epochs, &loader->epoch_capacity, loader->epoch_count + 1,
			sizeof(*loader->epochs))) {
		return NULL;
	}
	struct sm_epoch *epoch = &loader->epochs[loader->epoch_count++];
	*epoch = (struct sm_epoch){iteration, -1, -1, -1, -1, -1, -1, -1, 0, false};
	return epoch;
}

struct sm_build_loader *sm_build_loader_of_worker(const struct sm_build *build, uint32_t process,
	uint32_t tid, const struct sm_build_worker **ret_worker)
{
	uint64_t pid = (uint32_t)build->processes[process].info.pid, found;
	if (!sm_map_find(&build->worker_by_pid, pid << 32 | tid, &found) &&
		!sm_map_find(&build->worker_by_pid, pid << 32, &found)) {
		return NULL;
	}
	struct sm_build_loader *loader = build->loaders[found >> 32];
	*ret_worker = &loader->workers[(uint32_t)found];
	return loader;
}

/* A worker that says its loader's ordinal means the loader of the process it came from. */
struct sm_build_loader *sm_build_loader_of_parent(
	const struct sm_build *build, uint32_t process, int64_t ordinal)
{
	uint64_t parent = process;
	sm_map_find(&build->process_by_pid, (uint32_t)build->processes[process].info.ppid, &parent);
	for (size_t i = 0; i < build->loader_count && ordinal >= 0; i++) {
		struct sm_build_loader *loader = build->loaders[i];
		if ((loader->process == parent || loader->process == process) &&
			loader->facts.ordinal == ordinal) {
			return loader;
		}
	}
	return NULL;
}
