#include "report/phrases.h"

#include "report/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char unknown[] = "unknown";

const char *sm_phrases_printf(struct sm_phrases *words, const char *format, ...)
{
	char small[1024];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	char *text = length < 0 ? NULL : sm_arena_alloc(words->arena, (size_t)length + 1);
	if (!text) {
		words->failed = true;
		return "";
	}
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

const char *sm_phrases_clean(struct sm_phrases *words, const char *text)
{
	size_t length = text ? strlen(text) : 0;
	char *clean = sm_arena_alloc(words->arena, length + 1);
	if (!clean) {
		words->failed = true;
		return "";
	}
	size_t used = 0;
	for (size_t at = 0; at < length;) {
		uint32_t point;
		size_t step = sm_text_point(text + at, &point);
		if (sm_text_is_harmless(point)) {
			memcpy(clean + used, text + at, step);
			used += step;
		} else {
			clean[used++] = point == '\n' || point == '\t' ? ' ' : '?';
		}
		at += step;
	}
	return clean;
}

static const char *dash(const struct sm_phrases *words)
{
	return words->unicode ? "\xe2\x80\x93" : "-";
}

static const char *times_sign(const struct sm_phrases *words)
{
	return words->unicode ? "\xc3\x97" : "x";
}

/* Decimals that leave three significant digits. */
static int decimals(double value)
{
	double size = fabs(value);
	return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

static int share_decimals(double low, double high)
{
	return high - low < 0.02 ? 1 : 0;
}

const char *sm_phrases_share(struct sm_phrases *words, double share)
{
	double percent = share * 100;
	if (isnan(share)) {
		return unknown;
	}
	if (percent > 0 && percent < 0.1) {
		return "<0.1 %";
	}
	bool fine = (percent > 0 && percent < 9.95) || (percent >= 99.5 && percent < 100);
	bool nearly_all = percent >= 99.95 && percent < 100;
	return nearly_all ? ">99.9 %" : sm_phrases_printf(words, "%.*f %%", fine ? 1 : 0, percent);
}

const char *sm_phrases_share_range(struct sm_phrases *words, double low, double high)
{
	if (isnan(low) || isnan(high)) {
		return unknown;
	}
	int digits = share_decimals(low, high);
	return sm_phrases_printf(
		words, "%.*f%s%.*f %%", digits, low * 100, dash(words), digits, high * 100);
}

const char *sm_phrases_share_of(struct sm_phrases *words, double share, double low, double high)
{
	if (isnan(share) || isnan(low) || isnan(high)) {
		return sm_phrases_share(words, share);
	}
	return sm_phrases_printf(words, "%.*f %%", share_decimals(low, high), share * 100);
}

static const char *long_time(struct sm_phrases *words, double seconds)
{
	int64_t whole = (int64_t)llround(seconds);
	int hours = (int)(whole / 3600), minutes = (int)(whole / 60 % 60), rest = (int)(whole % 60);
	return hours ? sm_phrases_printf(words, "%d h %d min", hours, minutes)
		     : sm_phrases_printf(words, "%d min %d s", minutes, rest);
}

const char *sm_phrases_seconds(struct sm_phrases *words, double seconds)
{
	double size = fabs(seconds);
	if (isnan(seconds)) {
		return unknown;
	}
	if (size >= 1e9) {
		return "over 30 years";
	}
	if (size >= 59.995) {
		return long_time(words, seconds);
	}
	if (size == 0) {
		return "0 s";
	}
	double unit = size >= 0.9995	  ? 1
		      : size >= 0.9995e-3 ? 1e-3
		      : size >= 0.9995e-6 ? 1e-6
					  : 1e-9;
	const char *name = unit == 1	    ? "s"
			   : unit == 1e-3   ? "ms"
			   : unit == 1e-9   ? "ns"
			   : words->unicode ? "\xc2\xb5s"
					    : "us";
	double value = seconds / unit;
	return sm_phrases_printf(words, "%.*f %s", unit == 1e-9 ? 0 : decimals(value), value, name);
}

const char *sm_phrases_bytes(struct sm_phrases *words, double bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;
	if (isnan(bytes)) {
		return unknown;
	}
	while (fabs(bytes) >= 1023.5 && unit + 1 < sizeof(names) / sizeof(names[0])) {
		bytes /= 1024;
		unit++;
	}
	return sm_phrases_printf(words, "%.*f %s", unit ? decimals(bytes) : 0, bytes, names[unit]);
}

const char *sm_phrases_count(struct sm_phrases *words, double count)
{
	char digits[32], grouped[48];
	if (isnan(count)) {
		return unknown;
	}
	if (fabs(count) >= 1e15 || count != floor(count)) {
		return sm_phrases_printf(words, "%.3g", count);
	}
	int length = snprintf(digits, sizeof(digits), "%.0f", fabs(count)), used = 0;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0) {
			grouped[used++] = ',';
		}
		grouped[used++] = digits[i];
	}
	return sm_phrases_printf(words, "%s%.*s", count < 0 ? "-" : "", used, grouped);
}

