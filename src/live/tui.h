/* The terminal: the only file of the layer that knows one, through ncurses. It is given back as it was on every way out that a
 * program can take: `close`, and the signals that end one. */
#ifndef SM_LIVE_TUI_H
#define SM_LIVE_TUI_H

#include "live/picture.h"

#include <stdbool.h>

enum sm_tui_key {
	SM_TUI_NOTHING, /* time went by */
	SM_TUI_RESIZED,
	SM_TUI_UP,
	SM_TUI_DOWN,
	SM_TUI_PAGE_UP,
	SM_TUI_PAGE_DOWN,
	SM_TUI_HOME,
	SM_TUI_END,
	SM_TUI_STOPPED,		/* a signal that ends programs came */
	SM_TUI_CHARACTER = 256, /* + the character, if it is ASCII */
};

bool sm_tui_is_built(void);
/* 0; -ENOTTY: the terminal's kind is not known here; -ENOSYS: built without ncurses. One at a time. */
int sm_tui_open(bool colour);
void sm_tui_close(void);	  /* fine when closed */
bool sm_tui_speaks_unicode(void); /* of an open one */
void sm_tui_size(int *ret_rows, int *ret_columns);
void sm_tui_show(const struct sm_picture *page);
/* The next key; NOTHING when none came in time. */
int sm_tui_wait(int milliseconds);
/* Ends this process as the signal that came would have, or returns when none came. */
void sm_tui_obey_signal(void);

#endif
