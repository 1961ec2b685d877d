/* Fills templates. Of a finding: {metric} with its evidence, {key} with the change, {name}, {loader}. Of a detector:
 * {BOUND} with the threshold of that name, so that no number stands in the text and in the code. */
#ifndef SM_DETECT_WORDS_H
#define SM_DETECT_WORDS_H

#include "detect/detect.h"

/* Fills risk and suggestions. 0 or -ENOMEM. */
int sm_words_fill(struct sm_finding *finding, struct sm_arena *arena);
/* A text of a detector with its bounds filled in; NULL without memory. */
char *sm_words_explain(
	const struct sm_detector *detector, const char *text, struct sm_arena *arena);

#endif
