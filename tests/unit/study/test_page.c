/* The page in all its forms: whole, the same twice, believing nothing it is told, and honest about failing. */
#include "base/mem.h"
#include "report/text.h"

#include <stallmeter/study.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FORMS = 3 };

#define HOSTILE "</script><script>alert(1)</script>|`*\x1b[31m\x80\xff\n& \"'"

/* --- a page of everything --- */

static int add_table(struct sm_page *page, const char *word)
{
	const char *const columns[] = {"num_workers", "samples/s", word};
	const struct sm_page_cell cells[] = {
		{.kind = SM_PAGE_CELL_COUNT, .number = {2, NAN, NAN}},
		{.kind = SM_PAGE_CELL_INTERVAL, .number = {1234, 1187, 1266}},
		{.kind = SM_PAGE_CELL_TEXT, .text = word},
		{.kind = SM_PAGE_CELL_COUNT, .number = {1200000, NAN, NAN}},
		{.kind = SM_PAGE_CELL_NUMBER, .number = {0.04567, 1, 2}},
		{.kind = SM_PAGE_CELL_NONE},
	};
	return sm_page_table(page, &(struct sm_page_table){columns, cells, 3, 2, 0, word});
}

static int add_chart(struct sm_page *page, const char *word)
{
	const struct sm_page_point one[] = {{4, {20, 18, 22}}, {2, {10, 9, 11}},
		{8, {NAN, NAN, NAN}}},
				   other[] = {{2, {5, NAN, NAN}}, {8, {25, NAN, NAN}}};
	const struct sm_page_series series[] = {{"batch 16", one, 3}, {word, other, 2}};
	return sm_page_chart(
		page, &(struct sm_page_chart){word, "num_workers", "samples/s", series, 2, 4});
}

static int add_finding(struct sm_page *page, const char *word)
{
	const struct sm_page_evidence evidence[] = {
		{"worker_busy_share", "share", 0.99}, {word, "s", NAN}};
	const struct sm_page_suggestion suggestions[] = {
		{"Use four workers.", "num_workers=4", {1.7, 1.6, 1.8}},
		{word, NULL, {NAN, NAN, NAN}}};
	return sm_page_finding(page, &(struct sm_page_finding){.id = "SM102",
					     .type = "INSUFFICIENT_WORKERS",
					     .cause = "too_few_workers",
					     .confidence = "high",
					     .risk = word,
					     .severity = {0.41, 0.38, 0.44},
					     .name = word,
					     .file = "data.py",
					     .line = 88,
					     .rank = -1,
					     .evidence = evidence,
					     .suggestions = suggestions,
					     .evidence_count = 2,
					     .suggestion_count = 2});
}

static int add_all(struct sm_page *page, const char *word)
{
	const struct sm_page_pair facts[] = {{"now", "412 samples/s"}, {word, word}};
	int rc = sm_page_verdict(page, "FOUR WORKERS", word, SM_PAGE_PARTLY);
	rc = rc ? rc : sm_page_facts(page, facts, 2);
	rc = rc ? rc : sm_page_heading(page, word);
	rc = rc ? rc : sm_page_text(page, word);
	rc = rc ? rc : add_table(page, word);
	rc = rc ? rc : add_chart(page, word);
	return rc ? rc : add_finding(page, word);
}

static struct sm_page *create(const char *word)
{
	struct sm_page *page = NULL;
	assert_int_equal(sm_page_create(&page, word, "Data loading"), 0);
	return page;
}

static char *text_of(const struct sm_page *page, int form)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	assert_int_equal(sm_page_write(page, (enum sm_page_form)form, out), 0);
	fclose(out);
	assert_int_equal(strlen(text), length);
	return text;
}

static void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words)) {
		fail_msg("does not say: %s", words);
	}
}

static int count_of(const char *text, const char *words)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, words)); at++) {
		count++;
	}
	return count;
}

/* --- what it says --- */

