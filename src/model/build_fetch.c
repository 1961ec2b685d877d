/* The side where the data set runs: a worker process, a worker thread, or the main thread at num_workers=0.
 *
 * A batch's spans are cut into exclusive parts (fetch, transform, collate) while they end, and become one record when
 * the batch's own span ends. Whose they are may not be known yet: the fact that this process is a worker of that loader is
 * written by the main process, whose blocks may come later. Until then a thread keeps sums of its own. */
#include "base/mem.h"
#include "model/build.h"

#include <errno.h>
#include <string.h>

enum { FETCH, TRANSFORM, COLLATE };

static const enum sm_stage stage_of_part[SM_BUILD_PARTS] = {
	SM_STAGE_FETCH, SM_STAGE_TRANSFORM, SM_STAGE_COLLATE};

static int part_of(enum sm_role role)
{
	return role == SM_ROLE_COLLATE				      ? COLLATE
	       : role == SM_ROLE_TRANSFORM || role == SM_ROLE_COMPOSE ? TRANSFORM
								      : FETCH;
}

static struct sm_build_detail *innermost(struct sm_build_thread *thread)
{
	return &thread->details[thread->depth - 1];
}

static int ensure_fetcher(struct sm_build_thread *thread)
{
	if (!thread->fetcher) {
		thread->fetcher = sm_mem_calloc(1, sizeof(*thread->fetcher));
		if (!thread->fetcher) {
			return -ENOMEM;
		}
		thread->fetcher->loader = thread->fetcher->worker = -1;
		thread->fetcher->first_ns = thread->fetcher->mark_ns = -1;
	}
	return 0;
}

/* At num_workers=0 the call of next() around the batch drew its indices just before, and that says whose it is. */
static struct sm_build_loader *loader_of_call(
	struct sm_build *build, struct sm_build_thread *thread)
{
	struct sm_build_loader *loader = NULL;
	if (thread->consumer && sm_build_spans_around(thread, SM_ROLE_NEXT)) {
		int64_t drawn_for = thread->consumer->drawn_for;
		sm_build_loader_find(build, thread->process,
			drawn_for >= 0 ? drawn_for : thread->fetcher->loader, &loader);
	}
	return loader;
}

static struct sm_build_loader *loader_of(struct sm_build *build, struct sm_build_thread *thread)
{
	const struct sm_build_worker *worker;
	struct sm_build_loader *loader = loader_of_call(build, thread);
	if (!loader) {
		loader = sm_build_loader_of_worker(build, thread->process, thread->tid, &worker);
	}
	return loader ? loader
		      : sm_build_loader_of_parent(build, thread->process, thread->fetcher->loader);
}

/* Takes the loader's sums, and hands over what was kept for it until now. */
static int find_sums(struct sm_build *build, struct sm_build_thread *thread)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	struct sm_build_loader *loader = loader_of(build, thread);
	int error = 0;
	if (loader && fetcher->owns_sums) {
		error = sm_build_sums_merge(build, &loader->sums, fetcher->sums);
		sm_build_sums_finish(fetcher->sums);
		sm_mem_free(fetcher->sums);
		fetcher->owns_sums = false;
	}
	if (loader) {
		fetcher->sums = &loader->sums;
	} else if (!fetcher->owns_sums) {
		fetcher->sums = sm_mem_calloc(1, sizeof(*fetcher->sums));
		fetcher->owns_sums = fetcher->sums;
		error = fetcher->sums ? 0 : -ENOMEM;
	}
	return error;
}

static int begin_batch(struct sm_build *build, struct sm_build_thread *thread)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	memset(fetcher->part_ns, 0, sizeof(fetcher->part_ns));
	memset(fetcher->part_cause, 0, sizeof(fetcher->part_cause));
	fetcher->sample_count = 0;
	fetcher->in_batch = true;
	return find_sums(build, thread);
}