const char *sm_phrases_times(struct sm_phrases *words, double factor)
{
	return isnan(factor) ? unknown
			     : sm_phrases_printf(words, "%.2f%s", factor, times_sign(words));
}

const char *sm_phrases_times_range(struct sm_phrases *words, double low, double high)
{
	if (isnan(low) || isnan(high)) {
		return unknown;
	}
	return sm_phrases_printf(words, "%.2f%s%.2f%s", low, dash(words), high, times_sign(words));
}

static const char *say_frequency(struct sm_phrases *words, double hertz)
{
	return isnan(hertz)	  ? unknown
	       : hertz >= 999.5e6 ? sm_phrases_printf(words, "%.2f GHz", hertz / 1e9)
				  : sm_phrases_printf(words, "%.0f MHz", hertz / 1e6);
}

/* Whole numbers, or three digits of what is less than a hundred. */
static const char *say_rate(struct sm_phrases *words, double rate)
{
	return isnan(rate) ? unknown
			   : sm_phrases_printf(words, "%s/s",
				     sm_phrases_count(words, rate >= 99.5 ? round(rate) : rate));
}

const char *sm_phrases_value(struct sm_phrases *words, double value, const char *unit)
{
	if (strcmp(unit, "Hz") == 0) {
		return say_frequency(words, value);
	}
	if (strcmp(unit, "count/s") == 0) {
		return say_rate(words, value);
	}
	if (strcmp(unit, "share") == 0) {
		return sm_phrases_share(words, value);
	}
	if (strcmp(unit, "s") == 0) {
		return sm_phrases_seconds(words, value);
	}
	if (strcmp(unit, "bytes") == 0) {
		return sm_phrases_bytes(words, value);
	}
	if (strcmp(unit, "bytes/s") == 0) {
		return sm_phrases_printf(words, "%s/s", sm_phrases_bytes(words, value));
	}
	if (strcmp(unit, "count") == 0 || strcmp(unit, "level") == 0 || !*unit) {
		return sm_phrases_count(words, value);
	}
	return isnan(value)
		       ? unknown
		       : sm_phrases_printf(words, "%s %s", sm_phrases_count(words, value), unit);
}

/* Unit suffixes that the printed value repeats. A share stays one: "busy 98 %" could be anything. */
static size_t length_without_unit(const char *metric, const char *unit)
{
	size_t length = strlen(metric), tail = strlen(unit);
	bool repeats = strcmp(unit, "share") != 0 && strcmp(unit, "count") != 0;
	bool ends = repeats && length > tail + 1 && metric[length - tail - 1] == '_' &&
		    strcmp(metric + length - tail, unit) == 0;
	return ends ? length - tail - 1 : length;
}

static bool is_short_name(const char *word, size_t length)
{
	static const char *const names[] = {"cpu", "gpu", "gil", "gc", "rss", "shm"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) {
			return true;
		}
	}
	return false;
}

static void capitalise(char *text)
{
	for (char *word = text; *word;) {
		size_t length = strcspn(word, " ");
		bool is_short = is_short_name(word, length);
		for (size_t i = 0; is_short && i < length; i++) {
			word[i] = (char)toupper((unsigned char)word[i]);
		}
		word += length;
		word += *word == ' ';
	}
}

const char *sm_phrases_metric(struct sm_phrases *words, const char *metric, const char *unit)
{
	char *text = sm_arena_strndup(words->arena, metric, length_without_unit(metric, unit));
	if (!text) {
		words->failed = true;
		return "";
	}
	for (char *at = text; *at; at++) {
		*at = *at == '_' ? ' ' : *at;
	}
	capitalise(text);
	return text;
}
