/* What a begin and an end cost in C.
 *
 * The measure is "two time stamps and two stores of 16 bytes into a ring of one mebibyte": no tracer that keeps both times
 * can be cheaper. It runs in turns with what is compared to it, chunk by chunk on the same thread, and every figure is
 * the median over the chunks of one run, in CPU time of the thread, so that other work on the machine is kept out.
 *
 * A chunk is an eighth of a slot: its median is the bare event. What a new slot costs (storage, first touch, the
 * checksum of the old one) is in `inline_mean_ns`, and with the drain and the file behind it in c_file. With chunks twice
 * as long a slot began in every fourth, and where the machine was noisy the median lay in what those pushed up.
 *
 *     reference_ns inline_ns library_ns      per pair, all memory warm
 *     inline_mean_ns                         the mean of the same chunks, new slots included
 *     one_thread_ns two_threads_ns           per pair and thread, alone and side by side
 *     cause_ns                               a pair that carries its cause
 *     idle_ns                                a pair without a session
 *     first_event_of_child_ns                of a forked process: file, slots and names */
#include <stallmeter/inline.h>
#include <stallmeter/stallmeter.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CHUNKS = 800,
	PAIRS = 1000, /* in a chunk */
	REFERENCE_BYTES = 1024 * 1024,
	CHILDREN = 15,
};

static uint32_t name;

/* --- time --- */

static double clock_ns(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), compare);
	return values[count / 2];
}

static double mean(const double *values, int count)
{
	double sum = 0;
	for (int i = 0; i < count; i++) {
		sum += values[i];
	}
	return sum / count;
}

static double time_per_pair(void (*chunk)(void))
{
	double from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	chunk();
	return (clock_ns(CLOCK_THREAD_CPUTIME_ID) - from) / PAIRS;
}

static void say(const char *what, double value, const char *unit)
{
	printf("%s %.3f %s\n", what, value, unit);
}

/* --- what is compared --- */

struct reference_event {
	uint64_t ticks, what;
};

static struct reference_event reference_ring[REFERENCE_BYTES / sizeof(struct reference_event)];
static uint64_t reference_at;

static inline void store_reference(uint64_t what)
{
	uint64_t at = reference_at++ % (REFERENCE_BYTES / sizeof(struct reference_event));
	reference_ring[at] = (struct reference_event){sm_inline_ticks(), what};
	/* somebody may look at the ring: nobody does, and without this the compiler left the stores out */
	__asm__ volatile("" ::"r"(reference_ring) : "memory");
}

static __attribute__((noinline)) void reference_chunk(void)
{
	for (int i = 0; i < PAIRS; i++) {
		store_reference(name);
		store_reference(0);
	}
}

static __attribute__((noinline)) void inline_chunk(void)
{
	for (int i = 0; i < PAIRS; i++) {
		sm_inline_begin(name);
		sm_inline_end();
	}
}

static __attribute__((noinline)) void library_chunk(void)
{
	for (int i = 0; i < PAIRS; i++) {
		sm_span_begin(name);
		sm_span_end();
	}
}

static __attribute__((noinline)) void cause_chunk(void)
{
	for (int i = 0; i < PAIRS / 20; i++) {
		sm_span_begin_cause(name);
		sm_span_end();
	}
}

/* --- one thread --- */

static void measure_pairs(void)
{
	static double reference[CHUNKS], inlined[CHUNKS], library[CHUNKS], cause[CHUNKS / 10];
	inline_chunk(); /* the name leaves its probation */
	for (int i = 0; i < CHUNKS; i++) {
		reference[i] = time_per_pair(reference_chunk);
		inlined[i] = time_per_pair(inline_chunk);
		library[i] = time_per_pair(library_chunk);
		if (i % 10 == 0) {
			cause[i / 10] = time_per_pair(cause_chunk) * 20;
		}
	}
	say("inline_mean_ns", mean(inlined, CHUNKS), "ns");
	say("reference_ns", median(reference, CHUNKS), "ns");
	say("inline_ns", median(inlined, CHUNKS), "ns");
	say("library_ns", median(library, CHUNKS), "ns");
	say("cause_ns", median(cause, CHUNKS / 10), "ns");
}

