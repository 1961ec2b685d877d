/* Training steps: from the request for a batch to the request for the next.
 *
 * Warm-up is left out of percentiles and steady-state fits, never out of T. It has two parts. What is known: the first
 * step behind each fresh set of workers waits for them to start. What is found: MSER-5 (White 1997), the truncation that
 * minimises the standard error of the mean of the rest, in groups of five steps. It catches lazy initialisation,
 * autotuning and cold caches without a length set by us. Since it also likes to cut at any change of pace, it looks no
 * further than a quarter of the run, and its cut counts only when what it cuts off was slower than what it leaves, by
 * more than twice the standard error of both. */
#include "analyze/steps.h"

#include "analyze/bootstrap.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>

enum { GROUP = 5 };

double sm_steps_interlude_s(
	const struct sm_model *model, int rank, int64_t begin_ns, int64_t end_ns)
{
	double interlude_s = 0;
	for (size_t i = 0; i < model->interlude_count; i++) {
		const struct sm_interlude *interlude = &model->interludes[i];
		int64_t from_ns = interlude->begin_ns > begin_ns ? interlude->begin_ns : begin_ns;
		int64_t to_ns = interlude->end_ns < end_ns ? interlude->end_ns : end_ns;
		if (interlude->rank == rank && to_ns > from_ns) {
			interlude_s += (double)(to_ns - from_ns) * 1e-9;
		}
	}
	return interlude_s;
}

struct sm_steps_span sm_steps_span(const struct sm_loader *loader)
{
	struct sm_steps_span span = {INT64_MAX, INT64_MIN, 0};
	for (size_t i = 0; i < loader->epoch_count; i++) {
		const struct sm_epoch *epoch = &loader->epochs[i];
		int64_t begin_ns = epoch->iterate_begin_ns >= 0 ? epoch->iterate_begin_ns
								: epoch->first_request_ns;
		int64_t end_ns = i + 1 < loader->epoch_count ? epoch->end_ns : epoch->last_end_ns;
		if (begin_ns >= 0 && end_ns > begin_ns) {
			span.begin_ns = begin_ns < span.begin_ns ? begin_ns : span.begin_ns;
			span.end_ns = end_ns > span.end_ns ? end_ns : span.end_ns;
			span.time_s += (double)(end_ns - begin_ns) * 1e-9;
		}
	}
	return span;
}

static double wall_of(const struct sm_batch *batch)
{
	return (double)(batch->end_ns - batch->request_ns) * 1e-9;
}

struct moment_sums {
	double count, sum, squares;
};

static void add_group(struct moment_sums *sums, const struct sm_batch *first)
{
	double mean = 0;
	for (size_t k = 0; k < GROUP; k++) {
		mean += wall_of(&first[k]) / GROUP;
	}
	sums->count++;
	sums->sum += mean;
	sums->squares += mean * mean;
}

static double deviations(const struct moment_sums *sums)
{
	return fmax(sums->squares - sums->sum * sums->sum / sums->count, 0);
}

static bool is_slower(const struct moment_sums *head, const struct moment_sums *tail)
{
	double error = sqrt(deviations(head) / (head->count * head->count) +
			    deviations(tail) / (tail->count * tail->count));
	return head->sum / head->count > tail->sum / tail->count + 2 * error;
}

/* MSER-5: the squared deviations of the rest over the square of their number, least. */
static size_t truncation(const struct sm_loader *loader)
{
	size_t groups = loader->batch_count / GROUP, best = 0;
	struct moment_sums tail = {0}, best_tail = {0}, head = {0};
	double lowest = INFINITY;
	for (size_t i = groups; i-- > 0;) {
		add_group(&tail, &loader->batches[i * GROUP]);
		double error = deviations(&tail) / (tail.count * tail.count);
		if (i <= groups / 4 && tail.count > 1 && error <= lowest) {
			lowest = error;
			best = i;
			best_tail = tail;
		}
	}
	for (size_t i = 0; i < best; i++) {
		add_group(&head, &loader->batches[i * GROUP]);
	}
	return best && is_slower(&head, &best_tail) ? best * GROUP : 0;
}