int sm_build_fetch_begin(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role)
{
	if (role == SM_ROLE_SERIALIZE) {
		return 0; /* the feeder thread fetches nothing */
	}
	int error = ensure_fetcher(thread);
	if (!error && role == SM_ROLE_BATCH) {
		error = begin_batch(build, thread);
	}
	if (!error) {
		innermost(thread)->transform_before_ns = thread->fetcher->part_ns[TRANSFORM];
	}
	return error;
}

static int add_wall(
	struct sm_build *build, struct sm_build_sums *sums, enum sm_stage stage, int64_t wall_ns)
{
	return sm_sketch_add(&sums->wall_s[stage], &build->model->arena, (double)wall_ns * 1e-9);
}

static void note_slow(struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns)
{
	const struct sm_build_args *args = &innermost(thread)->args;
	int64_t text = sm_build_spans_arg(args, SM_KEY_INDEX_TEXT, -1);
	int64_t index = sm_build_spans_arg(args, SM_KEY_INDEX, -1);
	const char *words =
		text < 0 ? NULL : sm_build_names_find(build, thread->process, (uint32_t)text)->text;
	if (words || index >= 0) {
		sm_build_sums_slow(thread->fetcher->sums, wall_ns, index, words);
	}
}

static int end_sample(struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns)
{
	enum { SAMPLES_OF_A_BATCH_MAX = 1 << 15 };
	struct sm_build_fetcher *fetcher = thread->fetcher;
	int64_t transform_ns = fetcher->part_ns[TRANSFORM] - innermost(thread)->transform_before_ns;
	int error = add_wall(build, fetcher->sums, SM_STAGE_FETCH, wall_ns - transform_ns);
	if (!error && transform_ns > 0) {
		error = add_wall(build, fetcher->sums, SM_STAGE_TRANSFORM, transform_ns);
	}
	note_slow(build, thread, wall_ns);
	if (error || fetcher->sample_count >= SAMPLES_OF_A_BATCH_MAX) {
		return error;
	}
	error = sm_mem_grow(&fetcher->samples, &fetcher->sample_capacity, fetcher->sample_count + 1,
		sizeof(*fetcher->samples));
	if (!error) {
		fetcher->samples[fetcher->sample_count++] = (struct sm_sample_time){
			(float)(wall_ns * 1e-9), (float)(transform_ns * 1e-9)};
	}
	return error;
}

static int end_transform(struct sm_build *build, struct sm_build_thread *thread, int64_t wall_ns,
	const struct sm_cause_sum *own)
{
	const struct sm_build_frame *frame = &thread->frames[thread->depth - 1];
	struct sm_transform *row;
	if (frame->slot == SM_BUILD_NONE || frame->role == SM_ROLE_COMPOSE) {
		return 0;
	}
	int error = sm_build_sums_transform(build, thread->fetcher->sums, frame->slot, &row);
	if (!error) {
		sm_build_causes_add(&row->sum, own);
		error = sm_sketch_add(&row->wall_s, &build->model->arena, (double)wall_ns * 1e-9);
	}
	return error;
}

static void fill_causes(const struct sm_build_fetcher *fetcher, struct sm_batch *part)
{
	const struct sm_cause_sum *fetch = &fetcher->part_cause[FETCH];
	struct sm_cause_sum all = {0};
	for (int i = 0; i < SM_BUILD_PARTS; i++) {
		sm_build_causes_add(&all, &fetcher->part_cause[i]);
	}
	bool fetch_known = fetch->wall_ns > 0 && fetch->without_cause_wall_ns * 2 < fetch->wall_ns;
	bool all_known = all.wall_ns > 0 && all.without_cause_wall_ns * 2 < all.wall_ns;
	part->fetch_cpu_ns = fetch_known ? fetch->cpu_ns : -1;
	part->fetch_run_delay_ns = fetch_known ? fetch->run_delay_ns : -1;
	part->fetch_blocked_ns = fetch_known ? fetch->wall_ns - fetch->without_cause_wall_ns -
						       fetch->cpu_ns - fetch->run_delay_ns
					     : -1;
	part->fetch_input_ns = fetch_known ? fetch->blocked_input_ns : -1;
	part->cpu_ns = all_known ? all.cpu_ns : -1;
	part->run_delay_ns = all_known ? all.run_delay_ns : -1;
	part->helper_cpu_ns = all_known ? all.helper_cpu_ns : -1;
}

