#include "report_samples.h"

#include "base/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS = 120, LANES = 5, SERIES = 24, BINS = SM_SKETCH_SUB * SM_SKETCH_OCTAVES };

struct sample {
	struct sm_report report;
	struct sm_model model;
	struct sm_analysis analysis;
	struct sm_findings findings;
	struct sm_loader loaders[2];
	struct sm_loader_analysis rows[2];
	struct sm_loader_model loader_models[2]; /* there, but never run */
	struct sm_transform transforms[4];
	struct sm_transform_row transform_rows[4];
	struct sm_worker workers[4];
	struct sm_finding items[4];
	struct sm_pair facts[16], notes[4], not_judged[2];
	struct sm_series series[SERIES];
	struct sm_lane lanes[LANES];
	struct sm_lane_part parts[LANES][2 * POINTS];
	struct sm_operation operations[2];
	struct sm_hot_line lines[3];
	struct sm_alert alerts[8];
	double at_s[POINTS], wall_s[POINTS], exposed_s[POINTS], transfer_s[POINTS], other_s[POINTS];
	double time_s[SERIES][POINTS], value[SERIES][POINTS];
};

/* The detectors' own words are under test with them; these stand in for any detector's. */
static const struct sm_detector slow_transform = {
	.id = "SM105",
	.type = "PREPROCESSING_BOTTLENECK",
	.title = "A transform is slow",
	.summary =
		"One transform takes so much of the workers' time that the training waits for it.",
	.causes = "",
	.evidence = "The transform's part of the critical path, and what the run would have taken "
		    "without it.",
	.fixes = "Make it cheaper; move it behind the batch; store its result.",
	.wrong = "On a machine whose CPUs are shared, another process may have made it slow.",
};
static const struct sm_detector few_workers = {
	.id = "SM102",
	.type = "INSUFFICIENT_WORKERS",
	.title = "Too few workers",
	.summary = "The workers are busy all the time while CPUs stand idle.",
	.causes = "",
	.evidence = "Workers' busy share, usable cores, and the simulated run with more workers.",
	.fixes = "Raise num_workers.",
	.wrong = "More workers need more memory and may wait for the same disk.",
};
static const struct sm_detector small_shm = {
	.id = "SM115",
	.type = "SHARED_MEMORY_LIMIT",
	.title = "Shared memory is small",
	.summary = "Batches in flight may not fit into /dev/shm.",
	.causes = "",
	.evidence = "Bytes of a batch times those in flight, against the size of /dev/shm.",
	.fixes = "Give the container more shared memory.",
	.wrong = "Batches that are small most of the time may fit.",
};
static const struct sm_detector slow_disk = {
	.id = "SM101", .type = "SLOW_DISK_IO", .title = "Storage is slow"};
static const struct sm_detector sampler_slow = {
	.id = "SM107", .type = "SAMPLER_OVERHEAD", .title = "The sampler is slow"};
static const struct sm_detector collate_slow = {
	.id = "SM108", .type = "COLLATE_FUNCTION_SLOW", .title = "The collate function is slow"};
static const struct sm_detector *passed[] = {&slow_disk, &sampler_slow, &collate_slow};

static double wobble(size_t i)
{
	return 0.12 * sin((double)i * 0.61) + 0.05 * sin((double)i * 2.3);
}

static void add_fact(struct sample *sample, const char *key, const char *value)
{
	sample->facts[sample->model.fact_count++] = (struct sm_pair){key, value};
}

static void add_stage(struct sm_loader_analysis *row, enum sm_stage stage, double share,
	double each_s, double cpu, double blocked)
{
	double wall_s = each_s * (double)row->steps, delay = 1 - cpu - blocked;
	row->stages[row->stage_count++] = (struct sm_stage_row){.stage = stage,
		.share = share,
		.wall_s = wall_s,
		.cpu_s = cpu * wall_s,
		.run_delay_s = delay < 1e-9 ? 0 : delay * wall_s,
		.blocked_s = blocked * wall_s,
		.p50_s = each_s * 0.9,
		.p99_s = each_s * 2.4,
		.count = row->steps};
}

