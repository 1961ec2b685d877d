#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

int sm_build_sums_transform(struct sm_build *build, struct sm_build_sums *sums, uint32_t slot,
	struct sm_transform **ret)
{
	size_t before = sums->transform_capacity;
	int error = sm_mem_grow(&sums->transforms, &sums->transform_capacity, (size_t)slot + 1,
		sizeof(*sums->transforms));
	if (error) {
		return error;
	}
	if (sums->transform_capacity > before) {
		memset(sums->transforms + before, 0,
			(sums->transform_capacity - before) * sizeof(*sums->transforms));
	}
	*ret = &sums->transforms[slot];
	(*ret)->name = build->transforms[slot].name;
	(*ret)->where = build->transforms[slot].where;
	return 0;
}

void sm_build_sums_slow(
	struct sm_build_sums *sums, int64_t wall_ns, int64_t index, const char *text)
{
	size_t at = sums->slowest_count;
	if (at == SM_MODEL_SLOWEST && sums->slowest[at - 1].wall_ns >= wall_ns) {
		return;
	}
	at -= at == SM_MODEL_SLOWEST;
	for (; at > 0 && sums->slowest[at - 1].wall_ns < wall_ns; at--) {
		sums->slowest[at] = sums->slowest[at - 1];
	}
	sums->slowest[at] = (struct sm_build_slow){wall_ns, index, text};
	sums->slowest_count += sums->slowest_count < SM_MODEL_SLOWEST;
}

static int merge_transforms(
	struct sm_build *build, struct sm_build_sums *into, const struct sm_build_sums *from)
{
	int error = 0;
	for (size_t i = 0; i < from->transform_capacity && !error; i++) {
		if (!from->transforms[i].sum.count) {
			continue;
		}
		struct sm_transform *row;
		error = sm_build_sums_transform(build, into, (uint32_t)i, &row);
		if (!error) {
			sm_build_causes_add(&row->sum, &from->transforms[i].sum);
			error = sm_sketch_merge(
				&row->wall_s, &build->model->arena, &from->transforms[i].wall_s);
		}
	}
	return error;
}

int sm_build_sums_merge(
	struct sm_build *build, struct sm_build_sums *into, const struct sm_build_sums *from)
{
	int error = merge_transforms(build, into, from);
	for (int i = 0; i < SM_STAGE_COUNT && !error; i++) {
		sm_build_causes_add(&into->stage[i], &from->stage[i]);
		error = sm_sketch_merge(&into->wall_s[i], &build->model->arena, &from->wall_s[i]);
	}
	for (size_t i = 0; i < from->slowest_count && !error; i++) {
		sm_build_sums_slow(into, from->slowest[i].wall_ns, from->slowest[i].index,
			from->slowest[i].text);
	}
	return error;
}

void sm_build_sums_finish(struct sm_build_sums *sums)
{
	sm_mem_free(sums->transforms);
	*sums = (struct sm_build_sums){0};
}
