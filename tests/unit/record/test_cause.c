/* Spans that carry their cause: which do, and whether it is the right one. */
#include "recording.h"

#include "base/clock.h"
#include "record/cause.h"
#include "record/name.h"
#include "record/thread.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void spin(int64_t ns)
{
	for (int64_t until = sm_clock_mono_ns() + ns; sm_clock_mono_ns() < until;) {
	}
}

static struct sm_ring_cause cause_of(void (*body)(void))
{
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "body");
	sm_span_begin_cause(name);
	body();
	sm_span_end();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->causes_of[name], 1);
	struct sm_ring_cause cause = oracle->last_cause;
	int64_t wall_ns = oracle->wall_ns_of[name];
	assert_int_equal(cause.missing & SM_CAUSE_NO_THREAD_CPU, 0);
	assert_true((int64_t)cause.cpu_ns < wall_ns + 1000000);
	/* preempted between the reading and the edge, the wait is counted though it lies outside */
	assert_true((int64_t)(cause.cpu_ns + cause.run_delay_ns) < wall_ns + 50000000);
	assert_true(cause.thread_cpu_ns >= cause.cpu_ns);
	assert_true(cause.thread_run_delay_ns >= cause.run_delay_ns);
	oracle_free(oracle);
	return cause;
}

/* By its own clock: of the wall's, a hypervisor takes a part that no counter of the thread has. */
static void spin_a_while(void)
{
	struct timespec now, until;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &until);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - until.tv_sec) * 1000000000 + now.tv_nsec - until.tv_nsec < 20000000);
}

static void sleep_a_while(void)
{
	usleep(20000);
}

static void touch_pages(void)
{
	enum { PAGES = 512, PAGE = 4096 };
	char *pages = mmap(
		NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(pages, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < PAGES; i++) {
		pages[i * PAGE] = 1;
	}
	munmap(pages, PAGES * PAGE);
}

static void *spin_in_thread(void *unused)
{
	spin_a_while();
	return NULL;
}

static void spin_by_proxy(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, spin_in_thread, NULL);
	pthread_join(thread, NULL);
}

static void the_cause_follows_the_body(void **state)
{
	struct sm_ring_cause busy = cause_of(spin_a_while);
	assert_true(busy.cpu_ns >= 20000000);
	struct sm_ring_cause asleep = cause_of(sleep_a_while);
	assert_true(asleep.cpu_ns < 5000000);
	assert_true(asleep.voluntary_switches >= 1);
	struct sm_ring_cause touching = cause_of(touch_pages);
	assert_true(touching.minor_faults >= 512);
	assert_true(asleep.minor_faults < 100);
}

static void work_of_helpers_is_seen(void **state)
{
	struct sm_ring_cause alone = cause_of(spin_a_while);
	if (!(alone.missing & SM_CAUSE_NO_PROCESS_CPU)) {
		assert_true(alone.process_cpu_ns >= alone.cpu_ns);
		assert_true(alone.process_cpu_ns < alone.cpu_ns + 10000000);
	}
	cause_of(spin_by_proxy); /* from here on the process knows that it has threads */
	struct sm_ring_cause proxy = cause_of(spin_by_proxy);
	if (!(proxy.missing & SM_CAUSE_NO_PROCESS_CPU)) {
		assert_true(proxy.cpu_ns < 5000000);
		assert_true(proxy.process_cpu_ns > proxy.cpu_ns + 1000000);
	}
}

/* --- which spans carry it --- */

static uint64_t carried(int count, int64_t long_ns, int every, uint64_t *ret_closed)
{
	static int serial;
	char text[32];
	snprintf(text, sizeof(text), "kind %d", serial++);
	uint32_t name = sm_name_register(SM_SPAN, text);
	for (int i = 0; i < count; i++) {
		sm_span_begin(name);
		if (i % every == 0) {
			spin(long_ns);
		}
		sm_span_end();
	}
	struct oracle *oracle = recording_look();
	uint64_t causes = oracle->causes_of[name];
	*ret_closed = oracle->closed_of[name];
	oracle_free(oracle);
	return causes;
}

