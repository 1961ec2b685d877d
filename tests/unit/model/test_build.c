/* From a trace to tables, on traces of a few events each, worked out by hand. */
#include "make/sm_make.h"
#include "make/training_make.h"
#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static struct sm_make_run *new_run(void)
{
	strcpy(directory, "/tmp/stallmeter-model-XXXXXX");
	assert_non_null(mkdtemp(directory));
	return sm_make_run_create(directory);
}

static void read_run(struct sm_model *model)
{
	struct sm_error error = {0};
	char file[100];
	if (sm_model_build(model, directory, NULL, &error)) {
		fail_msg("%s", error.msg);
	}
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	unlink(file);
	rmdir(directory);
}

static const struct sm_operation *operation(const struct sm_model *model, const char *name)
{
	for (size_t i = 0; i < model->operation_count; i++) {
		if (strcmp(model->operations[i].name, name) == 0) {
			return &model->operations[i];
		}
	}
	fail_msg("no operation %s", name);
	return NULL;
}

/*     outer |----------------------------|   0 .. 100
 *     inner     |-----|        |-----|       10 .. 30, 60 .. 90
 *     leaf        |-|                        15 .. 20
 * self of outer = 100 - 20 - 30 = 50; of inner = 50 - 5 = 45 */
static void operations_know_inclusive_and_self_time(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	uint32_t outer = sm_make_name_bytes(
		process, SM_NAME_SPAN, SM_ROLE_OPERATION, "outer\0DATA_LOADING", 18);
	sm_make_begin_id(thread, 1000, outer);
	sm_make_begin(thread, 1010, SM_ROLE_OPERATION, "inner");
	sm_make_begin(thread, 1015, SM_ROLE_OPERATION, "leaf");
	sm_make_end(thread, 1020);
	sm_make_end(thread, 1030);
	sm_make_begin(thread, 1060, SM_ROLE_OPERATION, "inner");
	sm_make_end(thread, 1090);
	sm_make_end(thread, 1100);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.operation_count, 3);
	assert_int_equal(operation(&model, "outer")->inclusive_ns, 100);
	assert_int_equal(operation(&model, "outer")->self_ns, 50);
	assert_string_equal(operation(&model, "outer")->type, "DATA_LOADING");
	assert_int_equal(operation(&model, "inner")->count, 2);
	assert_int_equal(operation(&model, "inner")->inclusive_ns, 50);
	assert_int_equal(operation(&model, "inner")->self_ns, 45);
	assert_int_equal(operation(&model, "inner")->first_ns, 1010);
	assert_int_equal(operation(&model, "inner")->last_ns, 1090);
	assert_int_equal(operation(&model, "leaf")->self_ns, 5);
	sm_model_finish(&model);
}

/* What is ours inside the program's run: an operation that is told apart by its type, each call with its place. */
static void interludes_are_kept_one_by_one(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	uint32_t ours = sm_make_name_bytes(
		process, SM_NAME_SPAN, SM_ROLE_OPERATION, "trial\0" SM_VOCABULARY_INTERLUDE, 16);
	sm_make_begin(thread, 1000, SM_ROLE_OPERATION, "epoch");
	for (int64_t at = 1010; at <= 1050; at += 40) {
		sm_make_begin_id(thread, at, ours);
		sm_make_end(thread, at + 30);
	}
	sm_make_end(thread, 1100);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.interlude_count, 2);
	assert_int_equal(model.interludes[1].begin_ns, 1050);
	assert_int_equal(model.interludes[1].end_ns, 1080);
	assert_int_equal(model.interludes[1].rank, model.processes[0].rank);
	assert_int_equal(operation(&model, "epoch")->self_ns, 40);
	sm_model_finish(&model);
}

