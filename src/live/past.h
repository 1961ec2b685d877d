/* A run that is over, as a view: judged as its report judges it, its workers as they were over their lives. */
#ifndef SM_LIVE_PAST_H
#define SM_LIVE_PAST_H

#include "live/view.h"

/* `shown` is how the user names it. */
int sm_past_see(struct sm_view *ret_view, const char *run, const char *shown, bool unicode,
	struct sm_error *reterr);

#endif
