/* From the recorded batches to plain durations.
 *
 * What a stage took is what was measured of it; what cannot be measured of every batch (how long a batch is on its way
 * to a main process that is busy with something else) is taken from those batches of which it can, by their median. */
#include "predict/loader_model.h"

#include "analyze/analysis.h"
#include "analyze/bootstrap.h"
#include "base/mem.h"
#include "base/metric.h"
#include "predict/simulate.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { BATCHES_MIN = 8 };

static float as_s(int64_t ns)
{
	return ns > 0 ? (float)((double)ns * 1e-9) : 0;
}

static bool was_waited_for(const struct sm_batch *batch)
{
	return batch->done_ns > batch->request_ns && batch->arrive_ns >= batch->done_ns &&
	       batch->arrive_ns <= batch->deliver_ns;
}

/* Fetch to queue to main process, where the main process stood by. */
static int median_transport(const struct sm_loader *loader, float *ret_s)
{
	double *values = sm_mem_alloc((loader->batch_count + 1) * sizeof(*values));
	size_t count = 0;
	if (!values) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		if (batch->worker >= 0 && batch->start_ns >= 0 && was_waited_for(batch)) {
			values[count++] =
				as_s(batch->arrive_ns - batch->done_ns - batch->deserialize_ns);
		}
	}
	*ret_s = count ? (float)sm_bootstrap_percentile(values, count, 0.5) : 0;
	sm_mem_free(values);
	return 0;
}

static void fill_worker(struct sm_service *service, const struct sm_batch *batch)
{
	int64_t rest_ns = batch->done_ns - batch->start_ns - batch->fetch_ns - batch->transform_ns -
			  batch->collate_ns;
	service->fetch = as_s(batch->fetch_ns + rest_ns);
	service->transform = as_s(batch->transform_ns);
	service->collate = as_s(batch->collate_ns);
	service->fetch_input = fminf(as_s(batch->fetch_input_ns), service->fetch);
	service->run_delay = as_s(batch->run_delay_ns);
	service->cpu = as_s(batch->cpu_ns) + as_s(batch->helper_cpu_ns);
	if (batch->cpu_ns >= 0) {
		int64_t blocked_ns =
			batch->done_ns - batch->start_ns - batch->cpu_ns - batch->run_delay_ns;
		/* Blocked on helper threads at work is work. */
		service->blocked_other =
			fmaxf(as_s(blocked_ns - batch->helper_cpu_ns) - service->fetch_input, 0);
	}
	service->serialize = as_s(batch->serialize_ns);
}

/* The call of next(), less what was waiting and less drawing indices for a later batch. */
static void fill_hand_over(
	struct sm_service *service, const struct sm_batch *batch, float usual_transport)
{
	int64_t wait_ns = batch->deliver_ns - batch->request_ns;
	if (batch->worker < 0) {
		int64_t fetch_ns = batch->start_ns >= 0 ? batch->done_ns - batch->start_ns : 0;
		service->deserialize = as_s(wait_ns - batch->sampler_ns - fetch_ns - batch->pin_ns);
		if (batch->start_ns < 0) {
			service->fetch = service->deserialize;
			service->deserialize = 0;
		}
	} else if (was_waited_for(batch)) {
		service->transport =
			as_s(batch->arrive_ns - batch->done_ns - batch->deserialize_ns);
		service->deserialize = as_s(batch->deliver_ns - batch->arrive_ns +
					    batch->deserialize_ns - batch->refill_ns);
	} else {
		service->transport = usual_transport;
		service->deserialize =
			as_s(batch->done_ns <= batch->request_ns ? wait_ns - batch->refill_ns
								 : batch->deserialize_ns);
	}
	service->pin = as_s(batch->pin_ns);
}

static void fill_step(struct sm_service *service, const struct sm_batch *batch)
{
	int64_t rest_ns = batch->end_ns - batch->deliver_ns - batch->h2d_ns - batch->sync_ns -
			  batch->other_ns;
	service->h2d = as_s(batch->h2d_ns);
	service->sync = as_s(batch->sync_ns);
	service->other = as_s(batch->other_ns);
	service->compute = as_s(rest_ns);
	service->optimizer = fminf(as_s(batch->optimizer_ns), service->compute);
}

