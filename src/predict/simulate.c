#include "predict/simulate.h"

#include "analyze/attribution.h"
#include "base/mem.h"
#include "predict/shared_cores.h"

#include <errno.h>
#include <math.h>

int sm_simulate_demands(const struct sm_loader_model *model, const struct sm_cure *cure,
	struct sm_demand **ret_demands, struct sm_borders *ret_borders)
{
	struct sm_demand *demands = sm_mem_alloc((model->count + 1) * sizeof(*demands));
	int error = demands ? sm_cure_apply(model, cure, demands, ret_borders) : -ENOMEM;
	if (error) {
		sm_mem_free(demands);
		return error;
	}
	*ret_demands = demands;
	return 0;
}

/* Workers that stay start no new ones; workers that no longer stay start anew in every epoch. */
static struct sm_borders borders_under(const struct sm_loader_model *model,
	const struct sm_setting *setting, struct sm_borders borders)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	if (setting->num_workers == 0) {
		return (struct sm_borders){0};
	}
	if (recorded.num_workers > 0 && setting->persistent_workers &&
		!recorded.persistent_workers) {
		borders.startup_later = borders.iterate_later = borders.ending = 0;
	}
	if (recorded.persistent_workers && !setting->persistent_workers) {
		borders.startup_later = borders.startup_first;
		borders.iterate_later = borders.iterate_first;
	}
	return borders;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* Lists that an epoch begins with: the window, or all there are. */
static double lists_at_start(const struct sm_loader_model *model, const struct sm_setting *setting)
{
	double epochs = model->count ? model->services[model->count - 1].epoch + 1.0 : 1;
	double window = (double)setting->num_workers * setting->prefetch_factor;
	return least(window, (double)model->count / epochs);
}

/* Making an iterator draws the indices of a whole window. As many as were recorded are in the borders; a deeper
 * prefetch or more workers draw more before the loop can ask. */
static double more_to_draw(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_demand *demands)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	double sum = 0, more = lists_at_start(model, setting) - lists_at_start(model, &recorded);
	for (size_t i = 0; i < model->count; i++) {
		sum += demands[i].draw;
	}
	return more > 0 && model->count ? more * sum / (double)model->count : 0;
}

static struct sm_setting bounded(struct sm_setting setting)
{
	setting.num_workers = setting.num_workers < 0	   ? 0
			      : setting.num_workers > 1024 ? 1024
							   : setting.num_workers;
	setting.prefetch_factor = setting.prefetch_factor < 1	   ? 1
				  : setting.prefetch_factor > 1024 ? 1024
								   : setting.prefetch_factor;
	return setting;
}

static struct sm_replay as_replay(const struct sm_loader_model *model,
	const struct sm_setting *setting, const struct sm_demand *demands,
	const struct sm_borders *borders, const size_t *order, size_t count)
{
	struct sm_borders under = borders_under(model, setting, *borders);
	double more = more_to_draw(model, setting, demands);
	under.iterate_first += more;
	under.iterate_later += more;
	return (struct sm_replay){
		.demands = demands,
		.order = order,
		.count = order ? count : model->count,
		.recorded = model->count,
		.borders = under,
		.setting = bounded(*setting),
		.asynchronous = model->asynchronous,
	};
}

bool sm_simulate_shares(const struct sm_loader_model *model, const struct sm_setting *setting)
{
	if (!model->can_share || setting->num_workers <= 0) {
		return false;
	}
	double loop = model->loop_computing > 0.05 ? model->loop_threads : 0;
	return model->foreign > 0 || setting->num_workers + loop > model->cores;
}

int sm_simulate_time(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_demand *demands, const struct sm_borders *borders, const size_t *order,
	size_t count, bool shared, struct sm_outcome *ret)
{
	struct sm_replay replay = as_replay(model, setting, demands, borders, order, count);
	struct sm_sharing sharing = {.cores = model->cores,
		.foreign = model->foreign,
		.hand_computing = model->hand_computing,
		.loop_computing = model->loop_computing,
		.loop_blocked = model->loop_blocked,
		.loop_threads = model->loop_threads,
		.loop_pace = model->loop_pace > 0 ? model->loop_pace : 1};
	return shared && replay.setting.num_workers > 0
		       ? sm_shared_cores_run(&replay, &sharing, ret)
		       : sm_recursion_run(&replay, NULL, ret);
}

