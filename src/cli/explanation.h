/* What a detector looks for, in words: for `stallmeter explain` and for docs/detectors.md. */
#ifndef SM_CLI_EXPLANATION_H
#define SM_CLI_EXPLANATION_H

#include "detect/detect.h"

#include <stdio.h>

/* All return 0, or -ENOMEM. */
int sm_explanation_text(const struct sm_detector *detector, int columns, FILE *out);
int sm_explanation_list(int columns, FILE *out); /* every detector in one line */
int sm_explanation_markdown(FILE *out);		 /* the page docs/detectors.md */

#endif