/* With a device beside the host: what it worked in this step is the step less the time it stood still. */
static void fill_device(struct sm_service *service, const struct sm_batch *batch, double launch_s)
{
	int64_t step_ns = batch->end_ns - batch->request_ns;
	int64_t copy_ns = batch->device_copy_ns > 0 ? batch->device_copy_ns : 0;
	service->compute = as_s(step_ns - batch->exposed_ns - batch->launch_ns - copy_ns);
	service->launch = (float)launch_s;
	service->h2d = as_s(copy_ns);
	service->sync = service->other = service->optimizer =
		0; /* inside launch, on the host's side */
}

static struct sm_service as_service(const struct sm_batch *batch, float usual_transport)
{
	struct sm_service service = {.sampler = as_s(batch->sampler_ns),
		.count = batch->count,
		.worker = batch->worker,
		.epoch = batch->iteration,
		.sample_first = batch->sample_first,
		.sample_count = batch->sample_count};
	if (batch->start_ns >= 0) {
		fill_worker(&service, batch);
	}
	fill_hand_over(&service, batch, usual_transport);
	fill_step(&service, batch);
	return service;
}

/* The host's part of a step. In copies it waits for the device, which has told what they took of it. */
static double host_step_s(const struct sm_batch *batch)
{
	int64_t copying_ns =
		batch->device_copy_ns >= 0 && batch->device_state >= 0 ? batch->h2d_ns : 0;
	return (double)(batch->end_ns - batch->deliver_ns - copying_ns) * 1e-9;
}

static int find_launch(struct sm_loader_model *model, const struct sm_loader *loader)
{
	double *values = sm_mem_alloc((loader->batch_count + 1) * sizeof(*values));
	size_t count = 0;
	if (!values) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < loader->batch_count; i++) {
		model->asynchronous = model->asynchronous || loader->batches[i].device_state >= 0;
		values[count++] = host_step_s(&loader->batches[i]);
	}
	model->launch_s = sm_bootstrap_percentile(values, count, 0.5);
	sm_mem_free(values);
	return 0;
}

static int fill_services(
	struct sm_loader_model *model, struct sm_arena *arena, const struct sm_loader *loader)
{
	float usual_transport = 0;
	int error = median_transport(loader, &usual_transport);
	error = error ? error : find_launch(model, loader);
	model->services =
		sm_arena_alloc(arena, (loader->batch_count + 1) * sizeof(*model->services));
	if (error || !model->services) {
		return error ? error : -ENOMEM;
	}
	for (size_t i = 0; i < loader->batch_count; i++) {
		struct sm_service *service = &model->services[model->count++];
		*service = as_service(&loader->batches[i], usual_transport);
		if (model->asynchronous) {
			fill_device(service, &loader->batches[i], model->launch_s);
		}
	}
	return 0;
}

struct mean {
	double sum;
	size_t count;
};

static void add(struct mean *mean, int64_t ns)
{
	mean->sum += ns > 0 ? (double)ns * 1e-9 : 0;
	mean->count++;
}

static double value_of(const struct mean *mean)
{
	return mean->count ? mean->sum / (double)mean->count : 0;
}

/* When a worker began its first batch of an epoch, since the iterator was asked for. */
static void fill_startup(struct sm_loader_model *model, const struct sm_loader *loader)
{
	struct mean first = {0}, later = {0};
	for (size_t i = 0, epoch = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		while (epoch < loader->epoch_count &&
			loader->epochs[epoch].iteration < batch->iteration) {
			epoch++;
		}
		bool opens = batch->task >= 0 && batch->task < loader->num_workers &&
			     batch->start_ns >= 0;
		if (opens && epoch < loader->epoch_count &&
			loader->epochs[epoch].iterate_begin_ns >= 0) {
			add(batch->iteration == 0 ? &first : &later,
				batch->start_ns - loader->epochs[epoch].iterate_begin_ns);
		}
	}
	model->startup_first_s = value_of(&first);
	model->startup_later_s = value_of(&later);
}

