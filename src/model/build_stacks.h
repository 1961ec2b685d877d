/* Looks at threads joined to what the threads were doing; private to src/model. */
#ifndef SM_MODEL_BUILD_STACKS_H
#define SM_MODEL_BUILD_STACKS_H

#include "model/build.h"

struct sm_build_stacks;

/* All looks of a run, read before its events. Without any nothing is kept and the rest does nothing. */
int sm_build_stacks_read(struct sm_build *build, const char *path);
/* A thread has come up: its looks, if it has any. */
void sm_build_stacks_begin(struct sm_build *build, struct sm_build_thread *thread);
/* What is open in the thread was so until `until_ns`: looks before that were taken in it. */
int sm_build_stacks_join(struct sm_build *build, struct sm_build_thread *thread, int64_t until_ns);
/* The rest of the looks; and all of them as the model's lines. */
int sm_build_stacks_complete(struct sm_build *build);
void sm_build_stacks_finish(struct sm_build *build);

#endif