/* The run's time grows with the number of foreign threads, so halving finds it. */
static int halve(struct sm_loader_model *model, const struct sm_demand *demands,
	const struct sm_borders *borders, const size_t *order, size_t count)
{
	enum { STEPS = 10 };
	struct sm_setting setting = sm_loader_model_setting(model);
	struct sm_outcome wanted, found;
	double low = 0, high = 16 * model->cores;
	int error =
		sm_simulate_time(model, &setting, demands, borders, order, count, false, &wanted);
	model->foreign = 0;
	error = error ? error
		      : sm_simulate_time(
				model, &setting, demands, borders, order, count, true, &found);
	if (error || found.time_s >= 0.98 * wanted.time_s) {
		return error;
	}
	for (int i = 0; i < STEPS && !error; i++) {
		model->foreign = (low + high) / 2;
		error = sm_simulate_time(
			model, &setting, demands, borders, order, count, true, &found);
		*(found.time_s < wanted.time_s ? &low : &high) = model->foreign;
	}
	return error;
}

/* Then the loop: what it computes is slowed until its steps take as long as recorded. */
static int match_loop(struct sm_loader_model *model, const struct sm_demand *demands,
	const struct sm_borders *borders, const size_t *order, size_t count)
{
	struct sm_setting setting = sm_loader_model_setting(model);
	struct sm_outcome wanted, found;
	int error =
		sm_simulate_time(model, &setting, demands, borders, order, count, false, &wanted);
	error = error ? error
		      : sm_simulate_time(
				model, &setting, demands, borders, order, count, true, &found);
	double blocked_s = error ? 0 : wanted.loop_s * model->loop_blocked;
	if (!error && found.loop_s > blocked_s && wanted.loop_s > blocked_s) {
		model->loop_pace *= (wanted.loop_s - blocked_s) / (found.loop_s - blocked_s);
	}
	return error;
}

static int calibrate_both(struct sm_loader_model *model, const struct sm_demand *demands,
	const struct sm_borders *borders, const size_t *order, size_t count)
{
	enum { ROUNDS = 3 };
	int error = halve(model, demands, borders, order, count);
	for (int i = 0; i < ROUNDS && !error && model->foreign > 0; i++) {
		error = match_loop(model, demands, borders, order, count);
		error = error ? error : halve(model, demands, borders, order, count);
	}
	return error;
}

int sm_simulate_calibrate(struct sm_loader_model *model)
{
	enum { BATCHES = 512 };
	struct sm_setting setting = sm_loader_model_setting(model);
	struct sm_demand *demands = NULL;
	struct sm_borders borders;
	size_t count = model->count < BATCHES ? model->count : BATCHES, order[BATCHES];
	if (!model->can_share || setting.num_workers <= 0) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		order[i] = (model->count - count) / 2 + i; /* from the middle: steady */
	}
	int error = sm_simulate_demands(model, NULL, &demands, &borders);
	error = error ? error : calibrate_both(model, demands, &borders, order, count);
	sm_mem_free(demands);
	return error;
}

/* The simulated run as a recorded one, so that one walk serves both. */
static int fill_shares(const struct sm_replay *replay, struct sm_batch *timeline, double *share)
{
	struct sm_loader loader = {.batches = timeline,
		.batch_count = replay->count,
		.batch_total = replay->count,
		.num_workers = replay->setting.num_workers};
	double sum = 0;
	int error = sm_attribution_walk(&loader, share);
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		sum += share[i];
	}
	for (int i = 0; i < SM_STAGE_COUNT; i++) {
		share[i] = sum > 0 ? share[i] / sum : 0;
	}
	return error;
}

int sm_loader_model_simulate(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure, const size_t *order, size_t order_count,
	struct sm_prediction *ret_prediction)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	struct sm_demand *demands = NULL;
	struct sm_borders borders;
	struct sm_outcome outcome;
	struct sm_prediction prediction = {0};
	int error = sm_simulate_demands(model, cure, &demands, &borders);
	if (error) {
		return error;
	}
	struct sm_setting chosen = setting ? *setting : recorded;
	struct sm_replay replay = as_replay(model, &chosen, demands, &borders, order, order_count);
	struct sm_batch *timeline = sm_mem_calloc(replay.count + 1, sizeof(*timeline));
	error = timeline ? sm_recursion_run(&replay, timeline, &outcome) : -ENOMEM;
	error = error ? error : fill_shares(&replay, timeline, prediction.share);
	bool shared = sm_simulate_shares(model, &chosen) &&
		      !(cure && cure->kind == SM_CURE_RUN_DELAY_FREE);
	if (!error && shared) {
		error = sm_simulate_time(
			model, &chosen, demands, &borders, order, order_count, true, &outcome);
	}
	if (!error) {
		prediction.time_s = outcome.time_s;
		prediction.exposed_s = outcome.exposed_s;
		*ret_prediction = prediction;
	}
	sm_mem_free(timeline);
	sm_mem_free(demands);
	return error;
}