/* The same name in two processes is one operation; ends without a begin and begins without an end count nothing. */
static void operations_of_processes_are_one_and_halves_are_none(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	for (int pid = 10; pid < 12; pid++) {
		struct sm_make_process *process =
			sm_make_process_add(run, &(struct sm_make_options){.pid = pid});
		struct sm_make_thread *thread = sm_make_thread_add(process, (uint32_t)pid);
		sm_make_end(thread, 900);
		sm_make_begin(thread, 1000, SM_ROLE_OPERATION, "work");
		sm_make_end(thread, 1007);
		sm_make_begin(thread, 1100, SM_ROLE_OPERATION, "work");
		sm_make_lost(thread, 1200, 5);
		sm_make_end(thread, 1300); /* of a begin that was lost */
	}
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.operation_count, 1);
	assert_int_equal(operation(&model, "work")->count, 2);
	assert_int_equal(operation(&model, "work")->inclusive_ns, 14);
	sm_model_finish(&model);
}

/* One worker, two batches of two samples; the numbers are in units of 1000 ns.
 *
 *     iterate 0..10, sends 0 (at 2) and 1 (at 3)
 *     worker  batch 0: 20..60 (fetch 8, transform 20, collate 12), batch 1: 60..100 (fetch 16, transform 20, collate 4)
 *     loop    next 10..70, step 70..90; next 90..110, step 110..140 (backward 12, optimizer 5, other 3) */
static struct training_batch two_batches[] = {
	{.worker = 0,
		.task = 0,
		.put = 2000,
		.start = 20000,
		.done = 60000,
		.arrive = 65000,
		.request = 10000,
		.deliver = 70000,
		.end = 90000,
		.fetch = 8000,
		.transform = 20000,
		.collate = 12000,
		.deserialize = 3000,
		.fetch_cpu = 6000},
	{.worker = 0,
		.task = 1,
		.put = 3000,
		.start = 60000,
		.done = 100000,
		.arrive = 106000,
		.request = 90000,
		.deliver = 110000,
		.end = 140000,
		.fetch = 16000,
		.transform = 20000,
		.collate = 4000,
		.deserialize = 1000,
		.backward = 12000,
		.optimizer = 5000,
		.other = 3000,
		.fetch_cpu = 4000,
		.fetch_input_blocks = 16},
};
static struct training_epoch one_epoch[] = {{0, 10000, 150000}};

static void make_two_batches(struct sm_model *model, bool workers_first)
{
	struct training training = {.workers = 1,
		.prefetch = 2,
		.samples = 2,
		.batches = two_batches,
		.count = 2,
		.epochs = one_epoch,
		.epoch_count = 1,
		.workers_first = workers_first,
		.loader_facts = "collate=default_collate\n"};
	strcpy(directory, "/tmp/stallmeter-model-XXXXXX");
	assert_non_null(mkdtemp(directory));
	training_make(&training, directory);
	read_run(model);
}

static void check_two_batches(const struct sm_model *model)
{
	assert_int_equal(model->loader_count, 1);
	const struct sm_loader *loader = &model->loaders[0];
	assert_string_equal(loader->name, "train");
	assert_string_equal(loader->collate, "default_collate");
	assert_int_equal(loader->num_workers, 1);
	assert_int_equal(loader->batch_count, 2);
	assert_int_equal(loader->worker_count, 1);
	assert_int_equal(loader->workers[0].batches, 2);
	assert_int_equal(loader->workers[0].busy_ns, 80000);
	assert_true(loader->trains);
	for (int i = 0; i < 2; i++) {
		const struct sm_batch *batch = &loader->batches[i];
		const struct training_batch *wrote = &two_batches[i];
		assert_int_equal(batch->task, i);
		assert_int_equal(batch->put_ns, wrote->put);
		assert_int_equal(batch->start_ns, wrote->start);
		assert_int_equal(batch->done_ns, wrote->done);
		assert_int_equal(batch->arrive_ns, wrote->arrive);
		assert_int_equal(batch->deserialize_ns, wrote->deserialize);
		assert_int_equal(batch->request_ns, wrote->request);
		assert_int_equal(batch->deliver_ns, wrote->deliver);
		assert_int_equal(batch->end_ns, wrote->end);
		assert_int_equal(batch->fetch_ns, wrote->fetch);
		assert_int_equal(batch->transform_ns, wrote->transform);
		assert_int_equal(batch->collate_ns, wrote->collate);
		assert_int_equal(batch->count, 2);
		assert_int_equal(batch->sample_count, 2);
		assert_float_equal(loader->samples[batch->sample_first].wall_s,
			(float)(wrote->fetch + wrote->transform) / 2e9, 1e-12);
	}
	assert_int_equal(loader->batches[0].forward_ns,
		-1); /* neither backward nor optimizer: all compute */
	assert_int_equal(loader->batches[0].other_ns, 0);
	assert_int_equal(loader->batches[1].forward_ns, 10000); /* 30 - 12 - 5 - 3 */
	assert_int_equal(loader->batches[1].backward_ns, 12000);
	assert_int_equal(loader->batches[1].optimizer_ns, 5000);
	assert_int_equal(loader->batches[1].other_ns, 3000);
	assert_int_equal(loader->epochs[0].last_end_ns, 140000);
	assert_int_equal(loader->epochs[0].end_ns, 150000);
	assert_true(loader->epochs[0].respawned);
	assert_int_equal(loader->transform_count, 1);
	assert_int_equal(loader->transforms[0].sum.count, 4);
	assert_int_equal(loader->transforms[0].sum.wall_ns, 40000);
	assert_string_equal(loader->slowest[0].index, "2");
	assert_int_equal(loader->slowest[0].wall_ns, 18000);
}

