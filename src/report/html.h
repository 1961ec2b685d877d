/* Markup and text kept apart: the format is markup and written as it is, what its arguments say is text and escaped. */
#ifndef SM_REPORT_HTML_H
#define SM_REPORT_HTML_H

#include <stdio.h>

/* Knows %s (escaped, fit for text and for quoted attributes), %d, %f (four decimals) and %%. */
void sm_html_put(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
