/* What the writer says, byte by byte: reports are compared between runs. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *text; /* owned, what the last document said */
static size_t length;
static struct sm_json json;

static void open_document(int indent)
{
	free(text);
	text = NULL;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	sm_json_init(&json, out, indent);
}

static const char *close_document(void)
{
	assert_int_equal(fclose(json.out), 0);
	return text;
}

static void one_line_without_indent(void **state)
{
	open_document(0);
	sm_json_begin_object(&json, NULL);
	sm_json_int(&json, "count", -3);
	sm_json_begin_array(&json, "list");
	sm_json_bool(&json, NULL, true);
	sm_json_null(&json, NULL);
	sm_json_begin_object(&json, NULL);
	sm_json_end(&json);
	sm_json_end(&json);
	sm_json_string(&json, "name", NULL);
	sm_json_end(&json);
	assert_string_equal(
		close_document(), "{\"count\":-3,\"list\":[true,null,{}],\"name\":null}");
}

static void lines_with_indent(void **state)
{
	open_document(2);
	sm_json_begin_object(&json, NULL);
	sm_json_begin_array(&json, "empty");
	sm_json_end(&json);
	sm_json_begin_array(&json, "list");
	sm_json_int(&json, NULL, 1);
	sm_json_int(&json, NULL, 2);
	sm_json_end(&json);
	sm_json_end(&json);
	assert_string_equal(
		close_document(), "{\n  \"empty\": [],\n  \"list\": [\n    1,\n    2\n  ]\n}\n");
}

static const char *say_double(double value)
{
	open_document(0);
	sm_json_double(&json, NULL, value);
	return close_document();
}

static void numbers_read_back_as_they_were(void **state)
{
	assert_string_equal(say_double(0), "0");
	assert_string_equal(say_double(0.1), "0.1");
	assert_string_equal(say_double(1e300), "1e+300");
	const double hard[] = {
		1.0 / 3, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -2.5e-10, 123456789012345678.0};
	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		assert_true(strtod(say_double(hard[i]), NULL) == hard[i]);
	}
}

static void what_was_not_measured_is_null(void **state)
{
	assert_string_equal(say_double(NAN), "null");
	assert_string_equal(say_double(INFINITY), "null");
	assert_string_equal(say_double(-INFINITY), "null");
}

static const char *say_text(const char *said)
{
	open_document(0);
	sm_json_string(&json, NULL, said);
	return close_document();
}

static void texts_are_escaped(void **state)
{
	assert_string_equal(say_text("a\"b\\c"), "\"a\\\"b\\\\c\"");
	assert_string_equal(say_text("\n\t\x01"), "\"\\u000a\\u0009\\u0001\"");
	assert_string_equal(say_text("</script>"), "\"\\u003c/script>\"");
	assert_string_equal(say_text("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
		"\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

static void broken_utf8_is_replaced_byte_by_byte(void **state)
{
	assert_string_equal(say_text("\xff"), "\"\\ufffd\"");
	assert_string_equal(say_text("\xc3"), "\"\\ufffd\""); /* cut */
	assert_string_equal(
		say_text("\xc0\x80"), "\"\\ufffd\\ufffd\""); /* longer than it needs to be */
	assert_string_equal(
		say_text("\xed\xa0\x80x"), "\"\\ufffd\\ufffd\\ufffdx\""); /* half of a pair */
	assert_string_equal(say_text("\xf4\x90\x80\x80"),
		"\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond the last */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_without_indent),
		cmocka_unit_test(lines_with_indent),
		cmocka_unit_test(numbers_read_back_as_they_were),
		cmocka_unit_test(what_was_not_measured_is_null),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(broken_utf8_is_replaced_byte_by_byte),
	};
	int failed = cmocka_run_group_tests_name("json", tests, NULL, NULL);
	free(text);
	return failed;
}
