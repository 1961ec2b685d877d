/* What a stream can show. Colour, bars and Unicode only on a terminal; in a pipe the same words, plain. */
#ifndef SM_CLI_TERMINAL_H
#define SM_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum { SM_TERMINAL_COLUMNS_MAX = 100 };

struct sm_terminal {
	bool is_terminal, colour, unicode;
	int columns; /* at most SM_TERMINAL_COLUMNS_MAX */
};

/* Asks the stream and NO_COLOR, TERM, COLUMNS and the locale's variables. */
struct sm_terminal sm_terminal_of(FILE *stream);

#endif