static void every_form_says_everything(void **state)
{
	static const char *const words[] = {"train.py", "Data loading", "FOUR WORKERS",
		"412 samples/s",
		"1,230 (1,190\xe2\x80\x93"
		"1,270)",
		"0.0457", "1,200,000", "\xe2\x80\x93", "Not enough workers",
		"gives back 41 % (38\xe2\x80\x93"
		"44 %)",
		"high confidence", "too few workers", "data.py:88", "99 %", "Use four workers.",
		"predicted 1.70\xc3\x97 faster", "batch 16"};
	struct sm_page *page = create("train.py");
	(void)state;
	assert_int_equal(add_all(page, "train.py"), 0);
	for (int form = 0; form < FORMS; form++) {
		char *text = text_of(page, form);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			assert_says(text, words[i]);
		}
		char *again = text_of(page, form);
		assert_string_equal(text, again);
		free(text);
		free(again);
	}
	sm_page_destroy(page);
}

static void boxes_open_and_close(void **state)
{
	struct sm_page *page = create("train.py");
	const struct sm_page_pair fact = {"now", "then"};
	(void)state;
	assert_int_equal(sm_page_text(page, "before"), 0);
	assert_int_equal(add_all(page, "one"), 0);
	assert_int_equal(add_chart(page, "two"), 0);
	assert_int_equal(add_chart(page, "three"), 0);
	assert_int_equal(sm_page_facts(page, &fact, 1), 0);
	assert_int_equal(add_chart(page, "four"), 0);
	assert_int_equal(sm_page_heading(page, "five"), 0);
	assert_int_equal(add_chart(page, "six"), 0);
	assert_int_equal(sm_page_verdict(page, "seven", "eight", SM_PAGE_FINE), 0);
	assert_int_equal(sm_page_verdict(page, "nine", "ten", SM_PAGE_UNSURE), 0);
	char *html = text_of(page, SM_PAGE_HTML);
	static const char *const tags[] = {
		"section", "div", "figure", "details", "table", "dl", "g"};
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char open[16], open_plain[16], close[16];
		snprintf(open, sizeof(open), "<%s ", tags[i]);
		snprintf(open_plain, sizeof(open_plain), "<%s>", tags[i]);
		snprintf(close, sizeof(close), "</%s>", tags[i]);
		assert_int_equal(
			count_of(html, open) + count_of(html, open_plain), count_of(html, close));
	}
	/* Before, of the first heading, of the second; and three verdicts. */
	assert_int_equal(count_of(html, "<section class=\"part\">"), 3);
	assert_int_equal(count_of(html, "<section class=\"verdict"), 3);
	/* Those that follow each other directly share a box. */
	assert_int_equal(count_of(html, "<div class=\"charts\">"), 4);
	free(html);
	sm_page_destroy(page);
}

static void what_is_by_doubling_is_drawn_so(void **state)
{
	struct sm_page *page = create("train.py");
	(void)state;
	assert_int_equal(add_chart(page, "chart"), 0);
	char *html = text_of(page, SM_PAGE_HTML);
	/* 2, 4 and 8 stand at equal distances: the first axis ends at 500 and begins right of its labels. */
	assert_says(html, ">2</text>");
	assert_says(html, ">4</text>");
	assert_says(html, ">8</text>");
	assert_null(strstr(html, ">6</text>"));
	assert_says(html, ">best 4</text>");
	assert_says(html, "<title>batch 16 4: 20.0 (18.0\xe2\x80\x93"
			  "22.0)</title>");
	/* Two error bars, though the curve has three points: one was not measured. */
	assert_int_equal(count_of(html, "class=\"bar\""), 2);
	free(html);
	sm_page_destroy(page);
}

static void a_chart_of_nothing_says_so(void **state)
{
	struct sm_page *page = create("train.py");
	const struct sm_page_point point = {1, {NAN, NAN, NAN}};
	const struct sm_page_series series = {"memory", &point, 1};
	(void)state;
	assert_int_equal(
		sm_page_chart(page, &(struct sm_page_chart){"One", "x", "y", &series, 1, NAN}), 0);
	assert_int_equal(
		sm_page_chart(page, &(struct sm_page_chart){"Two", "x", "y", NULL, 0, 3}), 0);
	char *html = text_of(page, SM_PAGE_HTML);
	assert_int_equal(count_of(html, "Nothing was measured."), 2);
	assert_null(strstr(html, "<svg"));
	assert_null(strstr(html, "nan"));
	free(html);
	sm_page_destroy(page);
}

