#include "analyze/rows.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* A stage of the main process, summed over the batches that were kept. */
struct tally {
	double wall_s, cpu_s;
	uint64_t count;
	struct sm_sketch each;
};

static int add(struct tally *tally, struct sm_arena *arena, int64_t wall_ns)
{
	if (wall_ns <= 0) {
		return 0;
	}
	tally->wall_s += (double)wall_ns * 1e-9;
	tally->count++;
	return sm_sketch_add(&tally->each, arena, (double)wall_ns * 1e-9);
}

/* From the end of pickling's begin to the moment the main process had it: on its way, not waiting to be asked for. */
static int64_t transport_of(const struct sm_batch *batch)
{
	if (batch->start_ns < 0 || batch->worker < 0) {
		return 0;
	}
	int64_t arrive_ns = batch->arrive_ns >= 0 ? batch->arrive_ns : batch->deliver_ns;
	int64_t since_ns = batch->done_ns > batch->request_ns ? batch->done_ns : arrive_ns;
	int64_t on_the_way_ns = batch->done_ns > batch->request_ns
					? arrive_ns - since_ns
					: batch->serialize_ns + batch->deserialize_ns;
	return on_the_way_ns > 0 ? on_the_way_ns : 0;
}

static int64_t compute_of(const struct sm_batch *batch)
{
	return batch->end_ns - batch->deliver_ns - batch->h2d_ns - batch->sync_ns -
	       batch->other_ns - batch->launch_ns;
}

/* How long finished batches lay behind a missing earlier one while the loop waited: for each, the waiting between its
 * own end and the delivery of the one before it. */
static int add_reorder(struct tally *tally, struct sm_arena *arena, const struct sm_loader *loader)
{
	enum { LOOK_BACK = 1024 };
	for (size_t i = 1; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		int64_t lay_ns = 0;
		for (size_t k = i; k-- > 0 && i - k <= LOOK_BACK && batch->start_ns >= 0;) {
			const struct sm_batch *earlier = &loader->batches[k];
			if (earlier->deliver_ns <= batch->done_ns ||
				earlier->iteration != batch->iteration) {
				break;
			}
			int64_t since_ns = earlier->request_ns > batch->done_ns
						   ? earlier->request_ns
						   : batch->done_ns;
			int64_t until_ns = earlier->done_ns > since_ns &&
							   earlier->done_ns < earlier->deliver_ns
						   ? earlier->done_ns
						   : since_ns;
			lay_ns += until_ns - since_ns;
		}
		int error = batch->worker >= 0 ? add(tally, arena, lay_ns) : 0;
		if (error) {
			return error;
		}
	}
	return 0;
}

static int add_batches(
	struct tally *tallies, struct sm_arena *arena, const struct sm_loader *loader)
{
	int error = add_reorder(&tallies[SM_STAGE_REORDER], arena, loader);
	for (size_t i = 0; i < loader->batch_count && !error; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		const struct {
			enum sm_stage stage;
			int64_t wall_ns;
		} parts[] = {{SM_STAGE_SAMPLER, batch->sampler_ns},
			{SM_STAGE_TRANSPORT, transport_of(batch)}, {SM_STAGE_PIN, batch->pin_ns},
			{SM_STAGE_H2D, batch->h2d_ns}, {SM_STAGE_LAUNCH, batch->launch_ns},
			{SM_STAGE_COMPUTE, compute_of(batch)}, {SM_STAGE_SYNC, batch->sync_ns},
			{SM_STAGE_OTHER, batch->other_ns}};
		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts) && !error; k++) {
			error = add(&tallies[parts[k].stage], arena, parts[k].wall_ns);
		}
	}
	return error;
}