/* 1 where a step belongs to warm-up. */
static size_t mark_warmup(const struct sm_loader *loader, bool *warm)
{
	size_t cut = truncation(loader), count = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		bool first = !i || loader->batches[i].iteration != loader->batches[i - 1].iteration;
		warm[i] = i < cut || (first && loader->batches[i].task == 0 &&
					     (loader->batches[i].iteration == 0 ||
						     loader->persistent_workers != 1));
		count += warm[i];
	}
	return count;
}

static void fill_percentiles(
	struct sm_steps *ret, const struct sm_loader *loader, const bool *warm, double *walls)
{
	size_t count = 0;
	double sum = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		sum += wall_of(&loader->batches[i]);
		if (!warm[i]) {
			walls[count++] = wall_of(&loader->batches[i]);
		}
	}
	ret->mean_s = loader->batch_count ? sum / (double)loader->batch_count : NAN;
	ret->p50_s = sm_bootstrap_percentile(walls, count, 0.50);
	ret->p95_s = sm_bootstrap_percentile(walls, count, 0.95);
	ret->p99_s = sm_bootstrap_percentile(walls, count, 0.99);
}

static double samples_per_s(const struct sm_loader *loader)
{
	double samples = 0, time_s = sm_steps_span(loader).time_s;
	for (size_t i = 0; i < loader->batch_count; i++) {
		if (loader->batches[i].count <= 0) {
			return NAN;
		}
		samples += loader->batches[i].count;
	}
	double all = samples * (double)loader->batch_total / (double)loader->batch_count;
	return time_s > 0 ? all / time_s : NAN;
}

static int fill_points(struct sm_steps *ret, struct sm_arena *arena, const struct sm_model *model,
	const struct sm_loader *loader)
{
	size_t n = loader->batch_count,
	       per = (n + SM_MODEL_SERIES_POINTS - 1) / SM_MODEL_SERIES_POINTS;
	double **columns[] = {
		&ret->wall_s, &ret->exposed_s, &ret->transfer_s, &ret->other_s, &ret->at_s};
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		*columns[i] = sm_arena_alloc(arena, (SM_MODEL_SERIES_POINTS + 1) * sizeof(double));
		if (!*columns[i]) {
			return -ENOMEM;
		}
	}
	for (size_t first = 0; first < n; first += per) {
		size_t last = first + per < n ? first + per : n, at = ret->point_count++;
		double share = 1 / (double)(last - first);
		for (size_t i = first; i < last; i++) {
			const struct sm_batch *batch = &loader->batches[i];
			ret->wall_s[at] += wall_of(batch) * share;
			ret->exposed_s[at] += (double)batch->exposed_ns * 1e-9 * share;
			ret->transfer_s[at] += (double)batch->h2d_ns * 1e-9 * share;
			ret->other_s[at] += (double)batch->other_ns * 1e-9 * share;
		}
		ret->at_s[at] =
			(double)(loader->batches[first].request_ns - model->begin_ns) * 1e-9;
	}
	return 0;
}

int sm_steps_find(struct sm_steps *ret, struct sm_arena *arena, const struct sm_model *model,
	const struct sm_loader *loader)
{
	*ret = (struct sm_steps){
		.mean_s = NAN, .p50_s = NAN, .p95_s = NAN, .p99_s = NAN, .samples_per_s = NAN};
	if (!loader || !loader->batch_count) {
		return 0;
	}
	bool *warm = sm_mem_alloc(loader->batch_count * sizeof(*warm));
	double *walls = sm_mem_alloc(loader->batch_count * sizeof(*walls));
	int error = warm && walls ? 0 : -ENOMEM;
	if (!error) {
		ret->count = loader->batch_total;
		ret->warmup = mark_warmup(loader, warm);
		fill_percentiles(ret, loader, warm, walls);
		ret->samples_per_s = samples_per_s(loader);
		error = fill_points(ret, arena, model, loader);
	}
	sm_mem_free(warm);
	sm_mem_free(walls);
	return error;
}
