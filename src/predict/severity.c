/* What a cure or another setting would have saved, with an interval.
 *
 * Both runs are simulated, so that what the model gets wrong in both cancels. The interval is over resampled runs:
 * blocks of consecutive batches, drawn with a fixed seed, the same blocks for both runs. A long run is resampled shorter, and the
 * spread then shrunk by the square root of the ratio (m out of n). */
#include "analyze/bootstrap.h"
#include "base/mem.h"
#include "predict/simulate.h"

#include <errno.h>
#include <math.h>

/* Sharing CPUs costs some hundred times more to simulate. */
enum { RESAMPLES = 80, RESAMPLED_MAX = 4096, SHARED_RESAMPLES = 40, SHARED_RESAMPLED_MAX = 512 };

static int resamples_of(bool shared)
{
	return shared ? SHARED_RESAMPLES : RESAMPLES;
}

static size_t resampled_of(bool shared, size_t recorded)
{
	size_t most = shared ? SHARED_RESAMPLED_MAX : RESAMPLED_MAX;
	return recorded < most ? recorded : most;
}

struct comparison {
	const struct sm_loader_model *model;
	struct sm_setting base_setting, new_setting;
	struct sm_demand *base, *changed; /* owned */
	struct sm_borders base_borders, changed_borders;
	bool shared;
};

static int compare(
	const struct comparison *pair, const size_t *order, size_t count, double *ret_ratio)
{
	struct sm_outcome base, changed;
	int error = sm_simulate_time(pair->model, &pair->base_setting, pair->base,
		&pair->base_borders, order, count, pair->shared, &base);
	error = error ? error
		      : sm_simulate_time(pair->model, &pair->new_setting, pair->changed,
				&pair->changed_borders, order, count, pair->shared, &changed);
	if (!error) {
		*ret_ratio = base.time_s > 0 ? changed.time_s / base.time_s : 1;
	}
	return error;
}

static void resample(
	struct sm_bootstrap *bootstrap, size_t *order, size_t count, size_t recorded, size_t block)
{
	for (size_t filled = 0; filled < count;) {
		size_t at = sm_bootstrap_below(bootstrap, recorded);
		for (size_t k = 0; k < block && filled < count; k++) {
			order[filled++] = (at + k) % recorded;
		}
	}
}

static int spread(const struct comparison *pair, double *ratios)
{
	size_t recorded = pair->model->count, count = resampled_of(pair->shared, recorded);
	size_t window =
		(size_t)pair->base_setting.num_workers * (size_t)pair->base_setting.prefetch_factor;
	size_t block = sm_bootstrap_block(count, window ? window : 1);
	struct sm_bootstrap bootstrap = {SM_BOOTSTRAP_SEED};
	size_t *order = sm_mem_alloc((count + 1) * sizeof(*order));
	int error = order ? 0 : -ENOMEM;
	for (int i = 0; i < resamples_of(pair->shared) && !error; i++) {
		resample(&bootstrap, order, count, recorded, block);
		error = compare(pair, order, count, &ratios[i]);
	}
	sm_mem_free(order);
	return error;
}

/* T' / T: middle from the run as recorded, ends as far from it as the resampled ones are from their median. */
static int find_ratio(const struct comparison *pair, struct sm_interval *ret)
{
	double ratios[RESAMPLES], middle;
	int error = compare(pair, NULL, 0, &middle);
	error = error ? error : spread(pair, ratios);
	if (error) {
		return error;
	}
	size_t count = pair->model->count, drawn = (size_t)resamples_of(pair->shared);
	double shrink = sqrt((double)resampled_of(pair->shared, count) / (double)count);
	double low = sm_bootstrap_percentile(ratios, drawn, 0.025);
	double high = sm_bootstrap_percentile(ratios, drawn, 0.975);
	double median = sm_bootstrap_percentile(ratios, drawn, 0.5);
	*ret = (struct sm_interval){
		middle + (low - median) * shrink, middle, middle + (high - median) * shrink};
	return 0;
}

static int ratio_of(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure, struct sm_interval *ret)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	struct comparison pair = {.model = model,
		.base_setting = recorded,
		.new_setting = setting ? *setting : recorded};
	bool of_run_delay = cure && cure->kind == SM_CURE_RUN_DELAY_FREE;
	pair.shared = !of_run_delay && (sm_simulate_shares(model, &pair.base_setting) ||
					       sm_simulate_shares(model, &pair.new_setting));
	int error = sm_simulate_demands(model, NULL, &pair.base, &pair.base_borders);
	error = error ? error
		      : sm_simulate_demands(model, cure, &pair.changed, &pair.changed_borders);
	error = error ? error : find_ratio(&pair, ret);
	sm_mem_free(pair.base);
	sm_mem_free(pair.changed);
	return error;
}

static double clip(double value, double most)
{
	return fmax(0, fmin(value, most));
}

/* What the stall leaves to gain. It was measured, so it is an interval, and what is cut off at it is no surer than it. */
static struct sm_interval most_of(const struct sm_loader_model *model, bool of_input)
{
	return of_input ? (struct sm_interval){model->exposed_low, model->exposed_share,
				  model->exposed_high}
			: (struct sm_interval){1, 1, 1};
}

static double least_of(double most)
{
	return fmax(1 - most, 1e-9);
}

int sm_loader_model_severity(const struct sm_loader_model *model, const struct sm_setting *setting,
	const struct sm_cure *cure, struct sm_interval *ret_severity)
{
	struct sm_interval ratio;
	int error = ratio_of(model, setting, cure, &ratio);
	if (error) {
		return error;
	}
	struct sm_interval most = most_of(model, !cure || sm_cure_is_input(cure));
	*ret_severity = (struct sm_interval){clip(1 - ratio.high, most.low),
		clip(1 - ratio.middle, most.middle), clip(1 - ratio.low, most.high)};
	return 0;
}

int sm_loader_model_speedup(const struct sm_loader_model *model, const struct sm_setting *setting,
	struct sm_interval *ret_speedup)
{
	struct sm_interval ratio;
	int error = ratio_of(model, setting, NULL, &ratio);
	/* As a severity: settings of the loader give back no more than the stall, unless they change the batch itself. */
	struct sm_interval most = most_of(model, !setting->batch_size);
	if (!error) {
		*ret_speedup = (struct sm_interval){1 / fmax(ratio.high, least_of(most.low)),
			1 / fmax(ratio.middle, least_of(most.middle)),
			1 / fmax(ratio.low, least_of(most.high))};
	}
	return error;
}