static void long_ones_carry_it_and_short_ones_do_not(void **state)
{
	uint64_t closed;
	struct sm_session_options options = {.rank = -1, .cause_threshold_us = 200};
	recording_start(&options);
	assert_in_range(carried(50, 400000, 1, &closed), 49,
		50); /* all but the first, which nobody could know */
	assert_int_equal(closed, 50);
	assert_in_range(carried(5000, 0, 1, &closed), 0, 5);
	/* one in ten is long: the median is not */
	assert_in_range(carried(300, 400000, 10, &closed), 0, 10);
	assert_int_equal(closed, 300);
	oracle_free(recording_stop());
}

/* Their begins are remembered in another form. */
static void names_beyond_the_inline_ones_carry_it_too(void **state)
{
	uint64_t closed;
	char text[32];
	struct sm_session_options options = {.rank = -1, .cause_threshold_us = 200};
	recording_start(&options);
	for (int i = 0; i < 1100; i++) {
		snprintf(text, sizeof(text), "one of many %d", i);
		sm_name_register(SM_SPAN, text);
	}
	assert_in_range(carried(50, 400000, 1, &closed), 49, 50);
	assert_in_range(carried(1000, 0, 1, &closed), 0, 5);
	assert_int_equal(closed, 1000);
	oracle_free(recording_stop());
}

static void a_name_may_change_its_ways(void **state)
{
	struct sm_session_options options = {.rank = -1, .cause_threshold_us = 200};
	recording_start(&options);
	uint32_t name = sm_name_register(SM_SPAN, "turns");
	uint64_t before = 0;
	for (int phase = 0; phase < 4; phase++) {
		for (int i = 0; i < 40; i++) {
			sm_span_begin(name);
			spin(phase % 2 ? 400000 : 1000);
			sm_span_end();
		}
		struct oracle *oracle = recording_look();
		uint64_t causes = oracle->causes_of[name] - before;
		before = oracle->causes_of[name];
		oracle_free(oracle);
		if (phase % 2) {
			assert_true(causes >= 35);
		} else {
			assert_true(causes <= 10);
		}
	}
	oracle_free(recording_stop());
}

static void threshold_can_be_none(void **state)
{
	uint64_t closed;
	struct sm_session_options options = {.rank = -1, .cause_threshold_us = -1};
	recording_start(&options);
	assert_int_equal(carried(20, 1000000, 1, &closed), 0);
	uint32_t name = sm_name_register(SM_SPAN, "asked for");
	for (int i = 0; i < 3; i++) {
		sm_span_begin_cause(name);
		sm_span_end();
	}
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->causes_of[name], 3);
	oracle_free(oracle);
}

/* Names and threads outlive a session; what was long in one may be short in the next. */
static void every_session_has_its_own_threshold(void **state)
{
	const int thresholds_us[] = {100, -1, 100000, 100};
	const uint64_t expected[] = {9, 0, 0, 9};
	for (int i = 0; i < 4; i++) {
		struct sm_session_options options = {
			.rank = -1, .cause_threshold_us = thresholds_us[i]};
		recording_start(&options);
		uint32_t name = sm_name_register(SM_SPAN, "in every session");
		for (int j = 0; j < 10; j++) {
			sm_span_begin(name);
			spin(300000);
			sm_span_end();
		}
		struct oracle *oracle = recording_stop();
		assert_int_equal(oracle->causes_of[name], expected[i]);
		oracle_free(oracle);
	}
}

static void causes_nest_as_deep_as_there_is_room(void **state)
{
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "nested");
	for (int i = 0; i < 100; i++) {
		sm_span_begin_cause(name);
	}
	for (int i = 0; i < 100; i++) {
		sm_span_end();
	}
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[name], 100);
	assert_int_equal(oracle->causes_of[name], 24);
	oracle_free(oracle);
}

static void (*in_between)(void);

/* In place of the C library's: a handler comes where the cause is read, before the span begins. */
int getrusage(__rusage_who_t who, struct rusage *usage)
{
	void (*handler)(void) = in_between;
	in_between = NULL;
	if (handler) {
		handler();
	}
	return (int)syscall(SYS_getrusage, who, usage);
}

static void begin_one(void)
{
	sm_span_begin_cause(1);
}

