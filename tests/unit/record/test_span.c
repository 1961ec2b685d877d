/* Spans, marks, numbers: what is written is what was said, at the time it was said. */
#include "recording.h"

#include "base/clock.h"
#include "ring/ring_clock.h"

#include <stallmeter/inline.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void spans_nest(void **state)
{
	recording_start(NULL);
	uint32_t outer = sm_name_register(SM_SPAN, "outer");
	uint32_t inner = sm_name_register(SM_SPAN, "inner");
	for (int i = 0; i < 50000; i++) {
		sm_span_begin(outer);
		sm_inline_begin(inner);
		sm_span_end();
		sm_span_begin(inner);
		sm_inline_end();
		sm_span_end();
	}
	sm_span_begin(outer);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[outer], 50000);
	assert_int_equal(oracle->closed_of[inner], 100000);
	assert_int_equal(oracle->open_at_end, 1);
	assert_int_equal(oracle->threads[0].orphans, 0);
	assert_int_equal(oracle->thread_count, 1);
	assert_true(oracle->sealed > 15);
	/* what an event costs: in a slot, and with the slot's head and the rest that stays empty */
	assert_true((double)oracle->word_bytes / (double)oracle->words < 4.02);
	assert_true(
		(double)(oracle->slots - 2) * SM_RING_SEGMENT_BYTES / (double)oracle->words < 4.1);
	oracle_free(oracle);
}

static void deep_and_unmatched_spans_stay_right(void **state)
{
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "deep");
	sm_span_end();
	for (int i = 0; i < 200; i++) {
		sm_span_begin(name);
	}
	for (int i = 0; i < 203; i++) {
		sm_span_end();
	}
	sm_span_begin(name);
	sm_span_end();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->closed_of[name], 201);
	assert_int_equal(oracle->threads[0].orphans, 4);
	assert_int_equal(oracle->open_at_end, 0);
	oracle_free(oracle);
}

static void names_beyond_the_short_ones(void **state)
{
	uint32_t ids[3000];
	recording_start(NULL);
	for (int i = 0; i < 3000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "name %d", i);
		ids[i] = sm_name_register(SM_SPAN, text);
		assert_true(ids[i] > 0);
	}
	assert_true(ids[2999] > 2 * SM_RING_SHORT_NAMES);
	for (int i = 0; i < 3000; i++) {
		sm_span_begin(ids[i]);
		sm_inline_begin(ids[i]);
		sm_inline_end();
		sm_span_end();
	}
	sm_span_begin(0); /* does nothing, and so must not be ended */
	sm_span_begin(1 << 30);
	sm_span_begin_cause(0);
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->name_count, 3000 + (ids[0] - 1));
	for (int i = 0; i < 3000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "name %d", i);
		assert_string_equal(oracle->names[ids[i]], text);
		assert_int_equal(oracle->closed_of[ids[i]], 2);
	}
	assert_int_equal(oracle->open_at_end, 0);
	oracle_free(oracle);
}

/* The same numbers mean a mark or the span around it by nothing but their place. */
static void numbers_of_a_span_keep_apart_from_a_mark(void **state)
{
	const int keys[2] = {0, 2};
	const int64_t values[2] = {7, 8};
	recording_start(NULL);
	uint32_t mark = sm_name_register(SM_MARK, "put");
	uint32_t span = sm_name_register(SM_SPAN, "next");
	sm_span_begin(span);
	sm_mark_args(mark, 2, keys, values);
	sm_span_arg(0, 1);
	sm_span_arg(2, 3);
	sm_mark(mark);
	sm_span_arg(6, 4);
	sm_span_end();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->marks_of[mark], 2);
	assert_int_equal(oracle->arguments, 5);
	assert_int_equal(oracle->marks_between, 2);
	oracle_free(oracle);
}

static void marks_numbers_and_threads(void **state)
{
	const int keys[8] = {0, 1, 2, 3, 4, 5, 6, 7};
	const int64_t values[8] = {0, -1, INT64_MAX, INT64_MIN, 4, 5, 6, 77};
	recording_start(NULL);
	uint32_t mark = sm_name_register(SM_MARK, "put");
	uint32_t counter = sm_name_register(SM_COUNTER, "loss");
	uint32_t span = sm_name_register(SM_SPAN, "sample");
	sm_mark(mark);
	sm_mark_args(mark, 8, keys, values);
	sm_mark_args(mark, 9, keys, values); /* more than there may be */
	sm_mark_args(mark, -1, keys, values);
	sm_counter(counter, 0.25);
	sm_thread_name("feeder");
	sm_span_begin(span);
	sm_span_arg(5, 1234567890123);
	sm_span_arg(-1, 1);
	sm_span_arg(192, 1);
	sm_span_end();
	struct oracle *oracle = recording_stop();
	assert_int_equal(oracle->marks_of[mark], 2);
	assert_int_equal(oracle->marks_between, 8);
	assert_int_equal(oracle->arguments, 9);
	assert_int_equal(oracle->last_argument, 1234567890123);
	assert_int_equal(oracle->last_key, 5);
	assert_true(oracle->counter_of[counter] == 0.25);
	assert_int_equal(oracle->name_kinds[counter], SM_COUNTER);
	assert_int_equal(oracle->thread_count, 1);
	assert_string_equal(oracle->names[oracle->threads[0].name], "feeder");
	assert_int_equal(oracle->threads[0].tid, gettid());
	oracle_free(oracle);
}

