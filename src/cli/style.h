/* How a stream wants its text: colour and bars only on a terminal, and only where the user did not say otherwise. */
#ifndef SM_CLI_STYLE_H
#define SM_CLI_STYLE_H

#include "report/report.h"

#include <stdio.h>

/* Heeds NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS and the locale's character set. */
struct sm_report_style sm_style_of(FILE *stream);

#endif
