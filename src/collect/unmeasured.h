/* Processes of the job that use torch and never said hello: something between `run` and them took away the way in. */
#ifndef SM_COLLECT_UNMEASURED_H
#define SM_COLLECT_UNMEASURED_H

#include "collect/children.h"

#include <stdbool.h>
#include <stddef.h>

enum { SM_UNMEASURED_WHY = 240 };

/* Why the recorder did not get into this process, with the way out; false when it has no business there, or when it is
 * too early to tell. Looks at it a few times in its life, no more. `parent_records`: the process it came from does. */
bool sm_unmeasured_look(struct sm_child *child, const char *root_path, bool parent_records,
	int64_t now_ns, char ret_why[SM_UNMEASURED_WHY]);

/* The parts, for tests. `arguments` and `environment` as in /proc: NUL after each, `length` bytes. */
const char *sm_unmeasured_flag(const char *arguments, size_t length);
bool sm_unmeasured_is_python(const char *arguments, size_t length);

#endif
