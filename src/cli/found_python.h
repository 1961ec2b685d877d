/* The Python and the torch that a plain `python` would start: found by looking, not by running them. */
#ifndef SM_CLI_FOUND_PYTHON_H
#define SM_CLI_FOUND_PYTHON_H

#include <limits.h>
#include <stdbool.h>

struct sm_found_python {
	char path[PATH_MAX]; /* "" none */
	char version[16];    /* "3.11", "" unknown */
	char torch[64];	     /* "2.13.0+cpu", "" none */
};

/* `search_path` as PATH is. */
void sm_found_python_look(struct sm_found_python *python, const char *search_path);

#endif
