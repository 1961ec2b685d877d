#include "make/analysis_make.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKER_PID = 2000, MAIN_PID = 1000 };

static void *must(void *memory)
{
	if (!memory) {
		fputs("analysis_make: no memory\n", stderr);
		abort();
	}
	return memory;
}

static int64_t in_ns(double seconds)
{
	return (int64_t)llround(seconds * 1e9);
}

static double wall_of(const struct analysis_spent *spent)
{
	return spent->computing_s + spent->helpers_s + spent->run_delay_s + spent->storage_s +
	       spent->waiting_s;
}

static void add_workers(struct analysis_make *make, int count)
{
	struct sm_loader *loader = &make->loader;
	loader->workers =
		must(sm_arena_alloc(&make->model.arena, (size_t)count * sizeof(*loader->workers)));
	loader->worker_count = (size_t)count;
	for (int i = 0; i < count; i++) {
		loader->workers[i] =
			(struct sm_worker){.index = i, .pid = WORKER_PID + i, .processes = 1};
	}
}

static void add_batches(struct analysis_make *make, size_t batches, int num_workers)
{
	struct sm_arena *arena = &make->model.arena;
	size_t samples = batches * ANALYSIS_MAKE_BATCH;
	make->loader.batches = must(sm_arena_alloc(arena, batches * sizeof(struct sm_batch)));
	make->loader.samples = must(sm_arena_alloc(arena, samples * sizeof(struct sm_sample_time)));
	make->loader_model.services =
		must(sm_arena_alloc(arena, batches * sizeof(struct sm_service)));
	make->loader.batch_count = make->loader_model.count = batches;
	make->loader.batch_total = batches;
	make->loader.sample_count = make->loader_model.sample_count = samples;
	make->loader_model.samples = make->loader.samples;
	for (size_t i = 0; i < batches; i++) {
		size_t first = i * ANALYSIS_MAKE_BATCH;
		make->loader.batches[i] = (struct sm_batch){.task = (int32_t)i,
			.worker = num_workers ? (int16_t)(i % (size_t)num_workers) : (int16_t)-1,
			.count = ANALYSIS_MAKE_BATCH,
			.sample_first = (uint32_t)first,
			.sample_count = ANALYSIS_MAKE_BATCH};
		make->loader_model.services[i] = (struct sm_service){.count = ANALYSIS_MAKE_BATCH,
			.sample_first = first,
			.sample_count = ANALYSIS_MAKE_BATCH};
	}
}

struct analysis_make *analysis_make_create(int num_workers, size_t batches)
{
	struct analysis_make *make = must(sm_mem_calloc(1, sizeof(*make)));
	make->loader = (struct sm_loader){.name = "train",
		.num_workers = num_workers,
		.rank = -1,
		.batch_size = ANALYSIS_MAKE_BATCH,
		.prefetch_factor = num_workers ? 2 : -1,
		.pin_memory = 0,
		.persistent_workers = 1,
		.in_order = 1,
		.start_method = "fork",
		.dataset_kind = "map",
		.dataset = "Photos",
		.dataset_where = "photos.py:12",
		.sampler = "RandomSampler",
		.sampler_where = "photos.py:40",
		.collate = "default_collate",
		.collate_where = "photos.py:55",
		.main_pid = MAIN_PID};
	make->loader_model = (struct sm_loader_model){.loader = &make->loader,
		.cores = 4,
		.memory_bytes = NAN,
		.worker_rss_bytes = NAN,
		.batch_bytes = NAN,
		.hand_computing = 1,
		.loop_computing = 1,
		.loop_threads = 1,
		.loop_pace = 1};
	make->model.loaders = &make->loader;
	make->model.loader_count = 1;
	make->model.series = make->series;
	add_batches(make, batches, num_workers);
	add_workers(make, num_workers);
	make->loader_analysis = (struct sm_loader_analysis){
		.loader = &make->loader, .steps = batches, .model = &make->loader_model};
	make->analysis = (struct sm_analysis){.model = &make->model,
		.arena = &make->model.arena,
		.loaders = &make->loader_analysis,
		.loader_count = 1,
		.usable_cores = 4,
		.own_cpu_s = NAN,
		.own_cpu_share = NAN};
	make->analysis.steps.count = batches;
	return make;
}