static void fill_borders(struct sm_loader_model *model, const struct sm_loader *loader)
{
	struct mean first = {0}, later = {0}, ending = {0}, between = {0};
	for (size_t i = 0; i < loader->epoch_count; i++) {
		const struct sm_epoch *epoch = &loader->epochs[i];
		if (epoch->iterate_begin_ns >= 0 && epoch->first_request_ns >= 0) {
			add(epoch->iteration == 0 ? &first : &later,
				epoch->first_request_ns - epoch->iterate_begin_ns);
		}
		if (i + 1 < loader->epoch_count && epoch->last_end_ns >= 0) {
			add(&ending, epoch->end_ns - epoch->last_end_ns);
			add(&between, loader->epochs[i + 1].iterate_begin_ns - epoch->end_ns);
		}
	}
	model->iterate_first_s = value_of(&first);
	model->iterate_later_s = value_of(&later);
	model->ending_s = value_of(&ending);
	model->between_epochs_s = value_of(&between);
}

static double mean_of_workers(const struct sm_loader *loader)
{
	struct mean rss = {0};
	for (size_t i = 0; i < loader->worker_count; i++) {
		if (loader->workers[i].rss_bytes > 0) {
			rss.sum += (double)loader->workers[i].rss_bytes;
			rss.count++;
		}
	}
	return rss.count ? value_of(&rss) : NAN;
}

/* What workers share with their parent costs nothing again; resident less shared is what one more would take. */
static double private_of_worker(const struct sm_model *model, const struct sm_loader *loader)
{
	struct mean shared = {0};
	for (size_t i = 0; i < loader->worker_count; i++) {
		const struct sm_series *series =
			sm_model_series(model, SM_METRIC_PROC_SHARED, loader->workers[i].pid);
		if (series) {
			shared.sum += series->mean;
			shared.count++;
		}
	}
	double rss = mean_of_workers(loader);
	return shared.count ? fmax(rss - value_of(&shared), 0) : rss;
}

/* The least that was free during the run, of the machine and of the group's limit. */
static double free_memory(const struct sm_model *model)
{
	const struct sm_series *available = sm_model_series(model, SM_METRIC_MEM_AVAILABLE, 0);
	const struct sm_series *limit = sm_model_series(model, SM_METRIC_GROUP_MEM_LIMIT, 0);
	const struct sm_series *used = sm_model_series(model, SM_METRIC_GROUP_MEM, 0);
	double bytes = available ? available->minimum : NAN;
	return limit && used ? fmin(bytes, limit->minimum - used->maximum) : bytes;
}

/* In memory between worker and loop: what is in the pipe, and the tensors behind its handles. */
static double mean_batch_bytes(const struct sm_loader *loader)
{
	double bytes = 0;
	size_t count = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		bytes += (double)batch->bytes + (double)batch->tensor_bytes;
		count += batch->bytes > 0;
	}
	return count ? bytes / (double)count : NAN;
}

static double exposed_of(const struct sm_loader *loader, double time_s)
{
	struct mean exposed = {0};
	for (size_t i = 0; i < loader->batch_count; i++) {
		add(&exposed, loader->batches[i].exposed_ns);
	}
	double sum = exposed.count
			     ? exposed.sum * (double)loader->batch_total / (double)exposed.count
			     : 0;
	for (size_t i = 0; i < loader->epoch_count; i++) {
		const struct sm_epoch *epoch = &loader->epochs[i];
		sum += epoch->iterate_begin_ns >= 0
			       ? (double)(epoch->iterate_end_ns - epoch->iterate_begin_ns) * 1e-9
			       : 0;
		sum += i + 1 < loader->epoch_count
			       ? (double)(epoch->end_ns - epoch->last_end_ns) * 1e-9
			       : 0;
	}
	return time_s > 0 ? fmin(sum / time_s, 1) : 0;
}

/* Of calls that had nothing to wait for, or waited only for what came out of the queue: CPU of the thread over what the
 * call took behind that. */
static double hand_computing(const struct sm_loader *loader)
{
	double cpu = 0, wall = 0;
	for (size_t i = 0; i < loader->batch_count; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		int64_t from_ns =
			batch->ready_ns > batch->request_ns ? batch->ready_ns : batch->request_ns;
		if (batch->worker >= 0 && batch->next_cpu_ns >= 0) {
			cpu += (double)batch->next_cpu_ns;
			wall += (double)(batch->deliver_ns - from_ns);
		}
	}
	return wall > 0 ? fmin(cpu / wall, 1) : 1;
}

