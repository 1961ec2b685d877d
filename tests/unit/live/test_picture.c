/* A view on screens of every size: never a line too many or too wide, and what matters most stays longest. */
#include "live/picture.h"

#include "report/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Escapes, a line break, a right-to-left override, half a character, wide ones and a combining mark. */
#define HOSTILE                                                                                    \
	"a\x1b[2J\nb\xe2\x80\xae"                                                                  \
	"c\xe6\x97\xa5\xe6\x9c\xac\xc3 e\xcc\x81"

static struct sm_view view; /* too large for a stack */
static struct sm_picture page;
static char *text; /* of the last page */

static void fill_judgement(struct sm_judgement *judgement)
{
	*judgement = (struct sm_judgement){
		.class_ = SM_VERDICT_INPUT_BOUND,
		.class_name = "INPUT_BOUND",
		.word = "INPUT-BOUND",
		.stall = "31.4 %",
		.stall_range = "30.6-32.3 %",
		.step = "310 ms",
		.stall_share = 0.314,
		.stall_low = 0.306,
		.stall_high = 0.323,
		.steps = 1650,
		.mean_step_s = 0.31,
		.part_count = 2,
		.parts = {{"data", "97.2 ms", 0.314, 'd'}, {"compute", "213 ms", 0.686, 'c'}},
		.loader_count = 1,
		.finding_count = 2,
		.shown_count = 2,
	};
	struct sm_judged_loader *loader = &judgement->loaders[0];
	*loader = (struct sm_judged_loader){.settings = "40 workers, batches of 64",
		.stall_share = 0.314,
		.stage_count = 2,
		.stages = {{.stage = SM_STAGE_FETCH, .share = 0.2},
			{.stage = SM_STAGE_TRANSFORM, .share = 0.71}}};
	for (int i = 0; i < 2; i++) {
		struct sm_judged_finding *finding = &judgement->findings[i];
		*finding = (struct sm_judged_finding){.severity = 0.24, .shown = true};
		snprintf(finding->id, sizeof(finding->id), "SM10%d", 5 + i);
		snprintf(finding->title, sizeof(finding->title), "Making a sample is slow");
		snprintf(finding->gives_back, sizeof(finding->gives_back), "gives back 24 %%");
		sm_judgement_text(finding->where, sizeof(finding->where), HOSTILE ".py:88");
	}
}

static void fill_pulse(struct sm_view *into)
{
	into->pulse.count = 30;
	for (size_t i = SM_PULSE_SECONDS - 30; i < SM_PULSE_SECONDS; i++) {
		into->pulse.seconds[i] = (struct sm_pulse_time){
			.known_s = 1, .exposed_s = 0.42, .steps = (double)(i % 4), .samples = 64};
	}
	into->window = sm_pulse_sum(&into->pulse, SM_PULSE_WINDOW_S);
	into->window_s = SM_PULSE_WINDOW_S;
}

static void fill(size_t workers)
{
	view = (struct sm_view){.state = SM_VIEW_RECORDING,
		.elapsed_s = 134,
		.has_judgement = true,
		.ranks = 1,
		.loader_count = 1,
		.worker_count = workers};
	sm_judgement_text(view.title, sizeof(view.title), "train.py");
	sm_judgement_text(view.run, sizeof(view.run), HOSTILE);
	fill_judgement(&view.judgement);
	fill_pulse(&view);
	view.loaders[0] = (struct sm_view_loader){.rank = -1,
		.num_workers = 40,
		.batches = 1650,
		.waiting_s = NAN,
		.stall_share = 0.42};
	sm_judgement_text(view.loaders[0].name, sizeof(view.loaders[0].name), HOSTILE);
	for (size_t i = 0; i < workers; i++) {
		view.workers[i] = (struct sm_view_worker){.index = (int)i,
			.pid = 4000 + (int)i,
			.busy_share = (double)(i * 7 % 40) / 40,
			.cpu_share = 0.5,
			.rss_bytes = (double)(1 << 20) * (double)(i + 1),
			.read_bytes_per_s = NAN,
			.doing = SM_VIEW_FETCHING,
			.doing_s = 0.3};
	}
	sm_view_counter_add(
		&view, (struct sm_view_counter){"cpu", "job CPU", -1, SM_VIEW_CORES, 3.1, 4});
	sm_view_counter_add(
		&view, (struct sm_view_counter){"memory", "memory", -1, SM_VIEW_BYTES, 3e9, 8e9});
	sm_view_counter_add(
		&view, (struct sm_view_counter){"shm", "/dev/shm", -1, SM_VIEW_BYTES, NAN, 8e9});
}