void analysis_make_destroy(struct analysis_make *make)
{
	sm_arena_finish(&make->model.arena);
	sm_mem_free(make);
}

/* Adds what `batches` batches spend, in `spans` spans. */
static void add_sum(struct sm_cause_sum *sum, const struct analysis_spent *spent, double batches,
	uint64_t spans)
{
	sum->wall_ns += in_ns(wall_of(spent) * batches);
	sum->count += spans;
	if (spent->without_cause) {
		sum->without_cause += spans;
		sum->without_cause_wall_ns += in_ns(wall_of(spent) * batches);
		return;
	}
	sum->cpu_ns += in_ns(spent->computing_s * batches);
	sum->run_delay_ns += in_ns(spent->run_delay_s * batches);
	sum->helper_cpu_ns += in_ns(spent->helpers_s * batches);
	sum->blocked_input_ns += in_ns(spent->storage_s * batches);
	sum->block_inputs += (uint64_t)(spent->read_bytes / 512 * batches);
	sum->minor_faults += (uint64_t)(spent->minor_faults * batches);
	sum->major_faults += (uint64_t)(spent->major_faults * batches);
	sum->voluntary += (uint64_t)(spent->waits * batches);
}

static bool is_per_sample(enum sm_stage stage)
{
	return stage == SM_STAGE_FETCH || stage == SM_STAGE_TRANSFORM;
}

static float *field_of(struct sm_service *service, enum sm_stage stage)
{
	switch (stage) {
	case SM_STAGE_SAMPLER:
		return &service->sampler;
	case SM_STAGE_FETCH:
		return &service->fetch;
	case SM_STAGE_TRANSFORM:
		return &service->transform;
	case SM_STAGE_COLLATE:
		return &service->collate;
	case SM_STAGE_TRANSPORT:
		return &service->transport;
	case SM_STAGE_PIN:
		return &service->pin;
	case SM_STAGE_H2D:
		return &service->h2d;
	case SM_STAGE_COMPUTE:
		return &service->compute;
	case SM_STAGE_OTHER:
		return &service->other;
	default:
		abort();
	}
}

static bool runs_in_worker(enum sm_stage stage)
{
	return stage >= SM_STAGE_FETCH && stage <= SM_STAGE_COLLATE;
}

static void add_to_services(
	struct analysis_make *make, enum sm_stage stage, const struct analysis_spent *spent)
{
	for (size_t i = 0; i < make->loader_model.count; i++) {
		struct sm_service *service = &make->loader_model.services[i];
		*field_of(service, stage) += (float)wall_of(spent);
		service->fetch_input += stage == SM_STAGE_FETCH ? (float)spent->storage_s : 0;
		if (runs_in_worker(stage)) {
			service->cpu += (float)(spent->computing_s + spent->helpers_s);
			service->run_delay += (float)spent->run_delay_s;
			service->blocked_other += (float)spent->waiting_s;
		}
		make->loader.batches[i].other_ns +=
			stage == SM_STAGE_OTHER ? in_ns(wall_of(spent)) : 0;
		make->loader.batches[i].sampler_ns +=
			stage == SM_STAGE_SAMPLER ? in_ns(wall_of(spent)) : 0;
	}
}

static void add_to_samples(struct analysis_make *make, enum sm_stage stage, double wall_s)
{
	for (size_t i = 0; i < make->loader.sample_count && is_per_sample(stage); i++) {
		make->loader.samples[i].wall_s += (float)(wall_s / ANALYSIS_MAKE_BATCH);
		make->loader.samples[i].transform_s +=
			stage == SM_STAGE_TRANSFORM ? (float)(wall_s / ANALYSIS_MAKE_BATCH) : 0;
	}
}

