/* The table of metrics, from samples made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/metric.h"
#include "base/tracking.h"
#include "report/metrics.h"
#include "report_samples.h"

#include <math.h>
#include <string.h>

static struct sm_arena arena;

static int finish(void **state)
{
	sm_arena_finish(&arena);
	return 0;
}

static struct sm_metrics build(const struct sm_report *report)
{
	struct sm_metrics metrics = {0};
	assert_int_equal(sm_metrics_build(&metrics, &arena, report), 0);
	return metrics;
}

static const struct sm_metrics_row *row_of(const struct sm_metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->row_count; i++) {
		if (strcmp(metrics->rows[i].name, name) == 0) {
			return &metrics->rows[i];
		}
	}
	fail_msg("no %s", name);
	return NULL;
}

static void the_sixteen_come_first(void **state)
{
	static const char *const names[] = {"process_memory", "memory_available", "memory_pressure",
		"memory_allocation", "gpu_memory_allocated", "gpu_memory_reserved", "gpu_busy",
		"gpu_transfer_overhead", "cpu_usage", "cpu_frequency", "core_busiest",
		"process_priority", "io_operations", "io_wait", "disk_busy", "network"};
	struct sm_metrics metrics = build(report_sample("empty"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(metrics.rows[i].name, names[i]);
	}
	for (size_t i = 0; i < metrics.row_count;
		i++) { /* and nothing of an empty run is a number */
		assert_true(isnan(metrics.rows[i].summary.mean));
		assert_true(*metrics.rows[i].missing);
	}
}

static void a_row_has_a_value_or_a_reason(void **state)
{
	for (int sample = 0; sample < report_sample_count; sample++) {
		struct sm_metrics metrics = build(report_sample(report_sample_names[sample]));
		for (size_t i = 0; i < metrics.row_count; i++) {
			const struct sm_metrics_row *row = &metrics.rows[i];
			assert_int_equal(isnan(row->summary.mean), row->missing != NULL);
		}
	}
}

static void cores_have_parts_and_processes_none(void **state)
{
	struct sm_metrics metrics = build(report_sample("input_bound"));
	const struct sm_metrics_row *cores = row_of(&metrics, "core_busiest");
	assert_int_equal(cores->part_count, 4);
	assert_string_equal(cores->parts[3].name, "CPU 3");
	double most = 0;
	for (size_t i = 0; i < cores->part_count; i++) {
		most = fmax(most, cores->parts[i].summary.mean);
	}
	assert_true(cores->summary.mean >= most - 1e-12);
	assert_int_equal(row_of(&metrics, "process_memory")->part_count, 0);
}

/* The sample's series with one more counter, of two processes. */
struct grown {
	struct sm_report report;
	struct sm_model model;
	struct sm_series series[32];
	struct sm_pair notes[8];
};

static void grow(struct grown *grown, const char *name)
{
	grown->report = *report_sample(name);
	grown->model = *grown->report.model;
	for (size_t i = 0; i < grown->model.series_count; i++) { /* of none, memcpy wants a place */
		grown->series[i] = grown->model.series[i];
	}
	grown->model.series = grown->series;
	for (size_t i = 0; i < grown->model.note_count; i++) {
		grown->notes[i] = grown->model.notes[i];
	}
	grown->model.notes = grown->notes;
	grown->report.model = &grown->model;
}

static double times[2] = {0, 100}, nice_values[2][2] = {{0, 0}, {5, 7}},
	      policies[3][2] = {{0, 0}, {5, 5}, {0, 0}};

static void add_series(
	struct grown *grown, enum sm_metric metric, int64_t instance, double values[2])
{
	grown->series[grown->model.series_count++] = (struct sm_series){.metric = (uint16_t)metric,
		.instance = instance,
		.count = 2,
		.time_s = times,
		.value = values,
		.first = values[0],
		.last = values[1]};
}

