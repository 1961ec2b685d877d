/* From an event to the file that is kept: CPU and bytes.
 *
 * CPU. Spans are recorded as fast as can be and drained into a `.stall` file as the process beside a job does it, here
 * on the same thread, so that the thread's CPU time holds everything: events, first touch of the pages, checksums, drain,
 * write(2), index. (Writing dirty pages to the disk is the kernel's, in its own time.) Packing, which happens once behind
 * the end of the job, is told apart. In turns with the reference of c_span.c.
 *
 *     reference_ns total_cpu_ns              per pair of begin and end
 *     pack_cpu_ns                            per pair, behind the end
 *
 * Bytes. Nested spans, at most six deep, of some fifty names, a few of them common at each depth as in a program; a span
 * works for a log-normal time of its own, then has its children, and returns within nanoseconds. Median 20 us (live,
 * archived) and 150 ns (fine_...). The clock is a false one, so the times are the same on every machine.
 *
 *     events live_bytes archived_bytes       fine_events fine_live_bytes fine_archived_bytes */
#include "base/clock.h"
#include "ring/ring_clock.h"
#include "ring/ring_reader.h"
#include "trace/trace_writer.h"

#include <stallmeter/inline.h>
#include <stallmeter/stallmeter.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS = 30,
	PAIRS = 100 * 1000, /* a round, some twelve slots */
	EVENTS = 16 * 1000 * 1000,
	DEPTH = 6,
	NAMES_AT_DEPTH = 8,
	NAMES = DEPTH * NAMES_AT_DEPTH,
	REFERENCE_EVENTS = 64 * 1024,
};

static char directory[] = "/tmp/sm-c-file-XXXXXX";
static uint32_t names[NAMES];

static void say(const char *prefix, const char *what, double value, const char *unit)
{
	printf("%s%s %.3f %s\n", prefix, what, value, unit);
}

static double cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double file_bytes(const char *path)
{
	struct stat st;
	return stat(path, &st) ? 0 : (double)st.st_size;
}

/* --- the collector's part --- */

struct drain {
	struct sm_ring_reader reader;
	struct sm_trace_writer *writer;
	uint32_t process;
	char path[128];
};

static int keep_names(void *context, const struct sm_ring_header *header, const void *entries,
	size_t bytes, uint64_t count)
{
	struct drain *drain = context;
	return sm_trace_writer_names(drain->writer, drain->process, entries, bytes, count);
}

static int keep_segment(void *context, const struct sm_ring_header *header,
	const struct sm_ring_segment *segment, const void *words, size_t bytes)
{
	struct drain *drain = context;
	return sm_trace_writer_segment(
		drain->writer, drain->process, header, segment, words, bytes);
}

static int drain_now(struct drain *drain, enum sm_ring_drain what)
{
	struct sm_ring_sink sink = {.context = drain, .segment = keep_segment, .names = keep_names};
	return sm_ring_reader_drain(&drain->reader, what, &sink);
}

static int start_drain(struct drain *drain)
{
	struct sm_trace_writer_options options = {.rank = -1, .run_id = "bench"};
	*drain = (struct drain){.reader = SM_RING_READER_EMPTY};
	snprintf(drain->path, sizeof(drain->path), "%s/rank0.stall", directory);
	int error = sm_ring_reader_open(&drain->reader, sm_session_path(), true, NULL);
	error = error ? error : sm_trace_writer_create(drain->path, &options, &drain->writer, NULL);
	return error ? error
		     : sm_trace_writer_process(
			       drain->writer, &drain->reader.header, &drain->process);
}

static int finish_drain(struct drain *drain)
{
	int error = drain_now(drain, SM_RING_DRAIN_ALL);
	error = error ? error : sm_trace_writer_finish(drain->writer, NULL);
	sm_trace_writer_destroy(drain->writer);
	sm_ring_reader_close(&drain->reader);
	return error;
}

/* --- CPU --- */

static struct reference_event {
	uint64_t ticks, what;
} reference_ring[REFERENCE_EVENTS];

static double time_reference(void)
{
	double from = cpu_ns();
	for (size_t i = 0; i < 2 * PAIRS; i++) {
		reference_ring[i % REFERENCE_EVENTS] =
			(struct reference_event){sm_inline_ticks(), i};
		__asm__ volatile("" ::"r"(reference_ring) : "memory"); /* as in c_span.c */
	}
	return cpu_ns() - from;
}

static void record_round(void)
{
	for (int i = 0; i < PAIRS; i++) {
		sm_inline_begin(names[0]);
		sm_inline_end();
	}
}

