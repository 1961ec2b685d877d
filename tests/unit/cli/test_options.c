#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct given {
	bool quiet, fast;
	const char *output;
	uint64_t limit;
	int level;
	double seconds, share;
};

static const struct sm_option table[] = {
	{"quiet", 'q', SM_OPTION_FLAG, offsetof(struct given, quiet), NULL, "less"},
	{"fast", 'f', SM_OPTION_FLAG, offsetof(struct given, fast), NULL, "sooner"},
	{"output", 'o', SM_OPTION_TEXT, offsetof(struct given, output), "DIR", "where"},
	{"limit", 0, SM_OPTION_SIZE, offsetof(struct given, limit), "SIZE", "how much"},
	{"level", 0, SM_OPTION_CHOICE, offsetof(struct given, level), "low|middle|high",
		"how deep"},
	{"seconds", 0, SM_OPTION_SECONDS, offsetof(struct given, seconds), "SECONDS", "how long"},
	{"share", 0, SM_OPTION_SHARE, offsetof(struct given, share), "SHARE", "how full"},
	{0},
};

static struct sm_command command = {.name = "try",
	.args = "[options] X",
	.summary = "tries",
	.options = table,
	.options_bytes = sizeof(struct given)};
static struct given given;
static struct sm_options_result result;

/* Parses the words up to NULL; the operands are then in `argv`. */
static char *argv[16];

static bool parse(const char *first, ...)
{
	static char words[16][64];
	int argc = 0;
	va_list args;
	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *)) {
		snprintf(words[argc], sizeof(words[argc]), "%s", word);
		argv[argc] = words[argc];
		argc++;
	}
	va_end(args);
	argv[argc] = NULL;
	given = (struct given){0};
	return sm_options_parse(&command, &given, argc, argv, &result);
}

static void test_every_way_to_write_an_option(void **state)
{
	assert_true(parse("-q", "-o", "a", "--limit", "2K", "--level=high", "x", NULL));
	assert_true(given.quiet && !given.fast && given.limit == 2048 && given.level == 2);
	assert_string_equal(given.output, "a");
	assert_int_equal(result.operand_count, 1);
	assert_true(parse("x", "-qfob", "y", NULL));
	assert_true(given.quiet && given.fast);
	assert_string_equal(given.output, "b");
	assert_int_equal(result.operand_count, 2);
	assert_string_equal(argv[1], "y");
	assert_true(parse("--output=", "-", NULL));
	assert_string_equal(given.output, "");
	assert_string_equal(argv[0], "-"); /* an operand, as everywhere */
}

static void test_what_belongs_to_the_command_is_left_to_it(void **state)
{
	command.stop_at_operand = true;
	assert_true(parse("-q", "python", "-f", "--", "--level", NULL));
	assert_true(given.quiet && !given.fast);
	assert_int_equal(result.operand_count, 4);
	assert_string_equal(argv[2], "--");
	assert_true(parse("--", "-q", NULL));
	assert_false(given.quiet);
	assert_string_equal(argv[0], "-q");
	command.stop_at_operand = false;
}

static void test_what_is_wrong_is_said(void **state)
{
	assert_false(parse("--livel", "high", NULL));
	assert_string_equal(result.help, "did you mean --level?");
	assert_false(parse("--level", "loud", NULL));
	assert_string_equal(result.wrong, "loud");
	assert_string_equal(result.why, "is none of low|middle|high");
	assert_false(parse("--level", "hig", NULL));
	assert_false(parse("--limit", "12 parsecs", NULL));
	assert_string_equal(result.why, "is no size");
	assert_false(parse("-o", NULL));
	assert_string_equal(result.why, "lacks its value");
	assert_false(parse("--quiet=yes", NULL));
	assert_string_equal(result.why, "takes no value");
	assert_false(parse("-z", NULL));
	assert_string_equal(result.wrong, "-z");
	assert_true(parse("-h", NULL) && result.wants_help);
}

static void test_numbers(void **state)
{
	static const char *const no_seconds[] = {
		"0", "-1", "nan", "inf", "1s", "", "x", "1e400", "10000000"};
	static const char *const no_share[] = {"-0.1", "1.01", "80%", "nan", "", "x"};
	assert_true(parse("--seconds", "0.25", "--share=1", NULL));
	assert_true(given.seconds == 0.25 && given.share == 1);
	assert_true(parse("--share", "0", NULL));
	for (size_t i = 0; i < sizeof(no_seconds) / sizeof(no_seconds[0]); i++) {
		assert_false(parse("--seconds", no_seconds[i], NULL));
		assert_string_equal(result.why, "is no number of seconds above 0");
	}
	for (size_t i = 0; i < sizeof(no_share) / sizeof(no_share[0]); i++) {
		assert_false(parse("--share", no_share[i], NULL));
		assert_string_equal(result.why, "is no share, 0 to 1");
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"100000", 100000}, {"512M", 512ULL << 20}, {"1.5GiB", 3ULL << 29},
		{"2gb", 2ULL << 30}, {"7B", 7}};
	static const char *const bad[] = {
		"", "x", "-1", "1X", "1MM", "1e3", "nan", "inf", "1 M", "9999999T"};
	uint64_t bytes;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(sm_options_size(good[i].text, &bytes));
		assert_true(bytes == good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(sm_options_size(bad[i], &bytes));
	}
}

static void test_the_nearest_word(void **state)
{
	static const char *const words[] = {"run", "report", "doctor", NULL};
	assert_string_equal(sm_options_nearest("reprot", words), "report");
	assert_string_equal(sm_options_nearest("doctr", words), "doctor");
	assert_null(sm_options_nearest("xyz", words));
	assert_null(sm_options_nearest("", words));
}

static void test_help_names_every_option(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	sm_options_help(&command, out);
	fclose(out);
	for (const struct sm_option *option = table; option->name; option++) {
		assert_non_null(strstr(text, option->name));
		assert_non_null(strstr(text, option->help));
	}
	assert_non_null(strstr(text, "usage: stallmeter try [options] X\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_way_to_write_an_option),
		cmocka_unit_test(test_what_belongs_to_the_command_is_left_to_it),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_the_nearest_word),
		cmocka_unit_test(test_help_names_every_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
