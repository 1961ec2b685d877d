#include "predict/cure.h"

#include "analyze/bootstrap.h"
#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static double work_of(const struct sm_service *service)
{
	return (double)service->fetch + service->transform + service->collate;
}

/* How much of each part of the work was blocked, on average over the run; a batch tells it only of the whole. */
struct blocked_usual {
	double fetch, transform, collate; /* shares */
};

static double blocked_of(const struct sm_loader *loader, enum sm_stage stage)
{
	const struct sm_cause_sum *sum = &loader->stage[stage];
	double known = (double)(sum->wall_ns - sum->without_cause_wall_ns);
	return known > 0 ? fmax(1 - (double)(sum->cpu_ns + sum->run_delay_ns) / known, 0) : 0;
}

static struct blocked_usual find_usual(const struct sm_loader_model *model)
{
	return (struct blocked_usual){blocked_of(model->loader, SM_STAGE_FETCH),
		blocked_of(model->loader, SM_STAGE_TRANSFORM),
		blocked_of(model->loader, SM_STAGE_COLLATE)};
}

static void fill_causes(struct sm_demand *demand, const struct sm_service *service,
	const struct blocked_usual *usual)
{
	double blocked = (double)service->fetch_input + service->blocked_other,
	       work = work_of(service);
	double fetch = usual->fetch * service->fetch,
	       transform = usual->transform * service->transform;
	double collate = usual->collate * service->collate, sum = fetch + transform + collate;
	if (sum > 0) {
		demand->fetch_blocked = fmin(fetch * blocked / sum, service->fetch);
		demand->transform_blocked = fmin(transform * blocked / sum, service->transform);
		demand->collate_blocked = fmin(collate * blocked / sum, service->collate);
	}
	double running =
		work - demand->fetch_blocked - demand->transform_blocked - demand->collate_blocked;
	demand->run_delay_share =
		service->cpu > 0 && running > 0 ? fmin(service->run_delay / running, 0.999) : NAN;
}

static struct sm_demand demand_of(
	const struct sm_service *service, const struct blocked_usual *usual)
{
	struct sm_demand demand = {
		.draw = service->sampler,
		.fetch = service->fetch,
		.transform = service->transform,
		.collate = service->collate,
		.way = service->transport,
		.pin = service->pin,
		.hand = service->deserialize,
		.h2d = service->h2d,
		.sync = service->sync,
		.other = service->other,
		.compute = service->compute,
		.launch = service->launch,
		.optimizer = service->optimizer,
		.epoch = service->epoch,
	};
	fill_causes(&demand, service, usual);
	return demand;
}

static void scale_fetch(struct sm_demand *demand, double factor)
{
	demand->fetch *= factor;
	demand->fetch_blocked *= factor;
}

static void scale_transform(struct sm_demand *demand, double factor)
{
	demand->transform *= factor;
	demand->transform_blocked *= factor;
}

static void scale_collate(struct sm_demand *demand, double factor)
{
	demand->collate *= factor;
	demand->collate_blocked *= factor;
}

static void scale_work(struct sm_demand *demand, double factor)
{
	scale_fetch(demand, factor);
	scale_transform(demand, factor);
	scale_collate(demand, factor);
}

static void scale_stage(struct sm_demand *demand, enum sm_stage stage, double factor)
{
	switch (stage) {
	case SM_STAGE_SAMPLER:
		demand->draw *= factor;
		break;
	case SM_STAGE_FETCH:
		scale_fetch(demand, factor);
		break;
	case SM_STAGE_TRANSFORM:
		scale_transform(demand, factor);
		break;
	case SM_STAGE_COLLATE:
		scale_collate(demand, factor);
		break;
	case SM_STAGE_TRANSPORT:
		demand->way *= factor;
		demand->hand *= factor;
		break;
	case SM_STAGE_PIN:
		demand->pin *= factor;
		break;
	case SM_STAGE_H2D:
		demand->h2d *= factor;
		break;
	case SM_STAGE_LAUNCH:
		demand->launch *= factor;
		break;
	case SM_STAGE_COMPUTE:
		demand->compute *= factor;
		break;
	case SM_STAGE_SYNC:
		demand->sync *= factor;
		break;
	case SM_STAGE_OTHER:
		demand->other *= factor;
		break;
	case SM_STAGE_REORDER: /* no time of its own: it follows from the order */
	case SM_STAGE_COUNT:
		break;
	}
}

