/* Threads that come and go, and signal handlers that come in between. */
#include "recording.h"

#include "base/clock.h"
#include "record/thread.h"

#include <stallmeter/inline.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static uint32_t work;

static void record(int spans)
{
	for (int i = 0; i < spans; i++) {
		sm_span_begin(work);
		sm_span_end();
	}
}

static void *record_some(void *spans)
{
	record(*(int *)spans);
	return NULL;
}

static void run_threads(int count, int spans)
{
	pthread_t threads[16];
	for (int i = 0; i < count; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, record_some, &spans), 0);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
	}
}

static void every_thread_has_its_own(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	run_threads(8, 40000);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 8 * 40000);
	assert_int_equal(oracle->open_at_end, 0);
	for (uint32_t i = 0; i < oracle->thread_count; i++) {
		assert_int_equal(oracle->threads[i].orphans, 0);
		assert_int_equal(
			oracle->threads[i].closed % 40000, 0); /* ids of threads come again */
	}
	oracle_free(oracle);
}

static void ten_thousand_short_threads_stay_small(void **state)
{
	enum { THREADS = 10000 };
	struct stat st;
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	int spans = 3;
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, record_some, &spans), 0);
		pthread_join(thread, NULL);
	}
	assert_int_equal(stat(sm_session_path(), &st), 0);
	assert_true(st.st_size < 2 * 1024 * 1024); /* and not 10,000 slots */
	assert_true(sm_thread_used < 32);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, THREADS * 3);
	assert_true(oracle->thread_words >= THREADS - 32);
	assert_int_equal(oracle->lost, 0);
	oracle_free(oracle);
}

static void half_a_slot_waits_for_the_next_thread(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	record(1);
	run_threads(1, 5);
	struct oracle *oracle = recording_look();
	assert_int_equal(oracle->adoptable, 1);
	assert_int_equal(oracle->slots, 3);
	oracle_free(oracle);
	run_threads(1, 5);
	oracle = recording_stop();
	assert_int_equal(oracle->slots, 3);
	assert_int_equal(oracle->closed, 11);
	oracle_free(oracle);
}

/* An event in the destructor of another key, after ours has run: the thread gets a new pen, and that is given back too. */
static pthread_key_t late_key;

static void record_late(void *unused)
{
	record(1);
}

static void *record_and_leave_a_destructor(void *unused)
{
	record(1);
	pthread_setspecific(late_key, &late_key);
	return NULL;
}

static void events_at_thread_exit_are_kept(void **state)
{
	pthread_t thread;
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	pthread_key_create(&late_key, record_late);
	for (int i = 0; i < 50; i++) {
		pthread_create(&thread, NULL, record_and_leave_a_destructor, NULL);
		pthread_join(thread, NULL);
	}
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 100);
	assert_true(oracle->slots < 6);
	oracle_free(oracle);
	pthread_key_delete(late_key);
}

static void stopping_while_threads_record(void **state)
{
	for (int round = 0; round < 20; round++) {
		pthread_t threads[3];
		static int spans = 20000;
		recording_start(NULL);
		work = sm_name_register(SM_SPAN, "work");
		for (int i = 0; i < 3; i++) {
			pthread_create(&threads[i], NULL, record_some, &spans);
		}
		usleep(300);
		oracle_free(recording_stop()); /* sound, whatever is in it */
		for (int i = 0; i < 3; i++) {
			pthread_join(threads[i], NULL);
		}
	}
}

/* --- signals --- */

static volatile sig_atomic_t handled;
static uint32_t in_handler;

static void record_in_handler(int signal)
{
	handled++;
	for (int i = 0; i < 3; i++) {
		sm_span_begin(in_handler);
		sm_span_end();
	}
}

/* Spans of the thread and of its handler together with what is counted as lost make up all that was said. */
static void handlers_lose_nothing_uncounted(void **state)
{
	struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = record_in_handler, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &action, NULL);
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	in_handler = sm_name_register(SM_SPAN, "in handler");
	handled = 0;
	uint64_t rounds = 0;
	setitimer(ITIMER_REAL, &often, NULL);
	/* no more than a mapping holds: what is lost is to be the handlers' alone */
	const uint64_t most = 50000;
	for (int64_t until = sm_clock_mono_ns() + 700000000;
		handled <= 1000 || (sm_clock_mono_ns() < until && rounds < most); rounds++) {
		record(100);
		sm_span_begin_cause(work);
		sm_span_arg(1, 1);
		sm_span_end();
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	uint64_t lost = sm_session_lost();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->events + lost, 203 * rounds + 6 * (uint64_t)handled);
	assert_int_equal(oracle->closed_of[work], 101 * rounds);
	assert_int_equal(2 * oracle->closed_of[in_handler] + lost, 6 * (uint64_t)handled);
	assert_int_equal(oracle->header->w_lost_events, lost);
	assert_int_equal(oracle->open_at_end, 0);
	oracle_free(oracle);
}

