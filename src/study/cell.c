#include "study/cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Puts a comma between the thousands of a plain decimal number. */
static void add_commas(char text[SM_CELL_BYTES])
{
	char plain[SM_CELL_BYTES];
	memcpy(plain, text, sizeof(plain));
	size_t sign = plain[0] == '-', digits = strspn(plain + sign, "0123456789"), used = sign;
	for (size_t i = 0; i < digits; i++) {
		if (i && (digits - i) % 3 == 0) {
			text[used++] = ',';
		}
		text[used++] = plain[sign + i];
	}
	memcpy(text + used, plain + sign + digits, strlen(plain + sign + digits) + 1);
}

void sm_cell_fixed(char text[SM_CELL_BYTES], double value, int decimals)
{
	snprintf(text, SM_CELL_BYTES, "%.*f", decimals, value);
	add_commas(text);
}

/* Through "%.2e", which rounds once and for all and tells the power of ten: 99.96 becomes 1.00e+02 and is shown as 100. */
void sm_cell_number(char text[SM_CELL_BYTES], double value)
{
	double size = fabs(value);
	if (!isfinite(value) || (size > 0 && size < 1e-4) || size >= 1e15) {
		snprintf(text, SM_CELL_BYTES, "%.3g", value);
		return;
	}
	if (size == 0) {
		snprintf(text, SM_CELL_BYTES, "0");
		return;
	}
	snprintf(text, SM_CELL_BYTES, "%.2e", value);
	int power = atoi(strchr(text, 'e') + 1);
	sm_cell_fixed(text, strtod(text, NULL), power < 2 ? 2 - power : 0);
}

void sm_cell_place(char text[SM_CELL_BYTES], double value)
{
	if (value == floor(value) && fabs(value) < 1e15) {
		sm_cell_fixed(text, value, 0);
	} else {
		sm_cell_number(text, value);
	}
}

void sm_cell_interval(char text[SM_CELL_INTERVAL_BYTES], const struct sm_study_interval *interval)
{
	char middle[SM_CELL_BYTES], low[SM_CELL_BYTES], high[SM_CELL_BYTES];
	sm_cell_number(middle, interval->middle);
	if (isnan(interval->low) || isnan(interval->high)) {
		snprintf(text, SM_CELL_INTERVAL_BYTES, "%s", middle);
		return;
	}
	sm_cell_number(low, interval->low);
	sm_cell_number(high, interval->high);
	snprintf(text, SM_CELL_INTERVAL_BYTES, "%s (%s\xe2\x80\x93%s)", middle, low, high);
}