static struct sm_build_fetch as_record(
	const struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	const struct sm_build_fetcher *fetcher = thread->fetcher;
	const struct sm_build_args *args = &thread->details[thread->depth - 1].args;
	struct sm_build_fetch record = {
		.process = thread->process,
		.tid = thread->tid,
		.fetcher = fetcher->fetchers ? fetcher->fetchers - 1 : 0,
		.nth = (uint32_t)fetcher->batches,
		.loader = fetcher->loader,
		.worker = (int32_t)sm_build_spans_arg(args, SM_KEY_WORKER, fetcher->worker),
		.sequence = (int32_t)sm_build_spans_arg(args, SM_KEY_SEQUENCE, -1),
		.part = {.start_ns = begin_ns,
			.done_ns = end_ns,
			.count = (int32_t)sm_build_spans_arg(
				args, SM_KEY_COUNT, (int64_t)fetcher->sample_count),
			.fetch_ns = fetcher->part_ns[FETCH],
			.transform_ns = fetcher->part_ns[TRANSFORM],
			.collate_ns = fetcher->part_ns[COLLATE]},
	};
	fill_causes(fetcher, &record.part);
	return record;
}

static int add_sums(struct sm_build *build, struct sm_build_fetcher *fetcher)
{
	int error = 0;
	for (int i = 0; i < SM_BUILD_PARTS; i++) {
		struct sm_cause_sum *sum = &fetcher->sums->stage[stage_of_part[i]];
		sm_build_causes_add(sum, &fetcher->part_cause[i]);
		sum->count += fetcher->part_ns[i] > 0;
	}
	if (fetcher->part_ns[COLLATE] > 0) {
		error = add_wall(build, fetcher->sums, SM_STAGE_COLLATE, fetcher->part_ns[COLLATE]);
	}
	return error;
}

static int keep_samples(
	struct sm_build *build, struct sm_build_fetcher *fetcher, struct sm_batch *part)
{
	int error = sm_mem_grow(&build->samples, &build->sample_capacity,
		build->sample_count + fetcher->sample_count, sizeof(*build->samples));
	if (error || !fetcher->sample_count) {
		return error;
	}
	memcpy(build->samples + build->sample_count, fetcher->samples,
		fetcher->sample_count * sizeof(*build->samples));
	part->sample_first = (uint32_t)build->sample_count;
	part->sample_count = (uint32_t)fetcher->sample_count;
	build->sample_count += fetcher->sample_count;
	return 0;
}

/* In which iteration of the loader this is, -1 when the call of next() around it will say; thinning must decide as
 * the main process does. */
static int32_t iteration_of(
	struct sm_build *build, struct sm_build_thread *thread, const struct sm_build_fetch *record)
{
	const struct sm_build_worker *worker;
	if (sm_build_spans_around(thread, SM_ROLE_NEXT)) {
		return -1;
	}
	if (sm_build_loader_of_worker(build, thread->process, thread->tid, &worker)) {
		return worker->iteration + (int32_t)record->fetcher;
	}
	return (int32_t)record->fetcher;
}

static int keep_record(
	struct sm_build *build, struct sm_build_thread *thread, struct sm_build_fetch *record)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	bool in_call = sm_build_spans_around(thread, SM_ROLE_NEXT);
	int error = sm_build_thin(build);
	record->iteration = iteration_of(build, thread, record);
	if (error || !sm_build_keeps(build, record->iteration, record->sequence)) {
		return error;
	}
	error = keep_samples(build, fetcher, &record->part);
	if (!error && in_call) { /* next() around it takes it along */
		fetcher->done = *record;
		fetcher->has_done = true;
	} else if (!error) {
		error = sm_mem_grow(&build->fetches, &build->fetch_capacity, build->fetch_count + 1,
			sizeof(*record));
		if (!error) {
			build->fetches[build->fetch_count++] = *record;
		}
	}
	return error;
}