/* Many points are a line without marks, and a table of some. */
static void long_series_are_thinned_in_words(void **state)
{
	struct sm_page *page = create("train.py");
	struct sm_page_point points[1000];
	const struct sm_page_series series = {"CPU", points, 1000};
	(void)state;
	for (int i = 0; i < 1000; i++) {
		points[i] = (struct sm_page_point){i, {i % 17, NAN, NAN}};
	}
	assert_int_equal(
		sm_page_chart(page, &(struct sm_page_chart){"CPU", "s", "%", &series, 1, 123}), 0);
	char *html = text_of(page, SM_PAGE_HTML), *markdown = text_of(page, SM_PAGE_MARKDOWN);
	assert_int_equal(count_of(html, "class=\"point\""), 0);
	assert_int_equal(count_of(markdown, "\n| "), 22); /* a head, 20 points and the best */
	assert_says(markdown, "One in 50 of 1000 points.");
	assert_says(markdown, "| **123** | **4.00** |");
	free(html);
	free(markdown);
	sm_page_destroy(page);
}

static void lines_of_text_fit(void **state)
{
	struct sm_page *page =
		create("a title that goes on and on and on and on and on and on and on "
		       "and on and on and on and on and on");
	enum { COLUMNS_MANY = 20 };
	const char *columns[COLUMNS_MANY];
	struct sm_page_cell cells[2 * COLUMNS_MANY];
	(void)state;
	for (int i = 0; i < 2 * COLUMNS_MANY; i++) {
		columns[i % COLUMNS_MANY] = "a heading of some words";
		cells[i] = i < COLUMNS_MANY
				   ? (struct sm_page_cell){SM_PAGE_CELL_COUNT, NULL, {1e9, 0, 0}}
				   : (struct sm_page_cell){SM_PAGE_CELL_TEXT,
					     "some_long_word_that_has_no_end and more words", {0}};
	}
	for (size_t count = 1; count <= COLUMNS_MANY; count++) {
		assert_int_equal(sm_page_table(page, &(struct sm_page_table){columns, cells, count,
							     1, -1, NULL}),
			0);
		assert_int_equal(
			sm_page_table(page, &(struct sm_page_table){columns, cells + COLUMNS_MANY,
						    count, 1, 0, NULL}),
			0);
	}
	assert_int_equal(add_all(page, "word"), 0);
	char *text = text_of(page, SM_PAGE_TEXT), *rest = NULL;
	assert_int_equal(count_of(text, "1,000,000,000"), COLUMNS_MANY * (COLUMNS_MANY + 1) / 2);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sm_text_width(line) > 100) {
			fail_msg("too wide: %s", line);
		}
		assert_true(line[strlen(line) - 1] != ' ');
	}
	free(text);
	sm_page_destroy(page);
}

/* --- what it does not believe --- */

static void assert_characters(const char *text)
{
	while (*text) {
		uint32_t point;
		text += sm_text_point(text, &point);
		assert_true(sm_text_is_harmless(point) || point == '\n');
	}
}

static void no_form_believes_its_words(void **state)
{
	struct sm_page *page = create(HOSTILE);
	(void)state;
	assert_int_equal(add_all(page, HOSTILE), 0);
	for (int form = 0; form < FORMS; form++) {
		char *text = text_of(page, form);
		assert_characters(text);
		if (form == SM_PAGE_HTML) {
			assert_null(strstr(text, "<script"));
			assert_null(strstr(text, "</script"));
			assert_says(text, "&lt;script&gt;alert(1)");
		}
		if (form == SM_PAGE_MARKDOWN) {
			assert_int_equal(count_of(text, "<"), count_of(text, "\\<"));
			assert_says(text, "\\<script\\>alert(1)\\</script\\>\\|\\`\\*");
		}
		free(text);
	}
	sm_page_destroy(page);
}