static void add_series(
	struct sample *sample, int metric, int64_t instance, double level, double swing)
{
	size_t row = sample->model.series_count++;
	for (size_t i = 0; i < POINTS; i++) {
		sample->time_s[row][i] = 2.0 * (double)i;
		sample->value[row][i] = level + swing * wobble(i + 7 * row);
	}
	sample->series[row] = (struct sm_series){.metric = (uint16_t)metric,
		.instance = instance,
		.count = POINTS,
		.time_s = sample->time_s[row],
		.value = sample->value[row]};
}

static void add_all_series(struct sample *sample)
{
	for (int cpu = 0; cpu < 4; cpu++) {
		add_series(sample, SM_METRIC_CPU_USER, cpu, 0.86, 0.4);
		add_series(sample, SM_METRIC_CPU_SYSTEM, cpu, 0.06, 0.1);
		add_series(sample, SM_METRIC_CPU_IDLE, cpu, 0.08, -0.3);
	}
	for (int pid = 4711; pid < 4714; pid++) {
		add_series(sample, SM_METRIC_PROC_RSS, pid, 900e6, 40e6);
		add_series(sample, SM_METRIC_PROC_READ, pid, 12e6, 9e6);
	}
	add_series(sample, SM_METRIC_MEM_AVAILABLE, 0, 11e9, 1e9);
	add_series(sample, SM_METRIC_PRESSURE_IO_SOME, 0, 0.04, 0.06);
}

static void add_lanes(struct sample *sample, double load, double step_s)
{
	static const char *const names[LANES] = {
		"main", "train worker 0", "train worker 1", "train worker 2", "train worker 3"};
	for (size_t lane = 0; lane < LANES; lane++) {
		size_t count = 0;
		for (size_t i = 0; i < POINTS; i++) {
			double begin_s = step_s * (double)i * 12 + 0.1 * (double)lane;
			double length_s =
				step_s * 12 * (lane ? load : 1) * (0.85 + wobble(i + lane));
			double split_s = begin_s + 0.25 * length_s;
			sample->parts[lane][count++] = (struct sm_lane_part){
				begin_s, split_s, lane ? SM_STAGE_FETCH : SM_STAGE_H2D};
			sample->parts[lane][count++] = (struct sm_lane_part){split_s,
				begin_s + length_s, lane ? SM_STAGE_TRANSFORM : SM_STAGE_COMPUTE};
		}
		sample->lanes[lane] = (struct sm_lane){
			.name = names[lane], .count = count, .parts = sample->parts[lane]};
	}
	sample->model.lanes = sample->lanes;
	sample->model.lane_count = LANES;
}

static void set_steps(struct sample *sample, size_t count, double mean_s, double data, double copy)
{
	struct sm_steps *steps = &sample->analysis.steps;
	for (size_t i = 0; i < POINTS; i++) {
		double wall_s = mean_s * (1 + wobble(i)) + (i % 40 == 0 ? 3 * mean_s : 0);
		sample->at_s[i] = (double)i * mean_s * (double)count / POINTS;
		sample->wall_s[i] = wall_s;
		sample->exposed_s[i] = (i % 40 == 0 ? 0.7 : data * (1 + wobble(i + 3))) * wall_s;
		sample->transfer_s[i] = copy * mean_s;
		sample->other_s[i] = 0.02 * mean_s;
	}
	*steps = (struct sm_steps){.count = count,
		.warmup = 20,
		.mean_s = mean_s,
		.p50_s = mean_s * 0.97,
		.p95_s = mean_s * 1.2,
		.p99_s = mean_s * 1.9,
		.samples_per_s = 64 / mean_s,
		.wall_s = sample->wall_s,
		.exposed_s = sample->exposed_s,
		.transfer_s = sample->transfer_s,
		.other_s = sample->other_s,
		.at_s = sample->at_s,
		.point_count = POINTS};
}

static void set_verdict(struct sample *sample, enum sm_verdict_class class_, const char *sentence,
	double stall, double spread, double ceiling)
{
	sample->analysis.verdict = (struct sm_verdict){.class_ = class_,
		.sentence = sentence,
		.exposed_stall_share = stall,
		.exposed_low = stall - spread,
		.exposed_high = stall + spread,
		.hidden_wait_share = 0.021,
		.transfer_share = 0.018,
		.host_share = 0.02,
		.ceiling_speedup = ceiling};
}

