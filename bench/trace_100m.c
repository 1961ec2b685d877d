/* What a trace costs per event, from the mapping to the visitor, on a workload of nested spans: 50 names, at most 6
 * deep, log-normal self times with a median of 150 ns, as recorded by a 2.3 GHz time stamp counter.
 *
 *     trace_100m [EVENTS [DIRECTORY]]     100000000 events in a directory under /tmp
 *
 * Prints lines `name value unit`. What it writes (some 600 MB for 100 million events) it removes again. */
#include "analyze/analysis.h"
#include "base/err.h"
#include "detect/detect.h"
#include "make/sm_make.h"
#include "model/model.h"
#include "predict/loader_model.h"
#include "ring/ring_reader.h"
#include "trace/trace_reader.h"
#include "trace/trace_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	NAMES = 50,
	DEPTH_MAX = 6,
	GAPS = 4096,
	RING_EVENTS = 8 * 1000 * 1000,
	RUNS = 5, /* of the readings; the median is printed */
};

static void must(int code, const char *what)
{
	if (code) {
		fprintf(stderr, "trace_100m: %s: %s\n", what, sm_error_text(code));
		exit(1);
	}
}

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
	const double *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* --- the workload --- */

static uint64_t seed = 88172645463325252U;
static uint32_t gaps_ns[GAPS];
static uint32_t ids[NAMES];

static uint32_t chance(void)
{
	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(seed >> 33);
}

static void make_gaps(void)
{
	for (int i = 0; i < GAPS; i++) {
		double u = (chance() + 1.0) / 2147483649.0, v = chance() / 2147483648.0;
		double normal = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
		gaps_ns[i] = (uint32_t)(150 * exp(0.9 * fmin(normal, 5)));
	}
}

struct work {
	struct sm_make_thread *thread;
	int64_t time_ns;
	uint64_t left; /* spans */
};

/* Skewed: each depth has seven names of its own, the first half of the time. Two are rare. */
static uint32_t name_at(int depth)
{
	uint32_t bits = chance();
	int place = depth * 7 + __builtin_ctz((bits & 63) | 64);
	place = (bits & 0xff000) == 0 ? 48 + (int)(bits & 1) : place;
	return ids[place < NAMES ? place : NAMES - 1];
}

static void spend(struct work *work)
{
	uint32_t gap = gaps_ns[chance() & (GAPS - 1)];
	work->time_ns += gap + (gap * (chance() & 255) >> 11);
}

static void do_span(struct work *work, int depth)
{
	work->left--;
	sm_make_begin_id(work->thread, work->time_ns, name_at(depth));
	spend(work);
	int children = depth < DEPTH_MAX - 1 ? (int)(chance() % 4) + (depth ? 0 : 4) : 0;
	while (children-- && work->left) {
		do_span(work, depth + 1);
	}
	spend(work);
	sm_make_end(work->thread, work->time_ns);
}

static void fill(struct sm_make_process *process, uint64_t events)
{
	struct work work = {
		.thread = sm_make_thread_add(process, 1), .time_ns = 1000000, .left = events / 2};
	for (int i = 0; i < NAMES; i++) {
		char name[16];
		snprintf(name, sizeof(name), "span %d", i);
		ids[i] = sm_make_name(process, SM_NAME_SPAN, SM_ROLE_OPERATION, name);
	}
	while (work.left) {
		do_span(&work, 0);
	}
}

static const struct sm_make_options counter = {
	.ns_per_tick = 1 / 2.3, .tick_shift = 1, .opened_ns = 1000};

/* --- from the mapping to the file: what the collector does --- */

struct collecting {
	struct sm_trace_writer *writer;
	uint32_t process;
	bool began;
	uint64_t bytes;
};

static int collect_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct collecting *to = context;
	to->bytes += bytes + sizeof(*segment);
	return sm_trace_writer_segment(to->writer, to->process, header, segment, words, bytes);
}

static int collect_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct collecting *to = context;
	if (!to->began) {
		must(sm_trace_writer_process(to->writer, header, &to->process), "process");
		to->began = true;
	}
	return sm_trace_writer_names(to->writer, to->process, entries, bytes, count);
}

