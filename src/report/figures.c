#include "report/figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static double rounded(double value, int significant)
{
	char text[40];
	if (!isfinite(value)) {
		return NAN;
	}
	snprintf(text, sizeof(text), "%.*g", significant, value);
	return strtod(text, NULL);
}

static double to_nano(double value)
{
	char text[400]; /* the widest double in %f has 309 digits before the point */
	if (!isfinite(value)) {
		return NAN;
	}
	snprintf(text, sizeof(text), "%.9f", value);
	return strtod(text, NULL) + 0.0; /* no negative zero */
}

void sm_figures_share(struct sm_json *json, const char *key, double share)
{
	sm_json_double(json, key, to_nano(share));
}

void sm_figures_number(struct sm_json *json, const char *key, double value)
{
	sm_json_double(json, key, rounded(value, 7));
}

void sm_figures_ns(struct sm_json *json, const char *key, int64_t ns)
{
	sm_figures_number(json, key, ns < 0 ? NAN : (double)ns / 1e9);
}

void sm_figures_count(struct sm_json *json, const char *key, int64_t count)
{
	if (count < 0) {
		sm_json_null(json, key);
	} else {
		sm_json_int(json, key, count);
	}
}

void sm_figures_flag(struct sm_json *json, const char *key, int flag)
{
	if (flag < 0) {
		sm_json_null(json, key);
	} else {
		sm_json_bool(json, key, flag > 0);
	}
}

void sm_figures_parsed(struct sm_json *json, const char *key, const char *text)
{
	char *end = NULL;
	errno = 0;
	double value = text && *text ? strtod(text, &end) : NAN;
	if (!end || end == text || *end || errno) {
		sm_json_null(json, key);
	} else if (value == floor(value) && fabs(value) < 9e15) {
		sm_json_int(json, key, (int64_t)value);
	} else {
		sm_figures_number(json, key, value);
	}
}

static double as_share(double value)
{
	return to_nano(value);
}

static double as_number(double value)
{
	return rounded(value, 7);
}

static double as_drawn(double value)
{
	return rounded(value, 4);
}

static void list(struct sm_json *json, const char *key, const double *values, size_t count,
	double (*round_off)(double))
{
	int indent = json->indent;
	sm_json_begin_array(json, key);
	json->indent = 0;
	for (size_t i = 0; i < count; i++) {
		sm_json_double(json, NULL, round_off(values[i]));
	}
	sm_json_end(json);
	json->indent = indent;
}

void sm_figures_shares(struct sm_json *json, const char *key, const double *shares, size_t count)
{
	list(json, key, shares, count, as_share);
}

void sm_figures_numbers(struct sm_json *json, const char *key, const double *values, size_t count)
{
	list(json, key, values, count, as_number);
}

void sm_figures_drawn(struct sm_json *json, const char *key, const double *values, size_t count)
{
	list(json, key, values, count, as_drawn);
}