static int measure_cpu(void)
{
	struct sm_session_options options = {.directory = directory, .rank = -1};
	struct drain drain;
	double reference = 0, total = 0, pack;
	int error = sm_session_start(&options);
	names[0] = sm_name_register(SM_SPAN, "bench");
	error = error ? error : start_drain(&drain);
	for (int i = 0; i < ROUNDS && !error; i++) {
		reference += time_reference();
		double from = cpu_ns();
		record_round();
		error = drain_now(&drain, SM_RING_DRAIN_SEALED);
		total += cpu_ns() - from;
	}
	double from = cpu_ns();
	error = error ? error : finish_drain(&drain);
	total += cpu_ns() - from;
	from = cpu_ns();
	error = error ? error : sm_trace_writer_pack(drain.path, NULL);
	pack = cpu_ns() - from;
	error = error || sm_session_lost();
	unlink(sm_session_path());
	unlink(drain.path);
	sm_session_stop();
	if (!error) {
		say("", "reference_ns", reference / ROUNDS / PAIRS, "ns");
		say("", "total_cpu_ns", total / ROUNDS / PAIRS, "ns");
		say("", "pack_cpu_ns", pack / ROUNDS / PAIRS, "ns");
	}
	return error;
}

/* --- bytes --- */

static uint64_t random_state = 1;

static double random_share(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static int64_t random_ns(double median_ns, double sigma)
{
	double normal = sqrt(-2 * log(random_share())) * cos(6.283185307179586 * random_share());
	return (int64_t)(median_ns * exp(sigma * normal)) + 1;
}

struct workload {
	double median_ns, sigma;
	int64_t now_ns;
	int events_left;
};

static void pass(struct workload *workload, int64_t ns)
{
	workload->now_ns += ns;
	sm_clock_pretend(workload->now_ns, workload->now_ns);
	workload->events_left--;
}

/* Half of a depth's spans have its first name, a quarter the second, and so on. */
static uint32_t name_at(int depth)
{
	int rank = (int)(-log2(random_share()));
	return names[depth * NAMES_AT_DEPTH + (rank < NAMES_AT_DEPTH ? rank : NAMES_AT_DEPTH - 1)];
}

static void record_tree(struct workload *workload, int depth)
{
	sm_span_begin(name_at(depth));
	pass(workload, random_ns(workload->median_ns, workload->sigma));
	int children = depth + 1 < DEPTH ? (int)(random_share() * 4) : 0;
	for (int i = 0; i < children && workload->events_left > 0; i++) {
		record_tree(workload, depth + 1);
	}
	sm_span_end();
	pass(workload, 20 + (int64_t)(random_share() * 20));
}

static int record_workload(double median_ns, double sigma)
{
	struct workload workload = {median_ns, sigma, 1000000000, EVENTS};
	while (workload.events_left > 0) {
		record_tree(&workload, 0);
	}
	return EVENTS - workload.events_left;
}

static int measure_bytes(const char *prefix, double median_ns, double sigma)
{
	struct sm_session_options options = {.directory = directory,
		.rank = -1,
		.limit_bytes = (uint64_t)256 << 20,
		.cause_threshold_us = -1};
	struct drain drain;
	sm_clock_pretend(1000000000, 1000000000);
	int error = sm_session_start(&options);
	for (int i = 0; i < NAMES; i++) {
		char text[32];
		snprintf(text, sizeof(text), "transform %d", i);
		names[i] = sm_name_register(SM_SPAN, text);
	}
	int events = record_workload(median_ns, sigma);
	double live = file_bytes(sm_session_path());
	error = error ? error : start_drain(&drain);
	error = error ? error : finish_drain(&drain);
	error = error ? error : sm_trace_writer_pack(drain.path, NULL);
	error = error || sm_session_lost();
	if (!error) {
		say(prefix, "events", events, "events");
		say(prefix, "live_bytes", live, "bytes");
		say(prefix, "archived_bytes", file_bytes(drain.path), "bytes");
	}
	unlink(sm_session_path());
	unlink(drain.path);
	sm_session_stop();
	return error;
}

int main(void)
{
	if (!mkdtemp(directory)) {
		return 1;
	}
	int error = measure_cpu();
	sm_ring_clock_distrust(true);
	error = error ? error : measure_bytes("", 20000, 1.5);
	error = error ? error : measure_bytes("fine_", 150, 0.9);
	rmdir(directory);
	if (error) {
		fprintf(stderr, "c_file: %s\n",
			error < 0 ? sm_error_text(error) : "events were lost");
	}
	return error != 0;
}