static void sides_are_joined_in_whatever_order_they_come(void **unused)
{
	(void)unused;
	for (int workers_first = 0; workers_first < 2; workers_first++) {
		struct sm_model model;
		make_two_batches(&model, workers_first);
		check_two_batches(&model);
		sm_model_finish(&model);
	}
}

/* Batch 1: each of two samples tells of 12 us of CPU in 18 us (2 of its fetch, 10 of its transform), and of 8 input blocks. The
 * transform told nothing, so the sample's cause is shared 8 : 10 by wall: CPU of fetch = 12 * 8/18 = 5.333 a sample,
 * blocked = 6 * 8/18 = 2.667, and since the sample read from storage, blocked on input. */
static void causes_are_split_between_a_span_and_those_in_it(void **unused)
{
	(void)unused;
	struct sm_model model;
	make_two_batches(&model, false);
	const struct sm_batch *batch = &model.loaders[0].batches[1];
	assert_int_equal(batch->fetch_cpu_ns, 2 * 5333);
	assert_int_equal(batch->fetch_input_ns, 2 * (8000 - 5333));
	assert_int_equal(batch->cpu_ns, 2 * (5333 + 6666) + 4000); /* and the collate, all CPU */
	const struct sm_cause_sum *fetch = &model.loaders[0].stage[SM_STAGE_FETCH];
	assert_int_equal(fetch->wall_ns, 24000);
	assert_int_equal(fetch->without_cause_wall_ns, 0);
	assert_int_equal(model.loaders[0].stage[SM_STAGE_TRANSFORM].wall_ns, 40000);
	assert_int_equal(model.loaders[0].stage[SM_STAGE_COLLATE].cpu_ns, 16000);
	sm_model_finish(&model);
}

/* A cumulative counter: 0, 1, 4 at 0 s, 1 s, 2 s is a rate of 1, then 3. A gauge stays as it is. */
static void counters_become_series(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	const double busy[] = {0, 1, 4};
	for (int i = 0; i < 3; i++) {
		sm_make_sample(run, (int64_t)i * 1000000000, SM_METRIC_PROC_CPU, 42, busy[i]);
		sm_make_sample(run, (int64_t)i * 1000000000, SM_METRIC_MEM_AVAILABLE, 0, 100 - i);
	}
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	const struct sm_series *cpu = sm_model_series(&model, SM_METRIC_PROC_CPU, 42);
	assert_non_null(cpu);
	assert_int_equal(cpu->count, 2);
	assert_float_equal(cpu->value[0], 1, 1e-12);
	assert_float_equal(cpu->value[1], 3, 1e-12);
	assert_float_equal(cpu->mean, 2, 1e-12);
	assert_float_equal(cpu->last - cpu->first, 4, 1e-12);
	const struct sm_series *memory = sm_model_series(&model, SM_METRIC_MEM_AVAILABLE, 0);
	assert_float_equal(memory->minimum, 98, 0);
	assert_float_equal(memory->mean, 99, 1e-12);
	assert_null(sm_model_series(&model, SM_METRIC_MEM_AVAILABLE, 1));
	sm_model_finish(&model);
}