static void times_are_true(void **state)
{
	recording_start(NULL);
	uint32_t name = sm_name_register(SM_SPAN, "nap");
	usleep(20000); /* a longer stretch between the header's two instants */
	int64_t from = sm_clock_mono_ns();
	sm_span_begin(name);
	usleep(30000);
	sm_span_end();
	int64_t to = sm_clock_mono_ns();
	struct oracle *oracle = recording_stop();
	int64_t wall = oracle->wall_ns_of[name];
	assert_true(wall >= 30000000);
	assert_true(wall <= to - from + 2000);
	assert_true(oracle->threads[0].begun_ns[0] >= from - 2000);
	assert_true(oracle->threads[0].begun_ns[0] <= to);
	oracle_free(oracle);
}

/* --- with a clock that stands still, and jumps --- */

static void start_at(int64_t ns)
{
	sm_ring_clock_distrust(true);
	sm_clock_pretend(ns, ns);
	recording_start(NULL);
}

static struct oracle *stop_pretending(void)
{
	struct oracle *oracle = recording_stop();
	sm_clock_pretend(-1, 0);
	sm_ring_clock_distrust(false);
	return oracle;
}

static void nanoseconds_where_ticks_are_not_trusted(void **state)
{
	int64_t now = 1000000000;
	start_at(now);
	uint32_t name = sm_name_register(SM_SPAN, "plain");
	for (int i = 0; i < 100000; i++) {
		sm_span_begin(name);
		now += 7;
		sm_clock_pretend(now, now);
		sm_inline_end();
	}
	struct oracle *oracle = stop_pretending();
	assert_int_equal(oracle->header->clock_kind, SM_RING_CLOCK_MONOTONIC);
	assert_int_equal(oracle->header->tick_shift, 0);
	assert_int_equal(oracle->wall_ns_of[name], 700000);
	assert_int_equal(oracle->closed, 100000);
	oracle_free(oracle);
}

/* Around every border of the 20 and 40 bits: the time read back is the time that passed. */
static void silence_of_any_length(void **state)
{
	int64_t now = 5000000000;
	int64_t total = 0;
	start_at(now);
	uint32_t name = sm_name_register(SM_SPAN, "silence");
	int expected_syncs = 0;
	for (int bits = 18; bits < 43; bits++) {
		for (int64_t around = -2; around <= 2; around++) {
			int64_t silence = ((int64_t)1 << bits) + around;
			sm_span_begin(name);
			now += silence;
			sm_clock_pretend(now, now);
			sm_span_end();
			total += silence;
			expected_syncs += silence >= (int64_t)1 << 39;
		}
	}
	struct oracle *oracle = stop_pretending();
	assert_int_equal(oracle->wall_ns_of[name], total);
	assert_true(oracle->syncs >= (uint64_t)expected_syncs);
	assert_true(expected_syncs > 10);
	oracle_free(oracle);
}

static void a_clock_that_steps_back_harms_nothing(void **state)
{
	int64_t now = 5000000000;
	start_at(now);
	uint32_t name = sm_name_register(SM_SPAN, "back");
	for (int i = 0; i < 1000; i++) {
		sm_span_begin(name);
		now += i % 3 ? 100 : -150;
		sm_clock_pretend(now, now);
		sm_span_end();
	}
	struct oracle *oracle = stop_pretending();
	assert_int_equal(oracle->closed_of[name], 1000);
	oracle_free(oracle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_nest),
		cmocka_unit_test(deep_and_unmatched_spans_stay_right),
		cmocka_unit_test(names_beyond_the_short_ones),
		cmocka_unit_test(marks_numbers_and_threads),
		cmocka_unit_test(numbers_of_a_span_keep_apart_from_a_mark),
		cmocka_unit_test(times_are_true),
		cmocka_unit_test(nanoseconds_where_ticks_are_not_trusted),
		cmocka_unit_test(silence_of_any_length),
		cmocka_unit_test(a_clock_that_steps_back_harms_nothing),
	};
	return cmocka_run_group_tests(tests, recording_set_up, recording_tear_down);
}
