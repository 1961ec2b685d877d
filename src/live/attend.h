/* Somebody sits at a terminal and looks at a run: keys, pauses, scrolling, and a new picture every second. */
#ifndef SM_LIVE_ATTEND_H
#define SM_LIVE_ATTEND_H

#include "live/picture.h"
#include "live/viewing.h"

struct sm_attend {
	struct sm_picture_options options;
	size_t worker_count, workers_shown; /* of the last picture */
	bool leaves;
};

/* What a key (enum sm_tui_key) does. */
void sm_attend_key(struct sm_attend *attend, int key);
/* Until the user leaves. 0; -ENOTTY, -ENOSYS as sm_tui_open; or what ended the watching. */
int sm_attend_run(struct sm_viewing *viewing, bool colour, bool unicode);

#endif