static void set_transforms(struct sample *sample, struct sm_loader_analysis *row, double share)
{
	static const char *const names[] = {"RandomResizedCrop", "ColorJitter", "ToTensor"};
	static const char *const places[] = {"data/imagenet.py:88", "data/imagenet.py:89", ""};
	static const double part[] = {0.71, 0.24, 0.05};
	for (size_t i = 0; i < 3; i++) {
		sample->transforms[i] = (struct sm_transform){.name = names[i], .where = places[i]};
		sample->transform_rows[i] =
			(struct sm_transform_row){.transform = &sample->transforms[i],
				.wall_s = 400 * part[i],
				.cpu_s = 396 * part[i],
				.run_delay_s = 4 * part[i],
				.blocked_s = 0,
				.share = share * part[i],
				.calls = 105600};
	}
	row->transforms = sample->transform_rows;
	row->transform_count = 3;
}

static void set_workers(struct sample *sample, struct sm_loader *loader, double busy)
{
	for (int i = 0; i < 4; i++) {
		sample->workers[i] = (struct sm_worker){.index = i,
			.pid = 4711 + i,
			.started_ns = 1000000000,
			.ended_ns = 253000000000,
			.alive_ns = 252000000000,
			.busy_ns = (int64_t)(busy * 252e9) - (int64_t)i * 1000000000,
			.batches = 412,
			.cpu_ns = 240000000000 + i,
			.rss_bytes = 912680550 + i * 4096,
			.read_bytes = i == 3 ? -1 : 734003200};
	}
	loader->workers = sample->workers;
	loader->worker_count = 4;
}

static void set_loader(struct sample *sample, size_t at, const char *name, int num_workers)
{
	struct sm_loader *loader = &sample->loaders[at];
	*loader = (struct sm_loader){.ordinal = (int)at,
		.rank = -1,
		.name = name,
		.num_workers = num_workers,
		.batch_size = 64,
		.prefetch_factor = num_workers ? 2 : -1,
		.pin_memory = 0,
		.persistent_workers = 0,
		.in_order = 1,
		.start_method = num_workers ? "fork" : "",
		.dataset_kind = "map"};
	struct sm_loader_analysis *row = &sample->rows[at];
	*row = (struct sm_loader_analysis){.loader = loader,
		.model = &sample->loader_models[at],
		.steps = 1650,
		.time_s = sample->analysis.time_s,
		.wait_s = 80,
		.hidden_s = 5,
		.exposed_s = sample->analysis.verdict.exposed_stall_share * sample->analysis.time_s,
		.exposed_share = sample->analysis.verdict.exposed_stall_share,
		.exposed_low = sample->analysis.verdict.exposed_low,
		.exposed_high = sample->analysis.verdict.exposed_high,
		.ceiling_speedup = sample->analysis.verdict.ceiling_speedup};
	sample->model.loader_count = sample->analysis.loader_count = at + 1;
}

static void set_slowest(struct sm_loader *loader)
{
	static const char *const index[] = {"48213", "1207", "99120"};
	for (size_t i = 0; i < 3; i++) {
		loader->slowest[i] =
			(struct sm_slow_sample){index[i], 412000000 - (int64_t)i * 37000000};
	}
	loader->slowest_count = 3;
}