static const char *lay(struct sm_picture_options options)
{
	size_t length;
	free(text);
	assert_int_equal(sm_picture_lay(&page, &view, &options), 0);
	FILE *out = open_memstream(&text, &length);
	assert_int_equal(sm_picture_write(&page, false, out), 0);
	fclose(out);
	size_t rows = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, rows++) {
		*end = '\0';
		if (sm_text_width(line) > options.columns) {
			fail_msg("%d columns: %s", options.columns, line);
		}
		for (const char *at = line; *at;) {
			uint32_t point;
			at += sm_text_point(at, &point);
			assert_true(sm_text_is_harmless(point));
			assert_true(
				options.unicode || point < 0x80 || strstr(line, "\xe6\x97\xa5"));
		}
		*end = '\n';
	}
	if (options.rows) {
		assert_true(rows <= (size_t)options.rows);
	}
	sm_picture_finish(&page);
	return text;
}

static void assert_says(const char *said, const char *wanted)
{
	assert_non_null(said);
	if (!strstr(said, wanted)) {
		fail_msg("'%s' is not in:\n%s", wanted, said ? said : "");
	}
}

static void test_every_size(void **state)
{
	fill(40);
	for (int unicode = 0; unicode < 2; unicode++) {
		for (int rows = 1; rows <= 70; rows++) {
			for (int columns = 1; columns <= 200; columns += columns < 30 ? 1 : 13) {
				lay((struct sm_picture_options){.rows = rows,
					.columns = columns,
					.unicode = unicode,
					.keys = true,
					.scroll = 39});
			}
		}
	}
}

static void test_a_wide_screen_says_all(void **state)
{
	fill(40);
	const char *said =
		lay((struct sm_picture_options){.rows = 80, .columns = 120, .keys = true});
	const char *const wanted[] = {"train.py", "recording for 2 min 14 s", "1,650 steps",
		"INPUT-BOUND", "stall 31.4 % of the time so far (30.6-32.3 %)", "last 10 s: 42 %",
		"Mean step", "310 ms", "Steps/s", "64 samples/s", "transform 71 %", "fetch 20 %",
		"40 workers, batches of 64", "job CPU 3.1 of 4 cores", "SM105", "SM106",
		"gives back 24 %", "4039", "fetching 300 ms", " q quit"};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_says(said, wanted[i]);
	}
	assert_null(strstr(said, "/dev/shm")); /* was not sampled */
	assert_null(strstr(said, "Worker 1-"));
	assert_int_equal(page.workers_shown, 40);
}

/* What is left of it, row by row: the verdict is there in two rows, a finding and three workers in fourteen. */
static void test_small_screens_keep_what_matters(void **state)
{
	fill(40);
	const char *said =
		lay((struct sm_picture_options){.rows = 24, .columns = 80, .keys = true});
	const char *const wanted[] = {"INPUT-BOUND", "stall 31.4 %", "Mean step", "Steps/s",
		"transform 71 %", "job CPU", "SM105", "SM106", "Worker 1-", " q quit"};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_says(said, wanted[i]);
	}
	said = lay((struct sm_picture_options){.rows = 14, .columns = 80, .keys = true});
	assert_says(said, "SM105");
	assert_says(said, "Steps/s");
	assert_says(said, "Worker 1-4 of 40");
	said = lay((struct sm_picture_options){.rows = 3, .columns = 40, .keys = true});
	assert_says(said, "INPUT-BOUND");
	assert_says(said, " q quit");
	assert_says(lay((struct sm_picture_options){.rows = 2, .columns = 40}), "INPUT-BOUND");
}

static void test_scrolling_and_sorting(void **state)
{
	fill(40);
	struct sm_picture_options options = {.rows = 20, .columns = 100, .keys = true};
	assert_says(lay(options), "4000");
	size_t shown = page.workers_shown;
	options.scroll = 1000; /* the last ones fill the table */
	assert_says(lay(options), "4039");
	assert_int_equal(page.workers_shown, shown);
	assert_int_equal(page.workers_first, 40 - shown);
	assert_null(strstr(text, "4000"));
	options.scroll = 0;
	options.sort = SM_PICTURE_BY_MEMORY;
	assert_says(lay(options), "4039");
	assert_says(text, "sort: memory");
	assert_null(strstr(text, "4000"));
	options.sort = SM_PICTURE_BY_BUSY; /* 17 * 7 % 40 is 39 */
	assert_says(lay(options), "4017");
	options.sort = SM_PICTURE_BY_READ; /* nothing is known: in their order */
	assert_says(lay(options), "4000");
}