static void long_series_are_thinned(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	for (int i = 0; i < 5000; i++) {
		sm_make_sample(
			run, (int64_t)i * 100000000, SM_METRIC_MEM_AVAILABLE, 0, i % 2 ? 10 : 20);
	}
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	const struct sm_series *memory = sm_model_series(&model, SM_METRIC_MEM_AVAILABLE, 0);
	assert_true(memory->count <= SM_MODEL_SERIES_POINTS &&
		    memory->count > SM_MODEL_SERIES_POINTS / 4);
	assert_float_equal(memory->mean, 15, 1e-9);
	for (size_t i = 1; i < memory->count; i++) {
		assert_true(memory->time_s[i] > memory->time_s[i - 1]);
		assert_float_equal(memory->value[i], 15, 1.1);
	}
	sm_model_finish(&model);
}

/* Of two nodes they come file by file; the collector began at 1 ns. */
static void alerts_are_in_order_of_time(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	sm_make_alert(run, 3000000001, "memory", false, 0.5, 0.8);
	sm_make_alert(run, 1000000001, "memory", true, 0.9, 0.8);
	sm_make_alert(run, 2000000001, "heat", true, 7, 6);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.alert_count, 3);
	assert_string_equal(model.alerts[1].kind, "heat");
	assert_true(model.alerts[0].begins && !model.alerts[2].begins);
	for (size_t i = 0; i < 3; i++) {
		assert_float_equal(model.alerts[i].time_s, (double)i + 1, 1e-6);
	}
	sm_model_finish(&model);
}

/* Two of the list are told by the process itself; what a user counts is not mistaken for one of them. */
static void what_a_process_counts_becomes_a_series(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	struct sm_make_process *process =
		sm_make_process_add(run, &(struct sm_make_options){.pid = 10});
	struct sm_make_thread *thread = sm_make_thread_add(process, 10);
	for (int i = 1; i <= 3; i++) {
		int64_t at = (int64_t)i * 1000000000;
		sm_make_counter(thread, at, "process.gpu_allocated", 100.0 * i);
		sm_make_counter(thread, at, "process.rss", 5);
		sm_make_counter(thread, at, "loss", 5);
	}
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_int_equal(model.series_count, 1);
	const struct sm_series *series = sm_model_series(&model, SM_METRIC_PROC_GPU_ALLOCATED, 10);
	assert_non_null(series);
	assert_int_equal(series->count, 3);
	assert_float_equal(series->mean, 200, 1e-9);
	assert_float_equal(series->time_s[2], 3, 1e-6);
	sm_model_finish(&model);
}

/* Times are since the collector began, also where nothing was recorded. */
static void without_events_times_are_since_the_run_began(void **unused)
{
	(void)unused;
	struct sm_make_run *run = new_run();
	sm_make_sample(run, 5000000001, SM_METRIC_MEM_AVAILABLE, 0, 1);
	sm_make_run_finish(run);
	struct sm_model model;
	read_run(&model);
	assert_float_equal(sm_model_series(&model, SM_METRIC_MEM_AVAILABLE, 0)->time_s[0], 5, 1e-6);
	assert_true(model.begin_ns == model.end_ns);
	sm_model_finish(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_know_inclusive_and_self_time),
		cmocka_unit_test(interludes_are_kept_one_by_one),
		cmocka_unit_test(operations_of_processes_are_one_and_halves_are_none),
		cmocka_unit_test(sides_are_joined_in_whatever_order_they_come),
		cmocka_unit_test(causes_are_split_between_a_span_and_those_in_it),
		cmocka_unit_test(counters_become_series),
		cmocka_unit_test(long_series_are_thinned),
		cmocka_unit_test(alerts_are_in_order_of_time),
		cmocka_unit_test(what_a_process_counts_becomes_a_series),
		cmocka_unit_test(without_events_times_are_since_the_run_began),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
