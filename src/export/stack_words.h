/* Words about stacks that all their exporters use. */
#ifndef SM_EXPORT_STACK_WORDS_H
#define SM_EXPORT_STACK_WORDS_H

#include <stdint.h>

/* What a thread did that did not run; "" for one that ran, or where it is not known. */
const char *sm_stack_words_state(uint8_t state);
/* A path from its package on: behind site-packages or the library of Python, else its last two names. */
const char *sm_stack_words_file(const char *path);

#endif