static int end_batch(
	struct sm_build *build, struct sm_build_thread *thread, int64_t begin_ns, int64_t end_ns)
{
	struct sm_build_fetcher *fetcher = thread->fetcher;
	struct sm_build_fetch record = as_record(thread, begin_ns, end_ns);
	fetcher->in_batch = false;
	fetcher->first_ns = fetcher->first_ns < 0 ? begin_ns : fetcher->first_ns;
	fetcher->last_ns = end_ns;
	fetcher->busy_ns += end_ns - begin_ns;
	fetcher->batches++;
	sm_build_recent_fetch(build, &record);
	int error = add_sums(build, fetcher);
	return error ? error : keep_record(build, thread, &record);
}

static int end_part(
	struct sm_build *build, struct sm_build_thread *thread, enum sm_role role, int64_t end_ns)
{
	int64_t begin_ns = thread->frames[thread->depth - 1].begin_ns;
	if (!thread->fetcher->in_batch) {
		return 0; /* the data set is used outside of a loader */
	}
	struct sm_cause_sum own = sm_build_causes_end(thread, part_of(role), end_ns - begin_ns);
	switch (role) {
	case SM_ROLE_BATCH:
		return end_batch(build, thread, begin_ns, end_ns);
	case SM_ROLE_SAMPLE:
		return end_sample(build, thread, end_ns - begin_ns);
	case SM_ROLE_TRANSFORM:
		return end_transform(build, thread, end_ns - begin_ns, &own);
	default:
		return 0;
	}
}

/* The feeder thread pickles in the order in which the worker made the batches. */
static int end_serialize(struct sm_build *build, struct sm_build_thread *thread, int64_t end_ns)
{
	const struct sm_build_args *args = &innermost(thread)->args;
	struct sm_build_feed feed = {thread->process, build->processes[thread->process].feeds++,
		end_ns - thread->frames[thread->depth - 1].begin_ns, end_ns,
		(uint64_t)sm_build_spans_arg(args, SM_KEY_BYTES, 0),
		(uint64_t)sm_build_spans_arg(args, SM_KEY_TENSOR_BYTES, 0)};
	if (build->feed_count >= 2 * SM_MODEL_BATCHES_MAX) {
		return 0;
	}
	int error = sm_mem_grow(
		&build->feeds, &build->feed_capacity, build->feed_count + 1, sizeof(feed));
	if (!error) {
		build->feeds[build->feed_count++] = feed;
	}
	return error;
}

int sm_build_fetch_end(struct sm_build *build, struct sm_build_thread *thread, int64_t end_ns)
{
	enum sm_role role = thread->frames[thread->depth - 1].role;
	if (role == SM_ROLE_SERIALIZE) {
		return end_serialize(build, thread, end_ns);
	}
	return role > SM_ROLE_FETCHER && role < SM_ROLE_SERIALIZE
		       ? end_part(build, thread, role, end_ns)
		       : 0;
}

int sm_build_fetch_mark(struct sm_build *build, struct sm_build_thread *thread, enum sm_role role,
	int64_t at_ns, const struct sm_build_args *args)
{
	(void)build;
	if (role != SM_ROLE_FETCHER) {
		return 0;
	}
	int error = ensure_fetcher(thread);
	if (!error) {
		struct sm_build_fetcher *fetcher = thread->fetcher;
		fetcher->fetchers++;
		fetcher->loader = (int32_t)sm_build_spans_arg(args, SM_KEY_LOADER, fetcher->loader);
		fetcher->worker = (int32_t)sm_build_spans_arg(args, SM_KEY_WORKER, fetcher->worker);
		fetcher->mark_ns = fetcher->mark_ns < 0 ? at_ns : fetcher->mark_ns;
	}
	return error;
}
