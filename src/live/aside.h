/* Work done in a forked copy of this process, whose result comes back through shared memory. What is worked on is the copy's, so
 * here everything goes on as if nothing had been asked. */
#ifndef SM_LIVE_ASIDE_H
#define SM_LIVE_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sm_aside {
	struct sm_aside_head *shared; /* owned; mapped */
	size_t bytes;
	pid_t child; /* 0: none at work */
};

int sm_aside_init(struct sm_aside *aside, size_t result_bytes);
void sm_aside_finish(struct sm_aside *aside); /* ends a child at work; fine on a zeroed one */

/* Runs in the copy, at a lower priority; `result` is zeroed memory of `result_bytes`. */
typedef int sm_aside_work(void *context, void *result);
/* None may be at work. 0, or why there is no process to be had. */
int sm_aside_begin(struct sm_aside *aside, sm_aside_work *work, void *context);
/* 1: done, see the result and *ret_cpu_ns, what it took. 0: at work still, or nothing was begun. Negative: what `work` returned,
 * or -ECHILD when it died. */
int sm_aside_take(struct sm_aside *aside, int64_t *ret_cpu_ns);
void sm_aside_await(const struct sm_aside *aside); /* until `take` has an answer */
const void *sm_aside_result(const struct sm_aside *aside);

#endif
