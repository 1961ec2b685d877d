/* Busy intervals for the picture: what each worker and each consumer did, of the batches that were kept.
 *
 * A lane has at most SM_MODEL_SERIES_POINTS parts. A long run is cut into that many slices of time, and a slice shows
 * the stage that filled most of it, if it was busy for half of it; neighbours with the same stage are joined. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

struct lane {
	double width_s; /* of a slice */
	float busy_s[SM_MODEL_SERIES_POINTS][SM_STAGE_COUNT];
};

static void add_interval(const struct sm_model *model, struct lane *lane, int64_t begin_ns,
	int64_t end_ns, enum sm_stage stage)
{
	double begin_s = (double)(begin_ns - model->begin_ns) * 1e-9,
	       end_s = (double)(end_ns - model->begin_ns) * 1e-9;
	begin_s = begin_s < 0 ? 0 : begin_s;
	for (int i = (int)(begin_s / lane->width_s); i < SM_MODEL_SERIES_POINTS && begin_s < end_s;
		i++) {
		double stop_s = (i + 1) * lane->width_s;
		stop_s = stop_s < end_s ? stop_s : end_s;
		lane->busy_s[i][stage] += (float)(stop_s > begin_s ? stop_s - begin_s : 0);
		begin_s = stop_s;
	}
}

/* In the order fetch, transform, collate: truly they alternate within the batch. */
static void add_fetch(const struct sm_model *model, struct lane *lane, const struct sm_batch *batch)
{
	int64_t at_ns = batch->start_ns;
	const struct {
		int64_t wall_ns;
		enum sm_stage stage;
	} parts[] = {{batch->fetch_ns, SM_STAGE_FETCH}, {batch->transform_ns, SM_STAGE_TRANSFORM},
		{batch->collate_ns, SM_STAGE_COLLATE}};
	for (int i = 0; i < 3 && batch->start_ns >= 0; i++) {
		add_interval(model, lane, at_ns, at_ns + parts[i].wall_ns, parts[i].stage);
		at_ns += parts[i].wall_ns;
	}
}

static void add_step(const struct sm_model *model, struct lane *lane, const struct sm_batch *batch)
{
	int64_t at_ns = batch->deliver_ns;
	const struct {
		int64_t wall_ns;
		enum sm_stage stage;
	} parts[] = {{batch->h2d_ns, SM_STAGE_H2D},
		{batch->end_ns - at_ns - batch->h2d_ns - batch->sync_ns - batch->other_ns,
			SM_STAGE_COMPUTE},
		{batch->sync_ns, SM_STAGE_SYNC}, {batch->other_ns, SM_STAGE_OTHER}};
	for (int i = 0; i < 4; i++) {
		add_interval(model, lane, at_ns, at_ns + parts[i].wall_ns, parts[i].stage);
		at_ns += parts[i].wall_ns > 0 ? parts[i].wall_ns : 0;
	}
}

static enum sm_stage fullest(const float *busy_s, double width_s)
{
	int stage = 0;
	float all_s = 0;
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		stage = busy_s[i] > busy_s[stage] ? i : stage;
		all_s += busy_s[i];
	}
	return all_s * 2 >= width_s ? (enum sm_stage)stage : SM_STAGE_COUNT;
}

static int keep_lane(struct sm_build *build, const struct lane *lane, const char *name)
{
	struct sm_model *model = build->model;
	struct sm_lane *row = &model->lanes[model->lane_count];
	row->parts = sm_arena_alloc(&model->arena, SM_MODEL_SERIES_POINTS * sizeof(*row->parts));
	row->name = name;
	if (!row->parts || !name) {
		return -ENOMEM;
	}
	enum sm_stage before = SM_STAGE_COUNT;
	for (int i = 0; i < SM_MODEL_SERIES_POINTS; i++) {
		enum sm_stage stage = fullest(lane->busy_s[i], lane->width_s);
		if (stage != SM_STAGE_COUNT && stage == before) {
			row->parts[row->count - 1].end_s = (i + 1) * lane->width_s;
		} else if (stage != SM_STAGE_COUNT) {
			row->parts[row->count++] = (struct sm_lane_part){
				i * lane->width_s, (i + 1) * lane->width_s, stage};
		}
		before = stage;
	}
	model->lane_count++;
	return 0;
}

static int draw_consumer(struct sm_build *build, const struct sm_loader *loader, struct lane *lane)
{
	for (size_t i = 0; i < loader->batch_count; i++) {
		add_step(build->model, lane, &loader->batches[i]);
		if (loader->batches[i].worker < 0) {
			add_fetch(build->model, lane, &loader->batches[i]);
		}
	}
	return keep_lane(
		build, lane, sm_arena_printf(&build->model->arena, "%s main", loader->name));
}

static int draw_worker(
	struct sm_build *build, const struct sm_loader *loader, int index, struct lane *lane)
{
	for (size_t i = 0; i < loader->batch_count; i++) {
		if (loader->batches[i].worker == index) {
			add_fetch(build->model, lane, &loader->batches[i]);
		}
	}
	return keep_lane(build, lane,
		sm_arena_printf(&build->model->arena, "%s worker %d", loader->name, index));
}

static size_t count_lanes(const struct sm_model *model)
{
	size_t count = 0;
	for (size_t i = 0; i < model->loader_count; i++) {
		count += 1 + model->loaders[i].worker_count;
	}
	return count;
}

int sm_build_lanes(struct sm_build *build)
{
	enum { LANES_MAX = 256 };
	struct sm_model *model = build->model;
	double width_s = (double)(model->end_ns - model->begin_ns) * 1e-9 / SM_MODEL_SERIES_POINTS;
	struct lane *lane = sm_mem_alloc(sizeof(*lane));
	model->lanes =
		sm_arena_alloc(&model->arena, (count_lanes(model) + 1) * sizeof(*model->lanes));
	int error = lane && model->lanes ? 0 : -ENOMEM;
	for (size_t i = 0; i < model->loader_count && !error && width_s > 0; i++) {
		const struct sm_loader *loader = &model->loaders[i];
		for (size_t j = 0;
			j <= loader->worker_count && !error && model->lane_count < LANES_MAX; j++) {
			*lane = (struct lane){.width_s = width_s};
			error = j ? draw_worker(build, loader, loader->workers[j - 1].index, lane)
				  : draw_consumer(build, loader, lane);
		}
	}
	sm_mem_free(lane);
	return error;
}
