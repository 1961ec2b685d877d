/* The last seconds of a training whose every moment is known (make/steady_make.h). */
#include "live/pulse.h"

#include "make/steady_make.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)

static char directory[] = "/tmp/sm-pulse-XXXXXX";
static struct sm_model_growing *growing;

static void assert_near(double got, double wanted)
{
	if (!(fabs(got - wanted) < 1e-6)) {
		fail_msg("%.12g instead of %.12g", got, wanted);
	}
}

static const struct sm_pulse_known plain = {.loader = 0, .waiting_since_ns = -1};

static void test_each_second(void **state)
{
	struct sm_pulse pulse;
	sm_pulse_read(&pulse, growing, STEADY_MAKE_END_NS, &plain, 1);
	assert_int_equal(pulse.count, 40); /* the run is 40.2 s old */
	for (size_t back = 1; back <= pulse.count; back++) {
		const struct sm_pulse_time *second = &pulse.seconds[SM_PULSE_SECONDS - back];
		assert_near(second->known_s, 1);
		assert_near(second->exposed_s, back <= 10 ? 0.8 : 0.4);
		assert_near(second->steps, 10);
		assert_near(second->samples, 10 * STEADY_MAKE_SAMPLES);
	}
	assert_false(pulse.device);
}

static void test_the_window_and_the_whole(void **state)
{
	struct sm_pulse pulse;
	sm_pulse_read(&pulse, growing, STEADY_MAKE_END_NS, &plain, 1);
	struct sm_pulse_time window = sm_pulse_sum(&pulse, SM_PULSE_WINDOW_S);
	assert_near(sm_pulse_share(window.exposed_s, window.known_s), 0.8);
	window = sm_pulse_of_loader(&pulse, 0);
	assert_near(sm_pulse_share(window.exposed_s, window.known_s), 0.8);
	window = sm_pulse_sum(&pulse, 1000);
	assert_near(sm_pulse_share(window.exposed_s, window.known_s), 0.5);
	window = sm_pulse_of_loader(&pulse, 9);
	assert_true(isnan(sm_pulse_share(window.exposed_s, window.known_s)));
}

/* Half a second later nothing has ended: what is not known is no part of a share. */
static void test_between_two_steps(void **state)
{
	struct sm_pulse pulse;
	sm_pulse_read(&pulse, growing, STEADY_MAKE_END_NS + SECOND_NS / 2, &plain, 1);
	const struct sm_pulse_time *newest = &pulse.seconds[SM_PULSE_SECONDS - 1];
	assert_near(newest->known_s, 0.5);
	assert_near(newest->exposed_s, 0.4);
	assert_near(newest->steps, 5);
}

/* The loop asked four seconds ago and has got nothing yet: four more seconds of stall. */
static void test_a_wait_that_goes_on(void **state)
{
	struct sm_pulse pulse;
	struct sm_pulse_known waits = {.loader = 0, .waiting_since_ns = STEADY_MAKE_END_NS};
	sm_pulse_read(&pulse, growing, STEADY_MAKE_END_NS + 4 * SECOND_NS, &waits, 1);
	struct sm_pulse_time window = sm_pulse_sum(&pulse, SM_PULSE_WINDOW_S);
	assert_near(window.exposed_s, 6 * 0.8 + 4);
	assert_near(window.known_s, 10);
	assert_near(window.steps, 60);
}

static void test_a_background_loader_is_no_stall_by_itself(void **state)
{
	struct sm_pulse pulse;
	struct sm_pulse_known background = {
		.loader = 0, .background = true, .waiting_since_ns = STEADY_MAKE_END_NS};
	sm_pulse_read(&pulse, growing, STEADY_MAKE_END_NS + SECOND_NS, &background, 1);
	assert_true(pulse.background);
	assert_near(sm_pulse_sum(&pulse, 60).exposed_s, 0);
}

static int make(void **state)
{
	if (!mkdtemp(directory) || sm_model_growing_create(&growing)) {
		return -1;
	}
	steady_make(directory);
	struct sm_trace_visitor visitor = sm_model_growing_visitor(growing);
	return sm_trace_reader_visit(directory, &visitor, NULL, NULL);
}

static int take_away(void **state)
{
	char file[64];
	sm_model_growing_destroy(growing);
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	return unlink(file) || rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_second),
		cmocka_unit_test(test_the_window_and_the_whole),
		cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_a_wait_that_goes_on),
		cmocka_unit_test(test_a_background_loader_is_no_stall_by_itself),
	};
	return cmocka_run_group_tests(tests, make, take_away);
}