void analysis_make_spend(
	struct analysis_make *make, enum sm_stage stage, const struct analysis_spent *spent)
{
	size_t count = make->loader_model.count;
	add_to_services(make, stage, spent);
	add_to_samples(make, stage, wall_of(spent));
	add_sum(&make->loader.stage[stage], spent, (double)count,
		is_per_sample(stage) ? make->loader.sample_count : count);
	for (size_t i = 0; i < count; i++) {
		if (sm_sketch_add(&make->loader.stage_wall_s[stage], &make->model.arena,
			    wall_of(spent))) {
			abort();
		}
	}
}

void analysis_make_transform(struct analysis_make *make, const char *name, const char *where,
	const struct analysis_spent *spent)
{
	assert(make->loader.transform_count < ANALYSIS_MAKE_TRANSFORMS);
	struct sm_transform *transform = &make->transforms[make->loader.transform_count++];
	*transform = (struct sm_transform){.name = name, .where = where};
	make->loader.transforms = make->transforms;
	add_sum(&transform->sum, spent, (double)make->loader_model.count,
		make->loader.sample_count);
	analysis_make_spend(make, SM_STAGE_TRANSFORM, spent);
}

void analysis_make_epochs(struct analysis_make *make, size_t batches, double startup_s)
{
	size_t epochs = make->loader_model.count / batches;
	make->loader.persistent_workers = 0;
	make->loader.epochs =
		must(sm_arena_alloc(&make->model.arena, epochs * sizeof(struct sm_epoch)));
	make->loader.epoch_count = epochs;
	make->loader_model.startup_first_s = make->loader_model.startup_later_s = startup_s;
	for (size_t i = 0; i < epochs; i++) {
		int64_t begin_ns = in_ns((double)i * 10);
		make->loader.epochs[i] = (struct sm_epoch){.iteration = (int32_t)i,
			.iterate_begin_ns = begin_ns,
			.iterate_end_ns = begin_ns + in_ns(startup_s / 4),
			.first_deliver_ns = begin_ns + in_ns(startup_s),
			.batches = batches,
			.respawned = true};
	}
	for (size_t i = 0; i < make->loader_model.count; i++) {
		make->loader_model.services[i].epoch = (int)(i / batches);
		make->loader.batches[i].iteration = (int32_t)(i / batches);
	}
}

void analysis_make_slow_sample(struct analysis_make *make, size_t every, double slow_s)
{
	for (size_t i = every - 1; i < make->loader.sample_count; i += every) {
		make->loader.samples[i].wall_s += (float)slow_s;
		make->loader.samples[i].transform_s += (float)slow_s;
		make->loader_model.services[i / ANALYSIS_MAKE_BATCH].transform += (float)slow_s;
		make->loader_model.services[i / ANALYSIS_MAKE_BATCH].cpu += (float)slow_s;
	}
	make->loader.slowest[0] = (struct sm_slow_sample){"7", in_ns(slow_s)};
	make->loader.slowest_count = 1;
}

void analysis_make_counter(struct analysis_make *make, enum sm_metric metric, int64_t instance,
	double first, double last)
{
	assert(make->model.series_count < ANALYSIS_MAKE_SERIES);
	make->series[make->model.series_count++] = (struct sm_series){.metric = (uint16_t)metric,
		.instance = instance,
		.first = first,
		.last = last,
		.minimum = fmin(first, last),
		.maximum = fmax(first, last),
		.mean = (first + last) / 2};
}

void analysis_make_looks(struct analysis_make *make, double lock, double sleep, double socket,
	double file, double idle)
{
	analysis_make_counter(
		make, SM_METRIC_PROC_LOOKS, WORKER_PID, 0, lock + sleep + socket + file + idle);
	analysis_make_counter(make, SM_METRIC_PROC_LOOKS_LOCK, WORKER_PID, 0, lock);
	analysis_make_counter(make, SM_METRIC_PROC_LOOKS_SLEEP, WORKER_PID, 0, sleep);
	analysis_make_counter(make, SM_METRIC_PROC_LOOKS_SOCKET, WORKER_PID, 0, socket);
	analysis_make_counter(make, SM_METRIC_PROC_LOOKS_FILE, WORKER_PID, 0, file);
	analysis_make_counter(make, SM_METRIC_PROC_LOOKS_IDLE, WORKER_PID, 0, idle);
}

