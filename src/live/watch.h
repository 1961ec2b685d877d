/* A run being watched: what was recorded of it is read once, bit by bit, and a view of it can be had at any moment. */
#ifndef SM_LIVE_WATCH_H
#define SM_LIVE_WATCH_H

#include "base/err.h"
#include "live/running.h"
#include "live/view.h"

struct sm_watch;

/* `shown` is how the user names the run. */
int sm_watch_open(struct sm_watch **ret_watch, const struct sm_running *running, const char *shown,
	bool unicode, struct sm_error *reterr);
void sm_watch_close(struct sm_watch *watch); /* NULL is fine */
/* Reads what has come, at most about `bytes` of the files, and has it judged aside; when the recording has ended, has the whole
 * judged once more, as the report does. 1: there is more to be had at once; 0; or an error. */
int sm_watch_round(struct sm_watch *watch, uint64_t bytes);
void sm_watch_fill(struct sm_watch *watch, struct sm_view *ret_view);

/* For who looks once: reads everything that there is, and judges it here. No round may follow. */
int sm_watch_once(struct sm_watch *watch);
#endif