/* The same, in the middle of an event made by hand: exactly what came in between is lost. */
static void what_comes_in_between_is_counted(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	record(1);
	struct sm_thread *thread = sm_thread_enter();
	record(3);
	sm_thread_leave(thread);
	assert_int_equal(sm_session_lost(), 6);
	uint64_t last = thread->hot.last;
	SM_INLINE_STORE(thread->hot.last, 0); /* as the inline path does */
	sm_inline_begin(work);
	sm_mark(work);
	sm_inline_end();
	SM_INLINE_STORE(thread->hot.last, last);
	assert_int_equal(sm_session_lost(), 9);
	record(1);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 2);
	assert_int_equal(oracle->header->w_lost_events, 9);
	oracle_free(oracle);
}

/* The last word may be as old as it likes, and in a new slot it is: the event is not. */
static void an_event_behind_a_pause_is_not_taken_for_abandoned(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	struct sm_thread *thread = sm_thread_enter(); /* the first in its slot */
	record(3);
	sm_thread_leave(thread);
	assert_int_equal(sm_session_lost(), 6);
	record(1);
	thread->hot.last -= (uint64_t)1 << 31; /* silent for seconds */
	assert_ptr_equal(sm_thread_enter(), thread);
	record(3);
	thread->between_since -= (uint64_t)1 << 31; /* and held up, but then it went on */
	sm_thread_leave(thread);
	assert_ptr_equal(sm_thread_enter(), thread);
	record(1);
	sm_thread_leave(thread);
	assert_int_equal(sm_session_lost(), 14);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 1);
	oracle_free(oracle);
}

/* A span that begins the long way and ends the short one, or the other way round, is lost as a whole by a handler that
 * comes in the middle of an event: both ways tell by the same mark. */
static void a_handler_loses_whole_spans(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	uint32_t fresh = sm_name_register(SM_SPAN, "fresh");
	sm_span_begin(work);
	record(20); /* its weight is gone, the short way is open to it */
	struct sm_thread *thread = sm_thread_self();
	uint64_t last = thread->hot.last;
	SM_INLINE_STORE(thread->hot.last, 0);
	sm_span_begin(fresh);
	sm_span_end();
	sm_span_begin(work);
	usleep(2000);
	sm_span_end();
	SM_INLINE_STORE(thread->hot.last, last);
	sm_span_end();
	assert_int_equal(sm_session_lost(), 4);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[fresh], 0);
	assert_int_equal(oracle->closed_of[work], 21);
	assert_int_equal(oracle->open_at_end, 0);
	oracle_free(oracle);
}

static void an_event_left_by_a_jump_ends_at_last(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	record(1);
	struct sm_thread *thread = sm_thread_enter(); /* and never left */
	record(1);
	assert_int_equal(sm_session_lost(), 2);
	thread->between_since -= (uint64_t)1 << 31; /* a second later */
	record(1);
	assert_int_equal(sm_session_lost(), 2);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 2);
	oracle_free(oracle);
}

/* Between two sessions a thread that has recorded asks no clock, and in the second nothing is lost by that. */
static void without_a_session_a_thread_rests(void **state)
{
	recording_start(NULL);
	work = sm_name_register(SM_SPAN, "work");
	record(1);
	const struct sm_thread *thread = sm_thread_self();
	assert_true(thread->hot.last != 0);
	oracle_free(recording_stop());
	record(2);
	assert_true(thread->hot.last == 0);
	recording_start(NULL);
	record(3);
	assert_true(thread->hot.last != 0);
	assert_int_equal(sm_session_lost(), 0);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed, 3);
	oracle_free(oracle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_has_its_own),
		cmocka_unit_test(ten_thousand_short_threads_stay_small),
		cmocka_unit_test(half_a_slot_waits_for_the_next_thread),
		cmocka_unit_test(events_at_thread_exit_are_kept),
		cmocka_unit_test(stopping_while_threads_record),
		cmocka_unit_test(handlers_lose_nothing_uncounted),
		cmocka_unit_test(what_comes_in_between_is_counted),
		cmocka_unit_test(an_event_behind_a_pause_is_not_taken_for_abandoned),
		cmocka_unit_test(a_handler_loses_whole_spans),
		cmocka_unit_test(an_event_left_by_a_jump_ends_at_last),
		cmocka_unit_test(without_a_session_a_thread_rests),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
