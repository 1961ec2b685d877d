/* Figures: three significant digits, rounded once, commas between thousands. */
#include "study/cell.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void numbers_have_three_digits(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0, "0"}, {-0.0, "0"}, {1, "1.00"}, {1.005, "1.00"}, {12.345, "12.3"},
		{99.96, "100"}, {123.4, "123"}, {1234.5, "1,230"}, {999600, "1,000,000"},
		{-1234567, "-1,230,000"}, {-123, "-123"}, {0.04567, "0.0457"},
		{0.0009996, "0.00100"}, {0.0001234, "0.000123"}, {4.567e-7, "4.57e-07"},
		{1.5e15, "1.5e+15"}, {INFINITY, "inf"}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[SM_CELL_BYTES];
		sm_cell_number(text, rows[i].value);
		assert_string_equal(text, rows[i].text);
	}
}

static void whole_places_are_exact(void **state)
{
	char text[SM_CELL_BYTES];
	(void)state;
	sm_cell_place(text, 64);
	assert_string_equal(text, "64");
	sm_cell_place(text, 123457);
	assert_string_equal(text, "123,457");
	sm_cell_place(text, 0.5);
	assert_string_equal(text, "0.500");
}

static void intervals_show_their_ends(void **state)
{
	char text[SM_CELL_INTERVAL_BYTES];
	(void)state;
	sm_cell_interval(text, &(struct sm_study_interval){1234, 1187, 1266});
	assert_string_equal(text, "1,230 (1,190\xe2\x80\x93"
				  "1,270)");
	sm_cell_interval(text, &(struct sm_study_interval){12, NAN, NAN});
	assert_string_equal(text, "12.0");
	sm_cell_interval(text, &(struct sm_study_interval){-1.2345678e-300, -1e308, 1e308});
	assert_string_equal(text, "-1.23e-300 (-1e+308\xe2\x80\x93"
				  "1e+308)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_three_digits),
		cmocka_unit_test(whole_places_are_exact),
		cmocka_unit_test(intervals_show_their_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
