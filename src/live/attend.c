#include "live/attend.h"

#include "base/clock.h"
#include "base/mem.h"
#include "live/tui.h"

#include <errno.h>

enum {
	PICTURE_MS = 1000,
	SLICE_BYTES = 8 * 1024 * 1024, /* of a long trace, between two looks at the keyboard */
};

static void scroll_by(struct sm_attend *attend, long rows)
{
	long last = (long)attend->worker_count - (long)attend->workers_shown;
	long to = (long)attend->options.scroll + rows;
	to = to > last ? last : to;
	attend->options.scroll = to > 0 ? (size_t)to : 0;
}

static void press(struct sm_attend *attend, char key)
{
	struct sm_picture_options *options = &attend->options;
	switch (key) {
	case 'q':
	case 'Q':
		attend->leaves = true;
		break;
	case 'p':
	case ' ':
		options->paused = !options->paused;
		break;
	case 's':
		options->sort = (enum sm_picture_sort)((options->sort + 1) % SM_PICTURE_SORT_COUNT);
		options->scroll = 0;
		break;
	case '?':
	case 'h':
		options->help = !options->help;
		break;
	default:
		break;
	}
}

void sm_attend_key(struct sm_attend *attend, int key)
{
	long page = attend->workers_shown > 1 ? (long)attend->workers_shown - 1 : 1;
	switch (key) {
	case SM_TUI_UP:
		scroll_by(attend, -1);
		break;
	case SM_TUI_DOWN:
		scroll_by(attend, 1);
		break;
	case SM_TUI_PAGE_UP:
		scroll_by(attend, -page);
		break;
	case SM_TUI_PAGE_DOWN:
		scroll_by(attend, page);
		break;
	case SM_TUI_HOME:
		scroll_by(attend, -(long)attend->worker_count);
		break;
	case SM_TUI_END:
		scroll_by(attend, (long)attend->worker_count);
		break;
	case SM_TUI_STOPPED:
		attend->leaves = true;
		break;
	default:
		press(attend, key >= SM_TUI_CHARACTER ? (char)(key - SM_TUI_CHARACTER) : '\0');
		break;
	}
}

struct sitting { /* too large for a stack */
	struct sm_attend attend;
	struct sm_view view;
	struct sm_picture page;
};

static int draw(struct sitting *sitting)
{
	struct sm_picture_options *options = &sitting->attend.options;
	sm_tui_size(&options->rows, &options->columns);
	int error = sm_picture_lay(&sitting->page, &sitting->view, options);
	if (!error) {
		sm_tui_show(&sitting->page);
		sitting->attend.worker_count = sitting->view.worker_count;
		sitting->attend.workers_shown = sitting->page.workers_shown;
	}
	sm_picture_finish(&sitting->page);
	return error;
}

/* Keys are answered at once, until the next picture is due. */
static int answer_keys(struct sitting *sitting, int64_t due_ns)
{
	int error = 0;
	bool first = true;
	while (!error && !sitting->attend.leaves) {
		int64_t left_ms = (due_ns - sm_clock_mono_ns()) / 1000000;
		if (left_ms <= 0 && !first) {
			break;
		}
		first = false;
		int key = sm_tui_wait(left_ms > 0 ? (int)left_ms : 0);
		if (key != SM_TUI_NOTHING) {
			sm_attend_key(&sitting->attend, key);
			error = draw(sitting);
		}
	}
	return error;
}

static int sit(struct sitting *sitting, struct sm_viewing *viewing)
{
	int got = 0;
	while (got >= 0 && !sitting->attend.leaves) {
		int64_t now_ns = sm_clock_mono_ns();
		got = sm_viewing_round(viewing, SLICE_BYTES);
		if (got < 0) {
			break;
		}
		if (!sitting->attend.options.paused) {
			sm_viewing_fill(viewing, &sitting->view);
		}
		got = draw(sitting);
		bool more = !got && sitting->view.state == SM_VIEW_READING;
		got = got ? got
			  : answer_keys(sitting,
				    more ? now_ns : now_ns + PICTURE_MS * INT64_C(1000000));
	}
	return got;
}

int sm_attend_run(struct sm_viewing *viewing, bool colour, bool unicode)
{
	struct sitting *sitting = sm_mem_calloc(1, sizeof(*sitting));
	int got = sitting ? sm_tui_open(colour) : -ENOMEM;
	if (!got) {
		sitting->attend.options = (struct sm_picture_options){
			.keys = true, .unicode = unicode && sm_tui_speaks_unicode()};
		got = sit(sitting, viewing);
		sm_tui_close();
		sm_tui_obey_signal();
	}
	sm_mem_free(sitting);
	return got;
}