/* What the loop does with its own time: from the clocks of its thread. Without them, it computes all the time. */
static void fill_loop(struct sm_loader_model *model, const struct sm_loader *loader)
{
	const struct sm_cause_sum *loop = &loader->loop,
				  *training = &loader->stage[SM_STAGE_COMPUTE];
	model->hand_computing = hand_computing(loader);
	model->loop_computing = 1;
	model->loop_threads = 1;
	model->loop_pace = 1;
	if (loop->wall_ns > 0) {
		double delay = fmin((double)loop->run_delay_ns / (double)loop->wall_ns, 1);
		model->loop_computing = fmin((double)loop->cpu_ns / (double)loop->wall_ns, 1);
		model->loop_blocked = fmax(1 - model->loop_computing - delay, 0);
	}
	if (training->cpu_ns > 0) {
		model->loop_threads += (double)training->helper_cpu_ns / (double)training->cpu_ns;
	}
}

static bool knows_causes(const struct sm_loader_model *model)
{
	size_t known = 0;
	for (size_t i = 0; i < model->count; i++) {
		known += model->services[i].cpu > 0;
	}
	return known * 2 > model->count;
}

int sm_loader_model_build(struct sm_loader_model *ret_model, struct sm_arena *arena,
	const struct sm_model *model, const struct sm_loader *loader)
{
	struct sm_loader_model built = {
		.loader = loader, .samples = loader->samples, .sample_count = loader->sample_count};
	if (loader->batch_count < BATCHES_MIN) {
		return -SM_ERR_EMPTY;
	}
	int error = fill_services(&built, arena, loader);
	if (error) {
		return error;
	}
	fill_startup(&built, loader);
	fill_borders(&built, loader);
	built.cores = sm_analysis_usable_cores(model);
	built.memory_bytes = free_memory(model);
	built.worker_rss_bytes = private_of_worker(model, loader);
	built.batch_bytes = mean_batch_bytes(loader);
	built.time_s = sm_analysis_loader_time_s(loader);
	built.exposed_share = exposed_of(loader, built.time_s);
	built.exposed_low = built.exposed_high = built.exposed_share;
	fill_loop(&built, loader);
	built.can_share = built.cores > 0 && knows_causes(&built);
	error = sm_simulate_calibrate(&built);
	if (!error) {
		*ret_model = built;
	}
	return error;
}

static void take_interval(struct sm_loader_model *model, const struct sm_loader_analysis *loader)
{
	if (loader->exposed_low <= model->exposed_share) {
		model->exposed_low = loader->exposed_low;
	}
	if (loader->exposed_high >= model->exposed_share) {
		model->exposed_high = loader->exposed_high;
	}
}

int sm_loader_model_attach(struct sm_analysis *analysis)
{
	for (size_t i = 0; i < analysis->loader_count; i++) {
		struct sm_loader_model *built = sm_arena_alloc(analysis->arena, sizeof(*built));
		if (!built) {
			return -ENOMEM;
		}
		int error = sm_loader_model_build(
			built, analysis->arena, analysis->model, analysis->loaders[i].loader);
		if (error && error != -SM_ERR_EMPTY) {
			return error;
		}
		take_interval(built, &analysis->loaders[i]);
		analysis->loaders[i].model = error ? NULL : built;
	}
	return 0;
}

struct sm_setting sm_loader_model_setting(const struct sm_loader_model *model)
{
	const struct sm_loader *loader = model->loader;
	int workers = loader->num_workers;
	for (size_t i = 0; workers < 0 && i < model->count; i++) {
		workers = model->services[i].worker >= workers ? model->services[i].worker + 1
							       : workers;
	}
	return (struct sm_setting){
		.num_workers = workers > 0 ? workers : 0,
		.prefetch_factor = loader->prefetch_factor > 0 ? loader->prefetch_factor : 2,
		.in_order = loader->in_order != 0,
		.persistent_workers = loader->persistent_workers == 1,
		.pin_memory = loader->pin_memory == 1,
	};
}