/* Run delay: in proportion from whatever was not blocked. */
static void take_off_running(struct sm_demand *demand, double seconds)
{
	double *walls[] = {&demand->fetch, &demand->transform, &demand->collate};
	const double blocked[] = {
		demand->fetch_blocked, demand->transform_blocked, demand->collate_blocked};
	double running = 0;
	for (int i = 0; i < 3; i++) {
		running += *walls[i] - blocked[i];
	}
	double left = running > 0 ? fmax(1 - seconds / running, 0) : 1;
	for (int i = 0; i < 3; i++) {
		*walls[i] = blocked[i] + (*walls[i] - blocked[i]) * left;
	}
}

/* Waiting that is not for input: in proportion from whatever was blocked. */
static void take_off_blocked(struct sm_demand *demand, double seconds)
{
	double *walls[] = {&demand->fetch, &demand->transform, &demand->collate};
	double *blocked[] = {
		&demand->fetch_blocked, &demand->transform_blocked, &demand->collate_blocked};
	double all = demand->fetch_blocked + demand->transform_blocked + demand->collate_blocked;
	double share = all > 0 ? fmin(seconds / all, 1) : 0;
	for (int i = 0; i < 3; i++) {
		*walls[i] -= *blocked[i] * share;
		*blocked[i] *= 1 - share;
	}
}

static void take_off_input(struct sm_demand *demand, double seconds)
{
	demand->fetch = fmax(demand->fetch - seconds, 0);
	demand->fetch_blocked = fmax(demand->fetch_blocked - seconds, 0);
}

static double whole_unless_said(double share)
{
	return share > 0 ? share : 1;
}

static void floor_transport(struct sm_demand *demand, double floor_s)
{
	double now = demand->way + demand->hand;
	if (now > floor_s && now > 0) {
		demand->way *= floor_s / now;
		demand->hand *= floor_s / now;
	}
}

static void free_input(struct sm_demand *demand)
{
	demand->draw = demand->way = demand->pin = demand->hand = 0;
	scale_work(demand, 0);
}

/* Where workers wait for a CPU, so do the threads that hand their batches over, and the loop itself. */
static void free_run_delay(const struct sm_loader_model *model, const struct sm_service *service,
	double share, struct sm_demand *demand)
{
	double worker = isnan(demand->run_delay_share) ? 0 : demand->run_delay_share * share;
	double loop = fmax(1 - model->loop_computing - model->loop_blocked, 0) * share;
	take_off_running(demand, service->run_delay * share);
	demand->way *= 1 - worker;
	demand->hand *= 1 - fmax(worker, loop);
	demand->draw *= 1 - loop;
	demand->compute *= 1 - loop;
	demand->other *= 1 - loop;
}

/* Handing a batch over, launching its work and the optimizer's step cost the same for a batch of any size. Of the worker's
 * work only what the caller knows to be fixed; the rest grows with the samples, and so per sample stays as it is. */
static void enlarge(struct sm_demand *demand, const struct sm_cure *cure)
{
	double saved = 1 - 1 / cure->factor,
	       work = demand->fetch + demand->transform + demand->collate;
	demand->way *= 1 - saved * cure->share;
	demand->hand *= 1 - saved * cure->share;
	demand->launch *= 1 - saved;
	demand->compute -= demand->optimizer * saved;
	scale_work(demand, work > 0 ? fmax(1 - cure->floor_s * saved / work, 0) : 1);
}

static void apply_to_one(const struct sm_cure *cure, const struct sm_loader_model *model,
	const struct sm_service *service, struct sm_demand *demand)
{
	switch (cure->kind) {
	case SM_CURE_STAGE_FREE:
		scale_stage(demand, cure->stage, 0);
		break;
	case SM_CURE_STAGE_SCALED:
		scale_stage(demand, cure->stage, cure->factor);
		break;
	case SM_CURE_TRANSFORM_FREE:
		scale_transform(demand, fmax(1 - cure->share, 0));
		break;
	case SM_CURE_INPUT_FREE:
		take_off_input(demand, service->fetch_input);
		break;
	case SM_CURE_RUN_DELAY_FREE:
		free_run_delay(model, service, fmin(whole_unless_said(cure->share), 1), demand);
		break;
	case SM_CURE_BLOCKED_FREE:
		take_off_blocked(demand, service->blocked_other * whole_unless_said(cure->share));
		break;
	case SM_CURE_TRANSPORT_FLOOR:
		floor_transport(demand, cure->floor_s);
		break;
	case SM_CURE_ALL_INPUT_FREE:
		free_input(demand);
		break;
	case SM_CURE_LARGER_BATCH:
		enlarge(demand, cure);
		break;
	default:
		break;
	}
}

/* --- cures that need all batches --- */

