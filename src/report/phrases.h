/* Numbers as people read them. Never more digits than were measured: a share prints a decimal only where its interval
 * is narrow enough to mean it. Strings live in the arena; one that found no memory is "" and sets `failed`. */
#ifndef SM_REPORT_PHRASES_H
#define SM_REPORT_PHRASES_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct sm_phrases {
	struct sm_arena *arena; /* borrowed */
	bool unicode; /* en dash, multiplication sign, micro sign; else their ASCII neighbours */
	bool failed;  /* memory ran out */
};

const char *sm_phrases_printf(struct sm_phrases *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A copy without what could harm a screen: control bytes, bidi overrides and bytes that are no UTF-8 become '?'. NULL
 * gives "". */
const char *sm_phrases_clean(struct sm_phrases *words, const char *text);

const char *sm_phrases_share(struct sm_phrases *words, double share); /* "31 %" */
/* "30.6-32.3 %" */
const char *sm_phrases_share_range(struct sm_phrases *words, double low, double high);
/* The share with as many digits as its interval carries: "31.4 %". */
const char *sm_phrases_share_of(struct sm_phrases *words, double share, double low, double high);
/* "310 ms", "4 min 12 s" */
const char *sm_phrases_seconds(struct sm_phrases *words, double seconds);
/* "1.2 GiB" */
const char *sm_phrases_bytes(struct sm_phrases *words, double bytes);
/* "1,650" */
const char *sm_phrases_count(struct sm_phrases *words, double count);
/* "1.31x" */
const char *sm_phrases_times(struct sm_phrases *words, double factor);
const char *sm_phrases_times_range(struct sm_phrases *words, double low, double high);
const char *sm_phrases_value(struct sm_phrases *words, double value, const char *unit);
/* "cpu_stolen_s" with unit "s": "CPU stolen". */
const char *sm_phrases_metric(struct sm_phrases *words, const char *metric, const char *unit);

#endif
