/* A run that is watched says while it goes on what its report says of the same steps, and when it is over exactly that. */
#include "live/viewing.h"

#include "live/past.h"
#include "make/steady_make.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/sm-watch-XXXXXX";
static struct sm_view view, past; /* too large for a stack */

static struct sm_viewing *open_viewing(void)
{
	struct sm_running running = {0};
	struct sm_viewing *viewing = NULL;
	struct sm_error error;
	snprintf(running.run, sizeof(running.run), "%s", directory);
	snprintf(running.live, sizeof(running.live), "%s/live", directory);
	if (sm_viewing_open(&viewing, &running, "runs/\x1b[31mbase", true, &error)) {
		fail_msg("%s", error.msg);
	}
	return viewing;
}

static void assert_near(double got, double wanted, double by)
{
	if (!(fabs(got - wanted) <= by)) {
		fail_msg("%.12g instead of %.12g", got, wanted);
	}
}

static void check_while_it_goes_on(void)
{
	assert_int_equal(view.state, SM_VIEW_RECORDING);
	assert_string_equal(view.run, "runs/?[31mbase");
	assert_true(view.has_judgement);
	assert_string_equal(view.judgement.class_name, "INPUT_BOUND");
	/* half of the steps' 40 s, and the 200 ms in which the iterator was made */
	assert_near(view.judgement.stall_share, 20.2 / 40.2, 1e-6);
	assert_near(view.judgement.steps, STEADY_MAKE_STEPS, 0);
	assert_near(sm_view_recent_stall(&view), 0.8, 1e-6);
	assert_near(sm_view_steps_per_s(&view), 10, 1e-6);
	assert_near(sm_view_samples_per_s(&view), 10 * STEADY_MAKE_SAMPLES, 1e-6);
	assert_int_equal(view.loader_count, 1);
	assert_string_equal(view.loaders[0].name, "train");
	assert_near(view.loaders[0].stall_share, 0.8, 1e-6);
	assert_int_equal(view.worker_count, 2);
	assert_near(view.workers[1].busy_share, 0.45, 0.01);
	assert_int_equal(view.workers[1].doing, SM_VIEW_IDLE);
	assert_true(isnan(view.workers[1].cpu_share)); /* nobody sampled it */
	assert_int_equal(view.counter_count, 0);
}

static void test_looking_once(void **state)
{
	struct sm_viewing *viewing = open_viewing();
	assert_int_equal(sm_viewing_once(viewing), 0);
	sm_viewing_fill(viewing, &view);
	check_while_it_goes_on();
	sm_viewing_close(viewing);
}

/* Nobody keeps its lock, so the first round is the last; then all is read anew, aside. */
static void test_a_run_that_ends(void **state)
{
	struct sm_viewing *viewing = open_viewing();
	struct sm_error error;
	assert_int_equal(sm_viewing_round(viewing, UINT64_MAX), 0);
	sm_viewing_fill(viewing, &view);
	assert_int_equal(view.state, SM_VIEW_ENDING);
	for (int i = 0; i < 1000 && view.state != SM_VIEW_FINISHED; i++) {
		usleep(10000);
		assert_int_equal(sm_viewing_round(viewing, UINT64_MAX), 0);
		sm_viewing_fill(viewing, &view);
	}
	assert_int_equal(view.state, SM_VIEW_FINISHED);
	assert_int_equal(sm_past_see(&past, directory, "runs/\x1b[31mbase", true, &error), 0);
	assert_memory_equal(&view.judgement, &past.judgement, sizeof(past.judgement));
	assert_int_equal(view.worker_count, 2);
	assert_int_equal(view.workers[0].doing, SM_VIEW_ENDED);
	sm_viewing_close(viewing);
}

/* Of a long trace a slice at a time; nothing is judged before it has caught up. */
static void test_slices(void **state)
{
	struct sm_viewing *viewing = open_viewing();
	int slices = 0, got;
	while ((got = sm_viewing_round(viewing, 1000)) == 1) {
		sm_viewing_fill(viewing, &view);
		assert_int_equal(view.state, SM_VIEW_READING);
		assert_true(view.read_share < 1);
		assert_false(view.has_judgement);
		slices++;
	}
	assert_int_equal(got, 0);
	assert_true(slices > 3);
	sm_viewing_close(viewing);
}

static void test_no_such_run(void **state)
{
	struct sm_error error;
	assert_true(sm_past_see(&past, "/nowhere", "/nowhere", true, &error) < 0);
	assert_string_equal(error.msg, "No such file or directory");
}

static int make(void **state)
{
	if (!mkdtemp(directory)) {
		return -1;
	}
	steady_make(directory);
	return 0;
}

static int take_away(void **state)
{
	char file[64];
	snprintf(file, sizeof(file), "%s/rank0.stall", directory);
	return unlink(file) || rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looking_once),
		cmocka_unit_test(test_a_run_that_ends),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_no_such_run),
	};
	return cmocka_run_group_tests(tests, make, take_away);
}