static int copy_walls(const struct sm_loader_model *model, double **ret_walls, size_t *ret_count)
{
	size_t count = 0;
	double *walls = sm_mem_alloc((model->sample_count + 1) * sizeof(*walls));
	if (!walls) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < model->count; i++) {
		for (size_t k = 0; k < model->services[i].sample_count; k++) {
			walls[count++] = model->samples[model->services[i].sample_first + k].wall_s;
		}
	}
	*ret_walls = walls;
	*ret_count = count;
	return 0;
}

static double remaining(double whole, double taken)
{
	return whole > 0 ? fmax(1 - taken / whole, 0) : 1;
}

/* Samples above the 95th percentile take the median; what they did in transforms shrinks with them. */
static void shorten_samples(
	const struct sm_loader_model *model, struct sm_demand *demands, double limit, double median)
{
	for (size_t i = 0; i < model->count; i++) {
		double transform = 0, fetch = 0;
		for (size_t k = 0; k < model->services[i].sample_count; k++) {
			const struct sm_sample_time *sample =
				&model->samples[model->services[i].sample_first + k];
			if (sample->wall_s > limit) {
				double less = 1 - median / sample->wall_s;
				transform += sample->transform_s * less;
				fetch += (sample->wall_s - sample->transform_s) * less;
			}
		}
		scale_transform(&demands[i], remaining(demands[i].transform, transform));
		scale_fetch(&demands[i], remaining(demands[i].fetch, fetch));
	}
}

static int cure_slow_samples(const struct sm_loader_model *model, struct sm_demand *demands)
{
	double *walls;
	size_t count;
	int error = copy_walls(model, &walls, &count);
	if (error) {
		return error;
	}
	if (count) {
		double limit = sm_bootstrap_percentile(walls, count, 0.95);
		shorten_samples(model, demands, limit, sm_bootstrap_percentile(walls, count, 0.5));
	}
	sm_mem_free(walls);
	return 0;
}

/* Workers slower than the median one, on average, are as fast as it. */
static int cure_odd_workers(const struct sm_loader_model *model, struct sm_demand *demands)
{
	enum { WORKERS_MAX = 4096 };
	double *sum = sm_mem_calloc(3 * WORKERS_MAX, sizeof(*sum)), *count = sum + WORKERS_MAX,
	       *means = count + WORKERS_MAX;
	size_t workers = 0;
	if (!sum) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < model->count; i++) {
		int worker = model->services[i].worker;
		if (worker >= 0 && worker < WORKERS_MAX) {
			sum[worker] += work_of(&model->services[i]);
			count[worker]++;
		}
	}
	for (int k = 0; k < WORKERS_MAX; k++) {
		if (count[k] > 0) {
			means[workers++] = sum[k] / count[k];
		}
	}
	double median = workers ? sm_bootstrap_percentile(means, workers, 0.5) : 0;
	for (size_t i = 0; i < model->count; i++) {
		int worker = model->services[i].worker;
		if (worker >= 0 && worker < WORKERS_MAX && sum[worker] > median * count[worker]) {
			scale_work(&demands[i], median * count[worker] / sum[worker]);
		}
	}
	sm_mem_free(sum);
	return 0;
}

static void cure_borders(const struct sm_cure *cure, struct sm_borders *borders)
{
	if (cure->kind == SM_CURE_STARTUP_FREE) {
		borders->startup_later = borders->iterate_later = borders->ending = 0;
	} else if (cure->kind == SM_CURE_ALL_INPUT_FREE) {
		*borders = (struct sm_borders){0};
	}
}

int sm_cure_apply(const struct sm_loader_model *model, const struct sm_cure *cure,
	struct sm_demand *demands, struct sm_borders *ret_borders)
{
	*ret_borders = (struct sm_borders){model->startup_first_s, model->startup_later_s,
		model->iterate_first_s, model->iterate_later_s, model->ending_s};
	struct blocked_usual usual = find_usual(model);
	for (size_t i = 0; i < model->count; i++) {
		demands[i] = demand_of(&model->services[i], &usual);
		if (cure) {
			apply_to_one(cure, model, &model->services[i], &demands[i]);
		}
	}
	if (!cure) {
		return 0;
	}
	cure_borders(cure, ret_borders);
	return cure->kind == SM_CURE_SLOW_SAMPLES    ? cure_slow_samples(model, demands)
	       : cure->kind == SM_CURE_WORKER_MEDIAN ? cure_odd_workers(model, demands)
						     : 0;
}

bool sm_cure_is_input(const struct sm_cure *cure)
{
	bool of_stage = cure->kind == SM_CURE_STAGE_FREE || cure->kind == SM_CURE_STAGE_SCALED;
	return cure->kind != SM_CURE_LARGER_BATCH && (!of_stage || cure->stage <= SM_STAGE_PIN);
}
