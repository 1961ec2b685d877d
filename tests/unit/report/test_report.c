/* Every form of every sample: whole, the same twice, fitting its screen, and honest about failing. */
#include "report/outline.h"
#include "report/text.h"
#include "report_samples.h"

#include "base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

enum form { JSON, TERM, MARKDOWN, HTML, FORMS };

static int write_form(const struct sm_report *report, enum form form, FILE *out)
{
	static const struct sm_report_style style = {.columns = 100};
	return form == JSON	  ? sm_report_json(report, out)
	       : form == TERM	  ? sm_report_term(report, &style, out)
	       : form == MARKDOWN ? sm_report_markdown(report, out)
				  : sm_report_html(report, out);
}

static void text_of(const struct sm_report *report, enum form form, char **ret_text)
{
	size_t length = 0;
	FILE *out = open_memstream(ret_text, &length);
	assert_non_null(out);
	assert_int_equal(write_form(report, form, out), 0);
	fclose(out);
	assert_int_equal(strlen(*ret_text), length);
}

static void the_same_twice(void **state)
{
	(void)state;
	for (int i = 0; i < report_sample_count; i++) {
		for (int form = 0; form < FORMS; form++) {
			char *one = NULL;
			text_of(report_sample(report_sample_names[i]), (enum form)form, &one);
			char *two = NULL;
			text_of(report_sample(report_sample_names[i]), (enum form)form, &two);
			assert_true(strlen(one) > 100);
			assert_string_equal(one, two);
			free(one);
			free(two);
		}
	}
}

static void assert_says(const char *text, const char *words, const char *where)
{
	if (!strstr(text, words)) {
		fail_msg("%s does not say: %s", where, words);
	}
}

/* Markdown and the page are made for screens of any width, so each sentence stands in them whole. */
static void all_forms_use_the_same_words(void **state)
{
	(void)state;
	for (int i = 0; i < report_sample_count; i++) {
		const char *name = report_sample_names[i];
		struct sm_outline outline;
		if (strcmp(name, "hostile") == 0) { /* escaped differently in each */
			continue;
		}
		assert_int_equal(sm_outline_build(&outline, report_sample(name), true), 0);
		for (int form = MARKDOWN; form <= HTML; form++) {
			char *text = NULL;
			text_of(report_sample(name), (enum form)form, &text);
			assert_says(text, outline.verdict, name);
			assert_says(text, outline.sentence, name);
			assert_says(text, outline.cause, name);
			assert_says(text, outline.proof, name);
			assert_says(text, outline.next_gain, name);
			assert_says(text, outline.overhead, name);
			assert_says(text, outline.broken, name);
			free(text);
		}
		sm_outline_finish(&outline);
	}
}

/* A loop to rewrite that holds more than half of the time back comes before a setting that gives a fifth; one that
 * holds back little more than the setting gives does not. */
static void the_next_step_is_the_worthier_one(void **state)
{
	(void)state;
	const struct sm_suggestion code = {
		.text = "Write it without the loop.", .speedup = {NAN, NAN, NAN}};
	const struct sm_suggestion setting = {.text = "Use two workers.",
		.changes = {{"num_workers", 2}},
		.change_count = 1,
		.speedup = {1.2, 1.25, 1.3}};
	static const struct {
		double severity;
		const char *next;
	} rows[] = {{0.54, "Write it without the loop."}, {0.30, "Use two workers."}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sm_report report = *report_sample("input_bound");
		struct sm_finding finding = report.findings->items[0];
		struct sm_findings findings = {.items = &finding, .count = 1};
		struct sm_outline outline;
		finding.severity = rows[i].severity;
		finding.suggestions[0] = code;
		finding.suggestions[1] = setting;
		finding.suggestion_count = 2;
		report.findings = &findings;
		assert_int_equal(sm_outline_build(&outline, &report, true), 0);
		assert_string_equal(outline.next, rows[i].next);
		sm_outline_finish(&outline);
	}
}