static void measure_collecting(const char *directory)
{
	char ring_path[512], path[512];
	snprintf(ring_path, sizeof(ring_path), "%s/bench.ring", directory);
	snprintf(path, sizeof(path), "%s/collected.stall", directory);
	struct sm_make_process *ring = sm_make_ring_create(ring_path, &counter);
	fill(ring, RING_EVENTS);
	sm_make_ring_finish(ring, true);
	struct collecting collecting = {0};
	struct sm_trace_writer_options options = {.run_id = "bench"};
	struct sm_ring_sink sink = {
		.context = &collecting, .segment = collect_segment, .names = collect_names};
	struct sm_ring_reader reader;
	must(sm_trace_writer_create(path, &options, &collecting.writer, NULL), path);
	must(sm_ring_reader_open(&reader, ring_path, true, NULL), ring_path);
	double before = cpu_s();
	must(sm_ring_reader_drain(&reader, SM_RING_DRAIN_ALL, &sink), "drain");
	double spent = cpu_s() - before;
	sm_ring_reader_close(&reader);
	sm_trace_writer_destroy(collecting.writer);
	printf("trace_collect %.2f ns/event\n", spent * 1e9 / RING_EVENTS);
	printf("trace_live %.3f bytes/event\n", (double)collecting.bytes / RING_EVENTS);
	unlink(ring_path);
	unlink(path);
}

/* --- from the file to the visitor --- */

static uint64_t made_events;

struct counting {
	uint64_t events;
	int64_t last_ns;
};

static int count_events(void *context, const struct sm_trace_events *events)
{
	struct counting *counting = context;
	counting->events += events->count;
	counting->last_ns = events->time_ns[events->count - 1];
	return 0;
}

/* CPU: other programs on the machine are not what is measured. */
static double read_once(const char *path)
{
	struct counting counting = {0};
	struct sm_trace_visitor visitor = {.context = &counting, .events = count_events};
	double before = cpu_s();
	must(sm_trace_reader_visit(path, &visitor, NULL, NULL), path);
	double spent = cpu_s() - before;
	if (counting.events != made_events) {
		must(-SM_ERR_TORN, "events are missing");
	}
	return spent;
}

/* All that a report needs, but for its words. */
static double judge_once(const char *path)
{
	struct sm_model model = {0};
	struct sm_analysis analysis = {0};
	struct sm_findings findings = {0};
	double before = cpu_s();
	must(sm_model_build(&model, path, NULL, NULL), "model");
	must(sm_analysis_build(&analysis, &model, NULL), "analysis");
	must(sm_loader_model_attach(&analysis), "loader model");
	must(sm_detect_run(&analysis, &findings), "detectors");
	double spent = cpu_s() - before;
	sm_model_finish(&model);
	return spent;
}

static double median(const char *path, double (*once)(const char *path))
{
	double spent[RUNS];
	for (int i = 0; i < RUNS; i++) {
		spent[i] = once(path);
	}
	qsort(spent, RUNS, sizeof(spent[0]), compare_doubles);
	return spent[RUNS / 2];
}

static double bytes_of(const char *path)
{
	struct stat st;
	return stat(path, &st) ? 0 : (double)st.st_size;
}

static void measure_reading(const char *directory, uint64_t events)
{
	char run_path[512], path[512];
	snprintf(run_path, sizeof(run_path), "%s/run", directory);
	snprintf(path, sizeof(path), "%s/run/rank0.stall", directory);
	struct sm_make_run *run = sm_make_run_create(run_path);
	made_events = events;
	fill(sm_make_process_add(run, &counter), events);
	sm_make_run_finish(run);
	printf("trace_raw %.3f bytes/event\n", bytes_of(path) / (double)events);
	printf("trace_read_raw %.3f s\n", median(path, read_once));
	double before = cpu_s();
	must(sm_trace_writer_pack(path, NULL), "pack");
	printf("trace_pack %.2f ns/event\n", (cpu_s() - before) * 1e9 / (double)events);
	printf("trace_archived %.3f bytes/event\n", bytes_of(path) / (double)events);
	printf("trace_read_packed %.3f s\n", median(path, read_once));
	printf("verdict_s %.3f s\n", median(path, judge_once));
	unlink(path);
	rmdir(run_path);
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) / 2 * 2 : 100000000;
	char own[] = "/tmp/sm-bench-XXXXXX";
	const char *directory = argc > 2 ? argv[2] : mkdtemp(own);
	struct rusage usage;
	if (!directory || events < 2) {
		fprintf(stderr, "usage: trace_100m [EVENTS [DIRECTORY]]\n");
		return 2;
	}
	make_gaps();
	measure_collecting(directory);
	measure_reading(directory, events);
	getrusage(RUSAGE_SELF, &usage);
	printf("peak_mb %.1f MB\n", (double)usage.ru_maxrss / 1000);
	if (argc <= 2) {
		rmdir(directory);
	}
	return 0;
}