/* --- two threads --- */

static struct {
	pthread_barrier_t gate;
	int stop;
} side;

static void *run_beside(void *unused)
{
	for (;;) {
		pthread_barrier_wait(&side.gate);
		if (side.stop) {
			return NULL;
		}
		inline_chunk();
		pthread_barrier_wait(&side.gate);
	}
}

static double time_side_by_side(void)
{
	pthread_barrier_wait(&side.gate);
	double ns = time_per_pair(inline_chunk);
	pthread_barrier_wait(&side.gate);
	return ns;
}

static void measure_two_threads(void)
{
	static double alone[CHUNKS], together[CHUNKS];
	pthread_t thread;
	pthread_barrier_init(&side.gate, NULL, 2);
	if (pthread_create(&thread, NULL, run_beside, NULL)) {
		return;
	}
	for (int i = 0; i < CHUNKS; i++) {
		alone[i] = time_per_pair(inline_chunk);
		together[i] = time_side_by_side();
	}
	side.stop = 1;
	pthread_barrier_wait(&side.gate);
	pthread_join(thread, NULL);
	say("one_thread_ns", median(alone, CHUNKS), "ns");
	say("two_threads_ns", median(together, CHUNKS), "ns");
}

/* --- children --- */

static double time_first_event(void)
{
	int ends[2];
	double ns = 0;
	if (pipe(ends)) {
		return 0;
	}
	pid_t pid = fork();
	if (!pid) {
		double from = clock_ns(CLOCK_MONOTONIC);
		sm_span_begin(name);
		ns = clock_ns(CLOCK_MONOTONIC) - from;
		ssize_t written = write(ends[1], &ns, sizeof(ns));
		unlink(sm_session_path());
		_exit(written != sizeof(ns));
	}
	ssize_t got = read(ends[0], &ns, sizeof(ns));
	waitpid(pid, NULL, 0);
	close(ends[0]);
	close(ends[1]);
	return got == sizeof(ns) ? ns : 0;
}

static void measure_children(void)
{
	double first[CHILDREN];
	char text[32];
	for (int i = 0; i < 50; i++) { /* as many names as a job has */
		snprintf(text, sizeof(text), "transform %d", i);
		sm_name_register(SM_SPAN, text);
	}
	for (int i = 0; i < CHILDREN; i++) {
		first[i] = time_first_event();
	}
	say("first_event_of_child_ns", median(first, CHILDREN), "ns");
}

static void measure_idle(void)
{
	double idle[CHUNKS / 10];
	for (int i = 0; i < CHUNKS / 10; i++) {
		idle[i] = time_per_pair(inline_chunk);
	}
	say("idle_ns", median(idle, CHUNKS / 10), "ns");
}

int main(void)
{
	char directory[] = "/tmp/sm-c-span-XXXXXX";
	if (!mkdtemp(directory)) {
		return 1;
	}
	struct sm_session_options options = {
		.directory = directory, .rank = -1, .limit_bytes = (uint64_t)256 << 20};
	name = 1;
	measure_idle();
	if (sm_session_start(&options)) {
		fprintf(stderr, "c_span: no session in %s\n", directory);
		rmdir(directory);
		return 1;
	}
	name = sm_name_register(SM_SPAN, "bench");
	measure_pairs();
	measure_two_threads();
	measure_children();
	int lost = sm_session_lost() != 0;
	unlink(sm_session_path());
	sm_session_stop();
	rmdir(directory);
	if (lost) {
		fprintf(stderr, "c_span: events were lost, so the figures say nothing\n");
	}
	return lost;
}
