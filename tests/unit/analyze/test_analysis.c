/* What the analysis says of the run as a whole. */
#include "analyze/analysis.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void judge_wall(int64_t events_ns, double wanted_s)
{
	struct sm_pair fact = {.key = "collector.wall_s", .value = "2.5"};
	struct sm_model model = {.end_ns = events_ns, .facts = &fact, .fact_count = 1};
	struct sm_analysis analysis;
	assert_int_equal(sm_analysis_build(&analysis, &model, NULL), 0);
	assert_float_equal(analysis.wall_s, wanted_s, 1e-9);
	sm_arena_finish(&model.arena);
}

static void test_without_events_the_collector_tells_the_wall_time(void **state)
{
	judge_wall(0, 2.5);
}

static void test_longer_events_are_believed(void **state)
{
	judge_wall(4000000000, 4.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_events_the_collector_tells_the_wall_time),
		cmocka_unit_test(test_longer_events_are_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