static void start(struct sample *sample, double time_s)
{
	struct sm_model *model = &sample->model;
	sample->analysis = (struct sm_analysis){.model = model,
		.time_s = time_s,
		.wall_s = time_s + 3.2,
		.begin_ns = 1000000000,
		.end_ns = 1000000000 + (int64_t)(time_s * 1e9),
		.loaders = sample->rows,
		.usable_cores = 4,
		.own_cpu_s = 0.98,
		.own_cpu_share = 0.98 / time_s};
	model->facts = sample->facts;
	model->notes = sample->notes;
	model->loaders = sample->loaders;
	model->series = sample->series;
	model->alerts = sample->alerts;
	model->operations = sample->operations;
	model->hot_lines = sample->lines;
	model->started_real_ns = 1767225600000000000;
	model->begin_ns = 0;
	model->end_ns = (int64_t)((time_s + 3.2) * 1e9);
	model->events = 1842017;
	model->complete = true;
	model->ranks = 1;
	sample->findings = (struct sm_findings){.items = sample->items,
		.passed = passed,
		.passed_count = 3,
		.not_judged = sample->not_judged};
	sample->report = (struct sm_report){&sample->model, &sample->analysis, &sample->findings,
		"stallmeter-train-20260101-000000"};
	add_fact(sample, "id", "5f0c3a9d");
	add_fact(sample, "name", "train.py");
	add_fact(sample, "command",
		"python\x1ftrain.py\x1f--epochs\x1f"
		"3");
	add_fact(sample, "level", "detailed");
	add_fact(sample, "host.cpus", "4");
	add_fact(sample, "host.cpus_usable", "4");
	add_fact(sample, "host.memory_bytes", "16777216000");
	add_fact(sample, "host.shm_bytes", "67108864");
}

static struct sm_finding *add_finding(
	struct sample *sample, const struct sm_detector *detector, double severity)
{
	struct sm_finding *finding = &sample->items[sample->findings.count++];
	*finding = (struct sm_finding){.detector = detector,
		.cause = "",
		.cause_detail = "",
		.severity = severity,
		.severity_low = severity - 0.008,
		.severity_high = severity + 0.007,
		.confidence = SM_CONFIDENCE_HIGH,
		.rank = -1,
		.loader = "train",
		.stage = SM_STAGE_TRANSFORM,
		.name = "",
		.file = ""};
	return finding;
}

static void add_evidence(
	struct sm_finding *finding, const char *metric, double value, const char *unit)
{
	finding->evidence[finding->evidence_count++] = (struct sm_evidence){metric, value, unit};
}

static void add_suggestion(struct sm_finding *finding, const char *text, const char *key,
	int64_t value, struct sm_interval speedup)
{
	struct sm_suggestion *suggestion = &finding->suggestions[finding->suggestion_count++];
	*suggestion = (struct sm_suggestion){.text = text, .speedup = speedup};
	if (key) {
		suggestion->changes[suggestion->change_count++] = (struct sm_change){key, value};
	}
}

static void add_transform_finding(struct sample *sample, const char *name, const char *file)
{
	struct sm_finding *finding = add_finding(sample, &slow_transform, 0.241);
	finding->cause = "CPU_INTENSIVE";
	finding->name = name;
	finding->file = file;
	finding->line = 88;
	add_evidence(finding, "transform_share", 0.71, "share");
	add_evidence(finding, "transform_cpu_share", 0.99, "share");
	add_evidence(finding, "worker_busy_share", 0.984, "share");
	add_evidence(finding, "transform_p99_s", 0.0121, "s");
	add_suggestion(finding,
		"Decode at reduced size before cropping, so that fewer pixels are resampled.", NULL,
		0, (struct sm_interval){1.22, 1.31, 1.38});
	add_suggestion(finding, "Run it on the GPU, behind the batch.", NULL, 0,
		(struct sm_interval){NAN, NAN, NAN});
}

static void add_worker_finding(struct sample *sample)
{
	struct sm_finding *finding = add_finding(sample, &few_workers, 0.113);
	finding->cause = "too_few_workers";
	finding->stage = SM_STAGE_COUNT;
	finding->confidence = SM_CONFIDENCE_MEDIUM;
	add_evidence(finding, "worker_busy_share", 0.984, "share");
	add_evidence(finding, "usable_cores", 4, "cores");
	add_suggestion(finding, "Raise num_workers from 4 to 6.", "num_workers", 6,
		(struct sm_interval){1.05, 1.12, 1.16});
}

static void add_risk(struct sample *sample)
{
	struct sm_finding *finding = add_finding(sample, &small_shm, NAN);
	finding->severity_low = finding->severity_high = NAN;
	finding->stage = SM_STAGE_COUNT;
	finding->loader = NULL;
	finding->risk = "A larger batch or one more worker ends the run with a bus error.";
	add_evidence(finding, "shm_free_bytes", 31457280, "bytes");
}

