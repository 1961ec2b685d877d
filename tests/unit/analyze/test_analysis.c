/* What the analysis says of the run as a whole. */
#include "analyze/analysis.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <math.h>

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

static void judge_own_share(const char *wall, const char *cpu, double wanted_share, bool has_reason)
{
	struct sm_pair facts[] = {{"collector.wall_s", wall}, {"collector.cpu_s", cpu}};
	struct sm_model model = {.facts = facts, .fact_count = cpu ? 2 : 1};
	struct sm_analysis analysis;
	assert_int_equal(sm_analysis_build(&analysis, &model, NULL), 0);
	assert_true(isnan(wanted_share) == isnan(analysis.own_cpu_share));
	if (!isnan(wanted_share)) {
		assert_float_equal(analysis.own_cpu_share, wanted_share, 1e-9);
	}
	assert_int_equal(analysis.no_own_share_why != NULL, has_reason);
	assert_true(isnan(analysis.own_cpu_s) == !cpu); /* the seconds are told in any case */
	sm_arena_finish(&model.arena);
}

static void test_a_moment_has_no_share_of_ours(void **state)
{
	judge_own_share("2.5", "0.5", 0.2, false);
	judge_own_share("0.005", "0.007", (double)NAN, true);
	judge_own_share("0.005", NULL, (double)NAN, false);
}

static void test_longer_events_are_believed(void **state)
{
	judge_wall(4000000000, 4.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_events_the_collector_tells_the_wall_time),
		cmocka_unit_test(test_a_moment_has_no_share_of_ours),
		cmocka_unit_test(test_longer_events_are_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