static void a_handler_that_takes_the_last_place_has_it(void **state)
{
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "nested");
	for (int i = 0; i < SM_THREAD_CAUSES; i++) {
		in_between = i == SM_THREAD_CAUSES - 1 ? begin_one : NULL;
		sm_span_begin_cause(name);
	}
	assert_int_equal(sm_thread_self()->cause_count, SM_THREAD_CAUSES);
	for (int i = 0; i < SM_THREAD_CAUSES + 1; i++) {
		sm_span_end();
	}
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, SM_THREAD_CAUSES + 1);
	oracle_free(oracle);
}

/* The program closes our descriptor, and another file takes its number: that is noticed, and the file is left alone. */
static void a_stolen_descriptor_is_noticed(void **state)
{
	struct sm_cause_source source = {0};
	struct sm_cause_reading reading;
	sm_cause_read_begin(&source, &reading);
	if (reading.missing & SM_CAUSE_NO_RUN_DELAY) {
		skip(); /* a kernel without schedstat */
	}
	int fd = source.fd_plus_one - 1;
	assert_true(fd >= 200);
	int other = open("/proc/self/cmdline", O_RDONLY);
	assert_int_equal(dup2(other, fd), fd);
	usleep(1000); /* nobody looks there before the next switch */
	sm_cause_read_end(&source, &reading);
	assert_true(reading.missing & SM_CAUSE_NO_RUN_DELAY);
	sm_cause_read_end(&source, &reading);
	assert_false(reading.missing & SM_CAUSE_NO_RUN_DELAY);
	assert_true(source.fd_plus_one - 1 != fd);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	sm_cause_close(&source);
	close(fd);
	close(other);
}

static uint64_t run_delay_in_file(void)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "re");
	unsigned long long cpu, delay = 0;
	assert_true(file && fscanf(file, "%llu %llu", &cpu, &delay) == 2);
	fclose(file);
	return delay;
}

/* The file is not read where nothing can have changed in it; so what it would have said must be what is told. */
static void run_delay_is_what_the_file_says(void **state)
{
	struct sm_cause_source source = {0};
	struct sm_cause_reading reading;
	for (int i = 0; i < 200; i++) {
		if (i % 3 == 0) {
			usleep(100);
		} else {
			spin(200000);
		}
		uint64_t before = run_delay_in_file();
		sm_cause_read_end(&source, &reading);
		if (reading.missing & SM_CAUSE_NO_RUN_DELAY) {
			skip(); /* a kernel without schedstat */
		}
		assert_in_range(reading.run_delay_ns, before, run_delay_in_file());
	}
	sm_cause_close(&source);
}

static void what_is_missing_is_said(void **state)
{
	struct sm_cause_reading begin = {.cpu_ns = 5, .alone = 1}, end = {.cpu_ns = 9, .alone = 1};
	assert_int_equal(sm_cause_between(&begin, &end).process_cpu_ns, 4);
	assert_int_equal(sm_cause_between(&begin, &end).missing, 0);
	end.alone = 0;
	end.process_cpu_ns = 1000;
	assert_int_equal(sm_cause_between(&begin, &end).missing, SM_CAUSE_NO_PROCESS_CPU);
	assert_int_equal(sm_cause_between(&begin, &end).process_cpu_ns, 0);
	begin.alone = 0;
	begin.process_cpu_ns = 400;
	begin.missing = SM_CAUSE_NO_RUN_DELAY;
	end.run_delay_ns = 77;
	assert_int_equal(sm_cause_between(&begin, &end).process_cpu_ns, 600);
	assert_int_equal(sm_cause_between(&begin, &end).run_delay_ns, 0);
	assert_int_equal(sm_cause_between(&begin, &end).missing, SM_CAUSE_NO_RUN_DELAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cause_follows_the_body),
		cmocka_unit_test(work_of_helpers_is_seen),
		cmocka_unit_test(long_ones_carry_it_and_short_ones_do_not),
		cmocka_unit_test(names_beyond_the_inline_ones_carry_it_too),
		cmocka_unit_test(a_name_may_change_its_ways),
		cmocka_unit_test(threshold_can_be_none),
		cmocka_unit_test(every_session_has_its_own_threshold),
		cmocka_unit_test(causes_nest_as_deep_as_there_is_room),
		cmocka_unit_test(a_handler_that_takes_the_last_place_has_it),
		cmocka_unit_test(a_stolen_descriptor_is_noticed),
		cmocka_unit_test(run_delay_is_what_the_file_says),
		cmocka_unit_test(what_is_missing_is_said),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
