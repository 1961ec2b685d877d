/* Markup and text kept apart, in Markdown: what stands before and after is markup, what is between is text and escaped. */
#ifndef SM_REPORT_MARKDOWN_H
#define SM_REPORT_MARKDOWN_H

#include <stdio.h>

void sm_markdown_put(FILE *out, const char *before, const char *text, const char *after);

#endif
