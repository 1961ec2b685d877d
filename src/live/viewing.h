/* A run being watched: what was recorded of it is read once, bit by bit, and a view of it can be had at any moment. */
#ifndef SM_LIVE_VIEWING_H
#define SM_LIVE_VIEWING_H

#include "base/err.h"
#include "live/running.h"
#include "live/view.h"

struct sm_viewing;

/* `shown` is how the user names the run. */
int sm_viewing_open(struct sm_viewing **ret_viewing, const struct sm_running *running,
	const char *shown, bool unicode, struct sm_error *reterr);
void sm_viewing_close(struct sm_viewing *viewing); /* NULL is fine */
/* Reads what has come, at most about `bytes` of the files, and has it judged aside; when the recording has ended, has the whole
 * judged once more, as the report does. 1: there is more to be had at once; 0; or an error. */
int sm_viewing_round(struct sm_viewing *viewing, uint64_t bytes);
void sm_viewing_fill(struct sm_viewing *viewing, struct sm_view *ret_view);

/* For who looks once: reads everything that there is, and judges it here. No round may follow. */
int sm_viewing_once(struct sm_viewing *viewing);
#endif