/* Without workers the training's part of a step may be larger than any part of the input that binds it. */
static void the_narrow_place_is_of_what_binds(void **state)
{
	(void)state;
	static const struct {
		enum sm_verdict_class class_;
		enum sm_stage narrow;
	} rows[] = {{SM_VERDICT_INPUT_BOUND, SM_STAGE_FETCH},
		{SM_VERDICT_PARTLY_INPUT_BOUND, SM_STAGE_COMPUTE}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sm_report report = *report_sample("input_bound");
		struct sm_analysis analysis = *report.analysis;
		struct sm_loader_analysis loader = analysis.loaders[analysis.training_loader];
		struct sm_stage_row stages[] = {loader.stages[0], loader.stages[0]};
		struct sm_outline outline;
		stages[0].stage = SM_STAGE_FETCH;
		stages[0].share = 0.4;
		stages[1].stage = SM_STAGE_COMPUTE;
		stages[1].share = 0.6;
		memcpy(loader.stages, stages, sizeof(stages));
		loader.stage_count = 2;
		analysis.loaders = &loader;
		analysis.loader_count = 1;
		analysis.training_loader = 0;
		analysis.verdict.class_ = rows[i].class_;
		report.analysis = &analysis;
		assert_int_equal(sm_outline_build(&outline, &report, true), 0);
		for (size_t j = 0; j < outline.training->stage_count; j++) {
			const struct sm_outline_stage *stage = &outline.training->stages[j];
			assert_int_equal(stage->binds, stage->stage == rows[i].narrow);
		}
		sm_outline_finish(&outline);
	}
}

static void assert_fits(const char *name, int columns, bool unicode)
{
	struct sm_report_style style = {.unicode = unicode, .columns = columns};
	char *text = NULL, *rest = NULL;
	size_t length = 0;
	int lines = 0;
	FILE *out = open_memstream(&text, &length);
	assert_int_equal(sm_report_term(report_sample(name), &style, out), 0);
	fclose(out);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sm_text_width(line) > columns) {
			fail_msg("%s at %d columns: %s", name, columns, line);
		}
	}
	for (size_t i = 0; i < length; i++) { /* strtok left NULs where lines ended */
		lines += text[i] == '\0' || text[i] == '\n';
	}
	assert_in_range(lines, 5, 25);
	free(text);
}

static void a_screen_is_never_overrun(void **state)
{
	(void)state;
	for (int i = 0; i < report_sample_count; i++) {
		for (int columns = 40; columns <= 100; columns++) {
			assert_fits(report_sample_names[i], columns, false);
			assert_fits(report_sample_names[i], columns, true);
		}
	}
}

static void plain_is_ascii_without_escapes(void **state)
{
	(void)state;
	for (int i = 0; i < report_sample_count; i++) {
		char *text = NULL;
		text_of(report_sample(report_sample_names[i]), TERM, &text);
		for (const char *at = text; *at; at++) {
			assert_in_range((unsigned char)*at, '\n', '~');
		}
		free(text);
	}
}

static void the_page_does_not_believe_names(void **state)
{
	(void)state;
	char *page = NULL;
	text_of(report_sample("hostile"), HTML, &page);
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "train <b>"));
	assert_null(strchr(page, '\x1b'));
	int ends = 0;
	for (const char *at = page; (at = strstr(at, "</script")); at++) {
		ends++;
	}
	assert_int_equal(ends, 2); /* of the data and of the page's own script */
	free(page);
}

static void a_full_disk_is_reported(void **state)
{
	(void)state;
	for (int form = 0; form < FORMS; form++) {
		FILE *full = fopen("/dev/full", "w");
		if (!full) {
			skip();
		}
		assert_int_equal(
			write_form(report_sample("input_bound"), (enum form)form, full), -EIO);
		fclose(full);
	}
}

/* Walks every allocation of a form until it succeeds. */
static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	for (int form = 0; form < FORMS; form++) {
		int rc = -ENOMEM, n = 0;
		FILE *nowhere = fopen("/dev/null", "w");
		assert_non_null(nowhere);
		while (rc) {
			sm_mem_fail_at(++n);
			rc = write_form(report_sample("two_loaders"), (enum form)form, nowhere);
			sm_mem_fail_at(0);
			assert_true(rc == 0 || rc == -ENOMEM);
		}
		assert_true(n > 2);
		fclose(nowhere);
	}
}

static void shares_survive_rounding(void **state)
{
	(void)state;
	char *json = NULL;
	text_of(report_sample("input_bound"), JSON, &json);
	const char *stages = strstr(json, "\"stages\""), *end = strstr(json, "\"transforms\"");
	double sum = 0;
	for (const char *at = stages; (at = strstr(at, "\"share\": ")) && at < end; at++) {
		sum += strtod(at + strlen("\"share\": "), NULL);
	}
	assert_true(sum > 1 - 1e-8 && sum < 1 + 1e-8);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_twice),
		cmocka_unit_test(all_forms_use_the_same_words),
		cmocka_unit_test(the_next_step_is_the_worthier_one),
		cmocka_unit_test(the_narrow_place_is_of_what_binds),
		cmocka_unit_test(a_screen_is_never_overrun),
		cmocka_unit_test(plain_is_ascii_without_escapes),
		cmocka_unit_test(the_page_does_not_believe_names),
		cmocka_unit_test(a_full_disk_is_reported),
		cmocka_unit_test(memory_may_run_out_anywhere),
		cmocka_unit_test(shares_survive_rounding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