static void test_what_is_not_known_is_not_said(void **state)
{
	fill(0);
	view.has_judgement = false;
	view.judgement = (struct sm_judgement){0};
	view.loaders[0].judged = -1;
	view.pulse.count = 0;
	view.window = (struct sm_pulse_time){0};
	view.window_s = 0;
	const char *said = lay((struct sm_picture_options){.columns = 100});
	assert_says(said, "not judged yet");
	assert_null(strstr(said, "nan"));
	assert_null(strstr(said, "stall 3"));
	assert_null(strstr(said, "last "));
	assert_null(strstr(said, "Findings"));
	snprintf(view.not_judged, sizeof(view.not_judged), "out of memory");
	assert_says(lay((struct sm_picture_options){.columns = 100}),
		"cannot be judged: out of memory");
	view.loader_count = 0;
	assert_says(lay((struct sm_picture_options){.columns = 100}),
		"no batch of a DataLoader was asked for yet");
}

static void test_alerts_stand_under_the_verdict(void **state)
{
	fill(1);
	view.alerts[0] = (struct sm_view_alert){"memory", 0.83, 0.8, 12};
	view.alert_count = 1;
	assert_says(lay((struct sm_picture_options){.rows = 12, .columns = 80}),
		"83 %, over 80 % for 12.0 s");
}

static void test_an_old_verdict_says_so(void **state)
{
	fill(1);
	view.judged_s = 2;
	assert_null(strstr(lay((struct sm_picture_options){.columns = 100}), " ago"));
	view.judged_s = 41;
	assert_says(lay((struct sm_picture_options){.columns = 100}), "(30.6-32.3 %) 41.0 s ago");
	assert_says(lay((struct sm_picture_options){.columns = 70}), "stall 31.4 % (30.6-32.3 %)");
}

static void test_a_wait_is_said(void **state)
{
	fill(1);
	view.loaders[0].waiting_s = 12.3;
	assert_says(lay((struct sm_picture_options){.columns = 100}), "waiting for 12.3 s");
}

static void test_the_end_says_how_to_go_on(void **state)
{
	fill(1);
	view.state = SM_VIEW_FINISHED;
	view.pulse.count = 0;
	view.window = (struct sm_pulse_time){0};
	sm_judgement_text(view.run, sizeof(view.run), "runs/base");
	const char *said = lay((struct sm_picture_options){.columns = 100});
	assert_says(said, "finished after 2 min 14 s");
	assert_says(said, "stallmeter report runs/base");
	assert_null(strstr(said, "so far"));
}

static void test_help(void **state)
{
	fill(3);
	const char *said = lay(
		(struct sm_picture_options){.rows = 40, .columns = 80, .keys = true, .help = true});
	assert_says(said, "PgUp, PgDn");
	assert_says(said, " ? back");
	lay((struct sm_picture_options){.rows = 5, .columns = 20, .keys = true, .help = true});
}

static void test_colour_is_asked_for(void **state)
{
	char *painted;
	size_t length;
	fill(1);
	struct sm_picture_options options = {.columns = 100};
	assert_null(strchr(lay(options), '\x1b'));
	assert_int_equal(sm_picture_lay(&page, &view, &options), 0);
	FILE *out = open_memstream(&painted, &length);
	assert_int_equal(sm_picture_write(&page, true, out), 0);
	fclose(out);
	sm_picture_finish(&page);
	assert_says(painted, "\x1b[1;7;31m INPUT-BOUND \x1b[0m");
	free(painted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_a_wide_screen_says_all),
		cmocka_unit_test(test_small_screens_keep_what_matters),
		cmocka_unit_test(test_scrolling_and_sorting),
		cmocka_unit_test(test_what_is_not_known_is_not_said),
		cmocka_unit_test(test_alerts_stand_under_the_verdict),
		cmocka_unit_test(test_an_old_verdict_says_so),
		cmocka_unit_test(test_a_wait_is_said),
		cmocka_unit_test(test_the_end_says_how_to_go_on),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_colour_is_asked_for),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(text);
	return failed;
}