static void input_stages(struct sm_loader_analysis *row)
{
	add_stage(row, SM_STAGE_SAMPLER, 0.004, 0.0002, 0.99, 0);
	add_stage(row, SM_STAGE_FETCH, 0.11, 0.12, 0.61, 0.36);
	add_stage(row, SM_STAGE_TRANSFORM, 0.58, 0.62, 0.98, 0.01);
	add_stage(row, SM_STAGE_COLLATE, 0.041, 0.044, 0.97, 0.01);
	add_stage(row, SM_STAGE_TRANSPORT, 0.02, 0.005, 0.8, 0.1);
	add_stage(row, SM_STAGE_COMPUTE, 0.223, 0.098, NAN, NAN);
	add_stage(row, SM_STAGE_OTHER, 0.022, 0.006, 0.9, 0.1);
}

static void add_line(struct sample *sample, struct sm_hot_line line, double share)
{
	struct sm_hot_line *kept = &sample->lines[sample->model.hot_line_count++];
	*kept = line;
	sample->analysis.hot_lines[sample->analysis.hot_line_count++] =
		(struct sm_hot_row){kept, share};
}

static void add_lines(struct sample *sample)
{
	sample->model.stacks = (struct sm_stacks){.looks = 101202,
		.torn = 12,
		.has_interval = true,
		.shortest_s = 0.01,
		.longest_s = 0.02};
	add_line(sample,
		(struct sm_hot_line){.file = "/home/ada/train/data/imagenet.py",
			.function = "ImageNet.__getitem__",
			.calls = "Image.resize",
			.line = 88,
			.stage = SM_STAGE_FETCH,
			.wall_s = 380.5,
			.cpu_s = 371.2,
			.awake_s = 379,
			.in_call_s = 372,
			.looks = 38050},
		0.38);
	add_line(sample,
		(struct sm_hot_line){.file = "/home/ada/train/data/jitter.py",
			.function = "Jitter.__call__",
			.calls = "",
			.line = 31,
			.stage = SM_STAGE_TRANSFORM,
			.wall_s = 61,
			.cpu_s = 55,
			.awake_s = 58,
			.in_call_s = 12,
			.looks = 6100},
		0.061);
}

static void add_alert(struct sample *sample, double time_s, const char *kind, bool begins,
	double value, double threshold)
{
	sample->alerts[sample->model.alert_count++] = (struct sm_alert){.time_s = time_s,
		.kind = kind,
		.begins = begins,
		.value = value,
		.threshold = threshold};
}

/* Memory twice, the second time to the end of the run; CPU between. */
static void add_alerts(struct sample *sample)
{
	add_fact(sample, "watched",
		"memory=0.8\x1f"
		"cpu=0.95\x1fio=0.3");
	add_alert(sample, 41.2, "memory", true, 0.812, 0.8);
	add_alert(sample, 63.5, "cpu", true, 0.994, 0.95);
	add_alert(sample, 71.9, "memory", false, 0.655, 0.8);
	add_alert(sample, 90.25, "cpu", false, 0.5, 0.95);
	add_alert(sample, 200.1, "memory", true, 0.9, 0.8);
}

static void make_input_bound(struct sample *sample)
{
	start(sample, 252.45);
	set_verdict(sample, SM_VERDICT_INPUT_BOUND,
		"Training stands still for data 31.4 % of the time (95 % interval 30.6-32.3 %): 48 "
		"of 153 ms of a step.",
		0.314, 0.0085, 1.46);
	set_steps(sample, 1650, 0.153, 0.314, 0.018);
	set_loader(sample, 0, "train", 4);
	input_stages(&sample->rows[0]);
	set_transforms(sample, &sample->rows[0], 0.58);
	set_workers(sample, &sample->loaders[0], 0.98);
	set_slowest(&sample->loaders[0]);
	add_transform_finding(sample, "RandomResizedCrop", "data/imagenet.py");
	add_worker_finding(sample);
	add_risk(sample);
	add_lines(sample);
	add_all_series(sample);
	add_lanes(sample, 0.97, 0.153);
	add_alerts(sample);
	sample->notes[sample->model.note_count++] = (struct sm_pair){"gpu", "no NVML library"};
	sample->operations[sample->model.operation_count++] =
		(struct sm_operation){.name = "validation",
			.type = "CUSTOM",
			.count = 3,
			.inclusive_ns = 8200000000,
			.self_ns = 410000000};
}