static double not_zero(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

/* Where some spans told their cause and some did not, those that did stand for all. */
static void split_wall(const struct sm_cause_sum *sum, double *ret_cpu_s, double *ret_run_delay_s,
	double *ret_blocked_s)
{
	double known_s = (double)(sum->wall_ns - sum->without_cause_wall_ns) * 1e-9;
	double scale = not_zero((double)sum->wall_ns * 1e-9, known_s);
	*ret_cpu_s = (double)sum->cpu_ns * 1e-9 * scale;
	*ret_run_delay_s = (double)sum->run_delay_ns * 1e-9 * scale;
	*ret_blocked_s =
		fmax(known_s - (double)(sum->cpu_ns + sum->run_delay_ns) * 1e-9, 0) * scale;
}

static struct sm_stage_row worker_row(const struct sm_loader *loader, enum sm_stage stage)
{
	const struct sm_cause_sum *sum = &loader->stage[stage];
	struct sm_stage_row row = {.stage = stage,
		.wall_s = (double)sum->wall_ns * 1e-9,
		.p50_s = sm_sketch_quantile(&loader->stage_wall_s[stage], 0.50),
		.p99_s = sm_sketch_quantile(&loader->stage_wall_s[stage], 0.99),
		.count = loader->stage_wall_s[stage].count ? loader->stage_wall_s[stage].count
							   : sum->count};
	split_wall(sum, &row.cpu_s, &row.run_delay_s, &row.blocked_s);
	return row;
}

static struct sm_stage_row main_row(const struct tally *tally, enum sm_stage stage, double scale)
{
	return (struct sm_stage_row){.stage = stage,
		.wall_s = tally->wall_s * scale,
		.cpu_s = NAN,
		.run_delay_s = NAN,
		.blocked_s = NAN,
		.p50_s = sm_sketch_quantile(&tally->each, 0.50),
		.p99_s = sm_sketch_quantile(&tally->each, 0.99),
		.count = (uint64_t)((double)tally->count * scale + 0.5)};
}

static void fill_stages(
	struct sm_loader_analysis *ret, const struct tally *tallies, const double *charge_s)
{
	const struct sm_loader *loader = ret->loader;
	double all_s = 0, scale = loader->batch_count ? (double)loader->batch_total /
								(double)loader->batch_count
						      : 0;
	for (int stage = 0; stage < SM_STAGE_COUNT; stage++) {
		all_s += charge_s[stage];
	}
	for (int stage = 0; stage < SM_STAGE_COUNT; stage++) {
		bool is_worker = stage == SM_STAGE_FETCH || stage == SM_STAGE_TRANSFORM ||
				 stage == SM_STAGE_COLLATE;
		struct sm_stage_row row = is_worker ? worker_row(loader, stage)
						    : main_row(&tallies[stage], stage, scale);
		row.share = not_zero(charge_s[stage], all_s);
		if (row.wall_s > 0 || charge_s[stage] > 0) {
			ret->stages[ret->stage_count++] = row;
		}
	}
}

static double share_of(const struct sm_loader_analysis *analysis, enum sm_stage stage)
{
	for (size_t i = 0; i < analysis->stage_count; i++) {
		if (analysis->stages[i].stage == stage) {
			return analysis->stages[i].share;
		}
	}
	return 0;
}

static int fill_transforms(struct sm_loader_analysis *ret, struct sm_arena *arena)
{
	const struct sm_loader *loader = ret->loader;
	double all_s = 0, share = share_of(ret, SM_STAGE_TRANSFORM);
	ret->transforms =
		sm_arena_alloc(arena, (loader->transform_count + 1) * sizeof(*ret->transforms));
	if (!ret->transforms) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < loader->transform_count; i++) {
		all_s += (double)loader->transforms[i].sum.wall_ns * 1e-9;
	}
	for (size_t i = 0; i < loader->transform_count; i++) {
		const struct sm_cause_sum *sum = &loader->transforms[i].sum;
		struct sm_transform_row *row = &ret->transforms[ret->transform_count++];
		*row = (struct sm_transform_row){.transform = &loader->transforms[i],
			.wall_s = (double)sum->wall_ns * 1e-9,
			.helper_cpu_s = (double)sum->helper_cpu_ns * 1e-9,
			.calls = sum->count};
		split_wall(sum, &row->cpu_s, &row->run_delay_s, &row->blocked_s);
		row->share = all_s > 0 ? share * row->wall_s / all_s : 0;
	}
	return 0;
}

int sm_rows_fill(struct sm_loader_analysis *ret, struct sm_arena *arena,
	const double charge_s[SM_STAGE_COUNT])
{
	struct tally tallies[SM_STAGE_COUNT] = {0};
	int error = add_batches(tallies, arena, ret->loader);
	if (!error) {
		fill_stages(ret, tallies, charge_s);
		error = fill_transforms(ret, arena);
	}
	return error;
}
