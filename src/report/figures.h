/* Numbers on their way into JSON, rounded once and for all.
 *
 * Shares keep nine decimals, so that a dozen of them still add up to 1 within 1e-8; everything else keeps seven
 * significant digits, well below what any clock of ours resolves over a run. NaN is written as null. */
#ifndef SM_REPORT_FIGURES_H
#define SM_REPORT_FIGURES_H

#include "base/json.h"

#include <stddef.h>

void sm_figures_share(struct sm_json *json, const char *key, double share);
void sm_figures_number(struct sm_json *json, const char *key, double value);
/* as seconds; negative: null */
void sm_figures_ns(struct sm_json *json, const char *key, int64_t ns);
void sm_figures_count(struct sm_json *json, const char *key, int64_t count); /* negative: null */
void sm_figures_flag(struct sm_json *json, const char *key, int flag);	     /* negative: null */
/* A decimal number in a text; null where there is none. */
void sm_figures_parsed(struct sm_json *json, const char *key, const char *text);
/* Lists stand on one line, whatever the indentation of the document. Shares, and numbers. */
void sm_figures_shares(struct sm_json *json, const char *key, const double *shares, size_t count);
void sm_figures_numbers(struct sm_json *json, const char *key, const double *values, size_t count);
/* Four significant digits: what a picture can show. */
void sm_figures_drawn(struct sm_json *json, const char *key, const double *values, size_t count);

#endif
