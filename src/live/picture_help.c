#include "live/picture.h"

#include "report/text.h"

static const struct {
	const char *key, *does;
} keys[] = {
	{"q", "quit; the job and its recording go on"},
	{"p, space", "pause: the picture stands still, the run is read on"},
	{"s", "sort the workers by index, busy share, CPU, memory or read"},
	{"up, down", "scroll the workers by one"},
	{"PgUp, PgDn", "scroll them by a screen"},
	{"?, h", "this help, and back"},
};

/* In parentheses: each is one string, and no comma is missing. */
static const char *const notes[] = {
	("Stall is the time in which the device, or without one the loop, stands still for lack of "
	 "data. The first figure is of the whole run so far with its 95 % interval, worked out "
	 "anew "
	 "as often as that costs no more than a twentieth of a core."),
	("Mean step: where the time of a step goes. Path: the stages of a loader on the critical "
	 "path, whose shares with the consumer's add up to 1."),
	("Busy is the share of the last 10 s that a worker spent making batches, CPU the part of a "
	 "core that its process used."),
	"Nothing shown here is asked of the job: it is read from what its collector records.",
};

static void add_note(struct sm_picture *page, const char *text)
{
	while (*text) {
		const char *next;
		size_t length = sm_text_break(text, page->options.columns - 2, &next);
		struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_MORE);
		sm_picture_pad(page, line, 2);
		sm_picture_put(page, line, SM_PLAIN,
			sm_phrases_printf(&page->words, "%.*s", (int)length, text),
			page->options.columns);
		text = next;
	}
	sm_picture_add(page, SM_PICTURE_GAP);
}

void sm_picture_help(struct sm_picture *page)
{
	struct sm_picture_line *line = sm_picture_add(page, SM_PICTURE_CORE);
	sm_picture_put(page, line, SM_BOLD, "stallmeter top: keys", page->options.columns);
	sm_picture_add(page, SM_PICTURE_GAP);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		line = sm_picture_add(page, SM_PICTURE_RATES);
		sm_picture_pad(page, line, 2);
		sm_picture_put(page, line, SM_BOLD, keys[i].key, 12);
		sm_picture_pad(page, line, 15);
		sm_picture_put(page, line, SM_PLAIN, keys[i].does, page->options.columns);
	}
	sm_picture_add(page, SM_PICTURE_GAP);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		add_note(page, notes[i]);
	}
}