static void what_is_beyond_bounds_is_refused(void **state)
{
	struct sm_page *page = create("train.py");
	const char *const column = "one";
	const struct sm_page_cell cell = {.kind = SM_PAGE_CELL_NONE};
	const struct sm_page_point endless = {INFINITY, {1, 1, 1}};
	const struct sm_page_series series = {"x", &endless, 1};
	struct sm_page_finding finding = {.type = "MINE", .confidence = "certain", .rank = -1};
	(void)state;
	char *before = text_of(page, SM_PAGE_HTML);
	assert_int_equal(
		sm_page_table(page, &(struct sm_page_table){&column, &cell, 0, 0, -1, NULL}),
		-EINVAL);
	assert_int_equal(
		sm_page_table(page, &(struct sm_page_table){&column, &cell, 1, 1, 1, NULL}),
		-EINVAL);
	assert_int_equal(sm_page_table(page, &(struct sm_page_table){&column, &cell,
						     SM_PAGE_COLUMNS_MAX + 1, 0, -1, NULL}),
		-EINVAL);
	assert_int_equal(
		sm_page_chart(page, &(struct sm_page_chart){"t", "x", "y", &series, 1, NAN}),
		-EINVAL);
	assert_int_equal(sm_page_finding(page, &finding), -EINVAL);
	finding.confidence = NULL;
	assert_int_equal(sm_page_finding(page, &finding), -EINVAL);
	finding.confidence = "low";
	finding.evidence_count = SM_PAGE_EVIDENCE_MAX + 1;
	assert_int_equal(sm_page_finding(page, &finding), -EINVAL);
	char *after = text_of(page, SM_PAGE_HTML);
	assert_string_equal(before, after);
	free(before);
	free(after);
	sm_page_destroy(page);
}

/* --- failing --- */

static int make_and_write(int form, FILE *out)
{
	struct sm_page *page = NULL;
	int rc = sm_page_create(&page, "train.py", "Data loading");
	rc = rc ? rc : add_all(page, "a word or two");
	rc = rc ? rc : sm_page_write(page, (enum sm_page_form)form, out);
	sm_page_destroy(page);
	return rc;
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	for (int form = 0; form < FORMS; form++) {
		int rc = -ENOMEM, n = 0;
		FILE *nowhere = fopen("/dev/null", "w");
		assert_non_null(nowhere);
		while (rc) {
			sm_mem_fail_at(++n);
			rc = make_and_write(form, nowhere);
			sm_mem_fail_at(0);
			assert_true(rc == 0 || rc == -ENOMEM);
		}
		assert_true(n > (form == SM_PAGE_TEXT ? 4 : 2));
		fclose(nowhere);
	}
}

/* An arena asks for memory seldom; here each block needs a page of its own. */
static void a_block_that_found_no_memory_is_not_there(void **state)
{
	enum { LONG = 80 * 1024 };
	char *words = malloc(LONG + 1);
	struct sm_page *page = create("train.py");
	(void)state;
	assert_non_null(words);
	memset(words, 'x', LONG);
	words[LONG] = '\0';
	char *before = text_of(page, SM_PAGE_TEXT);
	sm_mem_fail_at(1);
	assert_int_equal(sm_page_text(page, words), -ENOMEM);
	sm_mem_fail_at(0);
	char *after = text_of(page, SM_PAGE_TEXT);
	assert_string_equal(before, after);
	assert_int_equal(sm_page_text(page, "and on"), 0);
	free(before);
	free(after);
	free(words);
	sm_page_destroy(page);
}

static void a_full_disk_is_reported(void **state)
{
	(void)state;
	for (int form = 0; form < FORMS; form++) {
		FILE *full = fopen("/dev/full", "w");
		if (!full) {
			skip();
		}
		assert_int_equal(make_and_write(form, full), -EIO);
		fclose(full);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_says_everything),
		cmocka_unit_test(boxes_open_and_close),
		cmocka_unit_test(what_is_by_doubling_is_drawn_so),
		cmocka_unit_test(a_chart_of_nothing_says_so),
		cmocka_unit_test(long_series_are_thinned_in_words),
		cmocka_unit_test(lines_of_text_fit),
		cmocka_unit_test(no_form_believes_its_words),
		cmocka_unit_test(what_is_beyond_bounds_is_refused),
		cmocka_unit_test(memory_may_run_out_anywhere),
		cmocka_unit_test(a_block_that_found_no_memory_is_not_there),
		cmocka_unit_test(a_full_disk_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
