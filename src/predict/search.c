/* The best number of workers and the best prefetch that cores and memory allow: every candidate is simulated. */
#include "base/mem.h"
#include "predict/simulate.h"

#include <math.h>

enum { WORKERS_LIMIT = 128, PREFETCH_LIMIT = 64 };

/* Workers that wait more than they compute can be more than there are cores. Run delay is neither: it is what too many get. */
static bool mostly_waits(const struct sm_loader_model *model)
{
	double work = 0, blocked = 0;
	for (size_t i = 0; i < model->count; i++) {
		const struct sm_service *service = &model->services[i];
		work += (double)service->fetch + service->transform + service->collate -
			service->run_delay;
		blocked += (double)service->fetch_input + service->blocked_other;
	}
	return blocked * 2 > work;
}

/* How many times `each` fits into the memory that is free; unknown memory bounds nothing. */
static double fits(double memory, double each)
{
	return isnan(memory) || isnan(each) || each <= 0 ? INFINITY : fmax(memory, 0) / each;
}

int sm_loader_model_workers_max(const struct sm_loader_model *model)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	double cores = isnan(model->cores) ? recorded.num_workers : fmax(floor(model->cores), 1);
	double by_cores = mostly_waits(model) ? 4 * cores : cores;
	double batches =
		isnan(model->batch_bytes) ? 0 : model->batch_bytes * recorded.prefetch_factor;
	double by_memory =
		recorded.num_workers + fits(model->memory_bytes, model->worker_rss_bytes + batches);
	double most = fmax(fmin(by_cores, by_memory), recorded.num_workers);
	return (int)fmin(most, WORKERS_LIMIT);
}

int sm_loader_model_prefetch_max(const struct sm_loader_model *model, int num_workers)
{
	struct sm_setting recorded = sm_loader_model_setting(model);
	if (num_workers <= 0) {
		return recorded.prefetch_factor;
	}
	double more = fits(model->memory_bytes, model->batch_bytes * num_workers);
	return (int)fmin(recorded.prefetch_factor + more, PREFETCH_LIMIT);
}

struct search {
	const struct sm_loader_model *model;
	struct sm_demand *demands; /* owned */
	struct sm_borders borders;
	double best_s;
	bool shared;
};

static int try_setting(struct search *search, const struct sm_setting *setting, double *ret_time_s)
{
	struct sm_outcome outcome;
	int error = sm_simulate_time(search->model, setting, search->demands, &search->borders,
		NULL, 0, search->shared, &outcome);
	if (!error) {
		*ret_time_s = outcome.time_s;
		search->best_s = fmin(search->best_s, outcome.time_s);
	}
	return error;
}

/* Candidates by ratio about 1.25 above eight: finer steps differ by less than the model's error. */
static int next_candidate(int value)
{
	return value < 8 ? value + 1 : value + value / 4;
}

static int *workers_of(struct sm_setting *setting)
{
	return &setting->num_workers;
}

static int *prefetch_of(struct sm_setting *setting)
{
	return &setting->prefetch_factor;
}

/* Tries one field of the setting from `least` to `most`; the smallest within 1 % of the best stays in it. */
static int search_field(const struct sm_loader_model *model, struct sm_setting *setting,
	int *(*field_of)(struct sm_setting *), int least, int most)
{
	enum { CANDIDATES_MAX = 64 };
	struct search search = {.model = model, .best_s = INFINITY};
	struct sm_setting largest = *setting;
	int *field = field_of(setting), values[CANDIDATES_MAX], count = 0, recorded = *field;
	double times[CANDIDATES_MAX];
	*field_of(&largest) = most;
	search.shared = sm_simulate_shares(model, &largest);
	int error = sm_simulate_demands(model, NULL, &search.demands, &search.borders);
	for (int value = least; !error && value <= most && count < CANDIDATES_MAX;
		value = next_candidate(value)) {
		*field = values[count] = value;
		error = try_setting(&search, setting, &times[count]);
		count++;
	}
	*field = recorded;
	for (int i = 0; i < count && !error; i++) {
		if (times[i] <= search.best_s * 1.01) {
			*field = values[i];
			break;
		}
	}
	sm_mem_free(search.demands);
	return error;
}

int sm_loader_model_best_workers(
	const struct sm_loader_model *model, struct sm_setting *ret_setting)
{
	struct sm_setting setting = sm_loader_model_setting(model);
	int error =
		search_field(model, &setting, workers_of, 0, sm_loader_model_workers_max(model));
	if (!error) {
		*ret_setting = setting;
	}
	return error;
}

int sm_loader_model_best_prefetch(
	const struct sm_loader_model *model, struct sm_setting *ret_setting)
{
	struct sm_setting setting = sm_loader_model_setting(model);
	int most = sm_loader_model_prefetch_max(model, setting.num_workers);
	int error = search_field(model, &setting, prefetch_of, 1, most);
	if (!error) {
		*ret_setting = setting;
	}
	return error;
}