static void priority_is_the_highest_nice_value_and_names_policies_once(void **state)
{
	static struct grown grown;
	grow(&grown, "input_bound");
	for (int i = 0; i < 2; i++) {
		add_series(&grown, SM_METRIC_PROC_NICE, 100 + i, nice_values[i]);
	}
	for (int i = 0; i < 3; i++) {
		add_series(&grown, SM_METRIC_PROC_POLICY, 100 + i, policies[i]);
	}
	struct sm_metrics metrics = build(&grown.report);
	const struct sm_metrics_row *row = row_of(&metrics, "process_priority");
	assert_true(row->summary.minimum == 5);
	assert_true(row->summary.maximum > 6.9);
	assert_string_equal(row->detail, "scheduling policy: other, idle");
}

static void what_was_switched_off_says_so(void **state)
{
	static struct grown grown;
	grow(&grown, "empty");
	grown.notes[grown.model.note_count++] = (struct sm_pair){"memory", SM_TRACKING_OFF};
	struct sm_metrics metrics = build(&grown.report);
	for (size_t i = 0; i < metrics.row_count; i++) {
		const struct sm_metrics_row *row = &metrics.rows[i];
		bool is_off = strcmp(row->missing, SM_TRACKING_OFF) == 0;
		assert_int_equal(is_off, strcmp(row->group, "memory") == 0);
	}
}

/* Copies to a device are seen by the recorder, whatever the collector samples. */
static void it_says_so_even_where_something_came_in(void **state)
{
	static struct grown grown;
	grow(&grown, "input_bound");
	grown.notes[grown.model.note_count++] = (struct sm_pair){"gpu", SM_TRACKING_OFF};
	struct sm_metrics metrics = build(&grown.report);
	const struct sm_metrics_row *row = row_of(&metrics, "gpu_transfer_overhead");
	assert_string_equal(row->missing, SM_TRACKING_OFF);
	assert_true(isnan(row->summary.mean) && !row->value);
}

/* "memory" is also the name of a probe: why that one is missing is no reason for all of the group. */
static void a_note_of_a_probe_is_for_what_it_reads(void **state)
{
	static struct grown grown;
	grow(&grown, "empty");
	grown.notes[grown.model.note_count++] = (struct sm_pair){"memory", "no /proc/meminfo here"};
	struct sm_metrics metrics = build(&grown.report);
	assert_string_equal(row_of(&metrics, "memory_available")->missing, "no /proc/meminfo here");
	assert_string_not_equal(
		row_of(&metrics, "process_memory")->missing, "no /proc/meminfo here");
}

static void copies_that_took_no_time_are_none(void **state)
{
	struct sm_report report = *report_sample("input_bound");
	struct sm_analysis analysis = *report.analysis;
	static double none[1024];
	struct sm_metrics metrics = build(&report);
	const struct sm_metrics_row *row = row_of(&metrics, "gpu_transfer_overhead");
	assert_true(row->summary.mean > 0 && row->summary.mean < 1);
	assert_in_range(analysis.steps.point_count, 1, 1024);
	analysis.steps.transfer_s = none;
	report.analysis = &analysis;
	metrics = build(&report);
	row = row_of(&metrics, "gpu_transfer_overhead");
	assert_true(isnan(row->summary.mean));
	assert_string_equal(row->missing, "no copy to a device was seen in a step");
}

static int told;

static void count(void *context, const char *what, const char *why)
{
	assert_true(*what && *why);
	told++;
}

static void reasons_are_told_once_each(void **state)
{
	told = 0;
	assert_int_equal(sm_metrics_each_missing(report_sample("empty"), count, NULL), 0);
	assert_int_equal(told, 3); /* not sampled; not told by PyTorch; no copy */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sixteen_come_first),
		cmocka_unit_test(a_row_has_a_value_or_a_reason),
		cmocka_unit_test(cores_have_parts_and_processes_none),
		cmocka_unit_test(priority_is_the_highest_nice_value_and_names_policies_once),
		cmocka_unit_test(what_was_switched_off_says_so),
		cmocka_unit_test(it_says_so_even_where_something_came_in),
		cmocka_unit_test(a_note_of_a_probe_is_for_what_it_reads),
		cmocka_unit_test(copies_that_took_no_time_are_none),
		cmocka_unit_test(reasons_are_told_once_each),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