static void work_out_time(struct analysis_make *make)
{
	struct sm_setting setting = sm_loader_model_setting(&make->loader_model);
	const struct sm_cure none = {.kind = SM_CURE_NONE};
	struct sm_prediction prediction;
	if (sm_loader_model_simulate(&make->loader_model, &setting, &none, NULL, 0, &prediction)) {
		abort();
	}
	make->loader_model.time_s = prediction.time_s;
	make->loader_analysis.time_s = make->analysis.time_s = make->analysis.wall_s =
		prediction.time_s;
	make->loader_analysis.exposed_s = prediction.exposed_s;
	make->loader_analysis.exposed_share = prediction.exposed_s / prediction.time_s;
	make->loader_model.exposed_share = make->loader_analysis.exposed_share;
	make->loader_model.exposed_low = make->loader_model.exposed_high =
		make->loader_model.exposed_share;
}

/* Two points: counters grew evenly over the run. */
static void work_out_series(struct analysis_make *make)
{
	double time_s = make->analysis.time_s;
	make->analysis.end_ns = in_ns(time_s);
	for (size_t i = 0; i < make->model.series_count; i++) {
		struct sm_series *series = &make->series[i];
		series->count = 2;
		series->time_s = must(sm_arena_alloc(&make->model.arena, 2 * sizeof(double)));
		series->value = must(sm_arena_alloc(&make->model.arena, 2 * sizeof(double)));
		series->time_s[0] = time_s / 4;
		series->time_s[1] = time_s * 3 / 4;
		series->value[0] = series->value[1] = (series->last - series->first) / time_s;
	}
}

static void work_out_workers(struct analysis_make *make)
{
	for (size_t i = 0; i < make->loader.worker_count; i++) {
		struct sm_worker *worker = &make->loader.workers[i];
		worker->alive_ns = in_ns(make->analysis.time_s);
		for (int stage = SM_STAGE_FETCH; stage <= SM_STAGE_COLLATE; stage++) {
			worker->busy_ns += make->loader.stage[stage].wall_ns /
					   (int64_t)make->loader.worker_count;
		}
	}
}

/* A word of a template that no evidence fills would be read by people as it stands. */
static void expect_filled_texts(const struct sm_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct sm_finding *finding = &findings->items[i];
		for (size_t s = 0; s < finding->suggestion_count; s++) {
			if (strchr(finding->suggestions[s].text, '{')) {
				fprintf(stderr, "not filled: %s\n", finding->suggestions[s].text);
				abort();
			}
		}
	}
}

void analysis_make_run(struct analysis_make *make)
{
	work_out_time(make);
	work_out_workers(make);
	work_out_series(make);
	if (sm_detect_run(&make->analysis, &make->findings)) {
		abort();
	}
	expect_filled_texts(&make->findings);
}

const struct sm_finding *analysis_make_finding(const struct analysis_make *make, const char *id)
{
	for (size_t i = 0; i < make->findings.count; i++) {
		if (!strcmp(make->findings.items[i].detector->id, id)) {
			return &make->findings.items[i];
		}
	}
	return NULL;
}

bool analysis_make_passed(const struct analysis_make *make, const char *id)
{
	for (size_t i = 0; i < make->findings.passed_count; i++) {
		if (!strcmp(make->findings.passed[i]->id, id)) {
			return true;
		}
	}
	return false;
}

const char *analysis_make_not_judged(const struct analysis_make *make, const char *id)
{
	for (size_t i = 0; i < make->findings.not_judged_count; i++) {
		if (!strcmp(make->findings.not_judged[i].key, id)) {
			return make->findings.not_judged[i].value;
		}
	}
	return NULL;
}

double analysis_make_evidence(const struct sm_finding *finding, const char *metric)
{
	for (size_t i = 0; i < finding->evidence_count; i++) {
		if (!strcmp(finding->evidence[i].metric, metric)) {
			return finding->evidence[i].value;
		}
	}
	return NAN;
}