static void make_compute_bound(struct sample *sample)
{
	start(sample, 252.45);
	set_verdict(sample, SM_VERDICT_COMPUTE_BOUND,
		"The training step takes the time; data is there when it is asked for (stall 0.4 "
		"%, at most 0.9 %).",
		0.004, 0.004, 1.004);
	set_steps(sample, 1650, 0.153, 0.004, 0.018);
	set_loader(sample, 0, "train", 4);
	struct sm_loader_analysis *row = &sample->rows[0];
	add_stage(row, SM_STAGE_FETCH, 0.002, 0.02, 0.61, 0.36);
	add_stage(row, SM_STAGE_TRANSFORM, 0.003, 0.06, 0.98, 0.01);
	add_stage(row, SM_STAGE_COMPUTE, 0.97, 0.148, NAN, NAN);
	add_stage(row, SM_STAGE_OTHER, 0.025, 0.004, 0.9, 0.1);
	set_transforms(sample, row, 0.003);
	set_workers(sample, &sample->loaders[0], 0.11);
	add_all_series(sample);
	add_lanes(sample, 0.2, 0.153);
}

static void make_cannot_tell(struct sample *sample)
{
	start(sample, 1.9);
	set_verdict(sample, SM_VERDICT_CANNOT_TELL, "Only 11 steps were seen, too few to judge.",
		0.2, 0.19, NAN);
	sample->analysis.verdict.missing =
		"a longer run: at least 20 steps after warm-up, better 200";
	sample->analysis.verdict.hidden_wait_share = NAN;
	set_steps(sample, 11, 0.17, 0.2, 0);
	sample->analysis.steps.warmup = 2;
	set_loader(sample, 0, "train", 0);
	sample->rows[0].steps = 11;
	add_stage(&sample->rows[0], SM_STAGE_FETCH, 0.2, 0.034, NAN, NAN);
	add_stage(&sample->rows[0], SM_STAGE_COMPUTE, 0.8, 0.136, NAN, NAN);
	sample->findings.passed_count = 0;
	sample->not_judged[sample->findings.not_judged_count++] =
		(struct sm_pair){"SM102", "too few steps to simulate"};
	sample->analysis.own_cpu_s = sample->analysis.own_cpu_share = NAN;
}

static void make_two_loaders(struct sample *sample)
{
	make_input_bound(sample);
	set_loader(sample, 1, "validation", 2);
	sample->rows[1].steps = 120;
	sample->rows[1].time_s = 9.4;
	sample->rows[1].exposed_share = 0.72;
	sample->rows[1].exposed_low = 0.66;
	sample->rows[1].exposed_high = 0.79;
	add_stage(&sample->rows[1], SM_STAGE_FETCH, 0.8, 0.06, 0.2, 0.7);
	add_stage(&sample->rows[1], SM_STAGE_COMPUTE, 0.2, 0.02, NAN, NAN);
}

static void make_incomplete(struct sample *sample)
{
	make_input_bound(sample);
	sample->model.complete = false;
	sample->model.events_lost = 20412;
	sample->analysis.own_cpu_s = sample->analysis.own_cpu_share = NAN;
}

static void make_gpu_async(struct sample *sample)
{
	start(sample, 252.45);
	set_verdict(sample, SM_VERDICT_PARTLY_INPUT_BOUND,
		"The GPU stands still for data 8 % of the time (95 % interval 6-11 %); another 41 "
		"% of waiting is hidden behind it.",
		0.081, 0.025, 1.088);
	sample->analysis.verdict.hidden_wait_share = 0.41;
	set_steps(sample, 1650, 0.153, 0.081, 0.06);
	sample->analysis.verdict.transfer_share = 0.06;
	set_loader(sample, 0, "train", 4);
	sample->loaders[0].pin_memory = sample->loaders[0].persistent_workers = 1;
	struct sm_loader_analysis *row = &sample->rows[0];
	add_stage(row, SM_STAGE_FETCH, 0.05, 0.12, 0.61, 0.36);
	add_stage(row, SM_STAGE_TRANSFORM, 0.09, 0.21, 0.98, 0.01);
	add_stage(row, SM_STAGE_PIN, 0.004, 0.003, 0.9, 0);
	add_stage(row, SM_STAGE_H2D, 0.062, 0.009, NAN, NAN);
	add_stage(row, SM_STAGE_LAUNCH, 0.011, 0.002, 0.99, 0);
	add_stage(row, SM_STAGE_COMPUTE, 0.763, 0.12, NAN, NAN);
	add_stage(row, SM_STAGE_OTHER, 0.02, 0.003, 0.99, 0);
	set_transforms(sample, row, 0.09);
	set_workers(sample, &sample->loaders[0], 0.74);
	add_worker_finding(sample);
	add_all_series(sample);
	add_series(sample, SM_METRIC_GPU_BUSY, 0, 0.9, 0.2);
	add_lanes(sample, 0.7, 0.153);
	add_fact(sample, "host.gpus", "NVIDIA H200\x1fNVIDIA H200");
}

