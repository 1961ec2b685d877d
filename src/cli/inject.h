/* Finds the folder that is put in front of the job's import path: a `sitecustomize` and the recorder, nothing else. */
#ifndef SM_CLI_INJECT_H
#define SM_CLI_INJECT_H

#include <limits.h>
#include <stdbool.h>

/* False when this installation has none. */
bool sm_inject_find(char ret_folder[PATH_MAX]);

#endif