/* Names come from other people's code, and a screen and a page believe what they are sent. */
static void make_hostile(struct sample *sample)
{
	static const char name[] =
		"</script><img src=x onerror=alert(1)>\x1b[2J\x07 | `code` *star* _under_ "
		"\xff\xe2\x80\xae "
		"averyveryverylongclassnamethatneverseemstocometoanendatallatallatall";
	make_two_loaders(sample);
	sample->facts[1].value = name;
	sample->facts[2].value = name;
	sample->loaders[0].name = "train <b>\"x\"</b> & 'y'";
	sample->transforms[0].name = name;
	sample->transforms[1].name =
		"\xe7\xb5\xb5\xe3\x82\x92\xe5\x8f\x8d\xe8\xbb\xa2\xe3\x81\x99\xe3\x82\x8b";
	sample->items[0].name = name;
	sample->items[0].file = "<!-- ]]> -->/../a\nb.py";
	sample->items[0].suggestions[0].text = name;
	sample->loaders[0].slowest[0].index = name;
	sample->notes[0].value = name;
	sample->lanes[1].name = name;
	sample->operations[0].name = name;
	sample->lines[0].file = sample->lines[0].function = sample->lines[1].calls = name;
	sample->alerts[0].kind = name;
	sample->report.trace_path = name;
}

static void make_empty(struct sample *sample)
{
	start(sample, NAN);
	sample->model = (struct sm_model){.ranks = 1};
	sample->analysis = (struct sm_analysis){.model = &sample->model,
		.time_s = NAN,
		.wall_s = NAN,
		.training_loader = -1,
		.usable_cores = NAN,
		.own_cpu_s = NAN,
		.own_cpu_share = NAN};
	set_verdict(sample, SM_VERDICT_CANNOT_TELL, "No DataLoader was seen.", NAN, NAN, NAN);
	sample->analysis.verdict.missing =
		"a training loop over a torch DataLoader in the recorded command";
	sample->analysis.verdict.hidden_wait_share = sample->analysis.verdict.transfer_share =
		sample->analysis.verdict.host_share = NAN;
	struct sm_steps *steps = &sample->analysis.steps;
	steps->mean_s = steps->p50_s = steps->p95_s = steps->p99_s = steps->samples_per_s = NAN;
	sample->findings = (struct sm_findings){0};
}

static const struct maker {
	const char *name;
	void (*make)(struct sample *sample);
} makers[] = {
	{"input_bound", make_input_bound},
	{"compute_bound", make_compute_bound},
	{"cannot_tell", make_cannot_tell},
	{"two_loaders", make_two_loaders},
	{"incomplete", make_incomplete},
	{"gpu_async", make_gpu_async},
	{"hostile", make_hostile},
	{"empty", make_empty},
};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

const char *const report_sample_names[] = {"input_bound", "compute_bound", "cannot_tell",
	"two_loaders", "incomplete", "gpu_async", "hostile", "empty"};
const int report_sample_count = MAKERS;

const struct sm_report *report_sample(const char *name)
{
	static struct sample samples[MAKERS];
	for (size_t i = 0; i < MAKERS; i++) {
		if (strcmp(makers[i].name, name) == 0) {
			if (!samples[i].report.model) {
				makers[i].make(&samples[i]);
			}
			return &samples[i].report;
		}
	}
	return NULL;
}
