#include "live/tui.h"

#include <errno.h>

#if SM_HAS_NCURSES

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>

/* Signals whose default ends a program. ^C leaves like q. */
static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDS = sizeof(ends) / sizeof(ends[0]) };

static SCREEN *screen; /* NULL: closed */
static struct sigaction before[ENDS];
static sigset_t waiting; /* signals let through while we wait, and only then */
static volatile sig_atomic_t came;

bool sm_tui_is_built(void)
{
	return true;
}

static void note(int signal)
{
	came = signal;
}

static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = note};
	sigset_t blocked;
	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (int i = 0; i < ENDS; i++) {
		sigaction(ends[i], &action, &before[i]);
		sigaddset(&blocked, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
}

static void leave_signals(void)
{
	for (int i = 0; i < ENDS; i++) {
		sigaction(ends[i], &before[i], NULL);
	}
	sigprocmask(SIG_SETMASK, &waiting, NULL);
}

/* The user's locale; where that was never made (usual in containers), the one that is always there. */
static void set_characters(void)
{
	const char *set = setlocale(LC_CTYPE, "");
	if (!set) {
		setlocale(LC_CTYPE, "C.UTF-8");
	}
}

bool sm_tui_speaks_unicode(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void set_colours(bool colour)
{
	static const short colours[SM_PAINT_COUNT] = {
		[SM_RED] = COLOR_RED,
		[SM_GREEN] = COLOR_GREEN,
		[SM_YELLOW] = COLOR_YELLOW,
		[SM_BLUE] = COLOR_BLUE,
		[SM_MAGENTA] = COLOR_MAGENTA,
		[SM_CYAN] = COLOR_CYAN,
	};
	if (!colour || !has_colors() || start_color() == ERR || use_default_colors() == ERR) {
		return;
	}
	for (short paint = SM_RED; paint < SM_PAINT_COUNT; paint++) {
		init_pair(paint, colours[paint], -1);
	}
}

/* A picture cannot be drawn on a terminal that only writes on ("dumb"). */
static bool can_move(void)
{
	char name[] = "cup";
	char *moves = tigetstr(name);
	return moves && moves != (char *)-1;
}

int sm_tui_open(bool colour)
{
	set_characters();
	screen = newterm(NULL, stdout, stdin);
	if (screen && !can_move()) {
		endwin();
		delscreen(screen);
		screen = NULL;
	}
	if (!screen) {
		return -ENOTTY;
	}
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	set_colours(colour);
	came = 0;
	watch_signals();
	return 0;
}

void sm_tui_close(void)
{
	if (screen) {
		endwin();
		delscreen(screen);
		screen = NULL;
		leave_signals();
	}
}

void sm_tui_size(int *ret_rows, int *ret_columns)
{
	getmaxyx(stdscr, *ret_rows, *ret_columns);
}

static attr_t attributes_of(const struct sm_picture_run *run)
{
	attr_t attributes = run->reverse ? A_REVERSE | A_BOLD : A_NORMAL;
	if (run->paint == SM_BOLD) {
		attributes |= A_BOLD;
	} else if (run->paint == SM_DIM) {
		attributes |= A_DIM;
	}
	return attributes;
}

static void show_line(const struct sm_picture_line *line, int row)
{
	move(row, 0);
	for (size_t i = 0; i < line->run_count; i++) {
		const struct sm_picture_run *run = &line->runs[i];
		short pair = has_colors() && run->paint >= SM_RED ? (short)run->paint : 0;
		attr_set(attributes_of(run), pair, NULL);
		addstr(run->text);
	}
	attr_set(A_NORMAL, 0, NULL);
}

void sm_tui_show(const struct sm_picture *page)
{
	int rows, columns;
	sm_tui_size(&rows, &columns);
	erase();
	for (int row = 0; row < rows && row < (int)page->count; row++) {
		show_line(&page->lines[row], row);
	}
	refresh();
}

static int key_of(int got)
{
	switch (got) {
	case KEY_RESIZE:
		return SM_TUI_RESIZED;
	case KEY_UP:
		return SM_TUI_UP;
	case KEY_DOWN:
		return SM_TUI_DOWN;
	case KEY_PPAGE:
		return SM_TUI_PAGE_UP;
	case KEY_NPAGE:
		return SM_TUI_PAGE_DOWN;
	case KEY_HOME:
		return SM_TUI_HOME;
	case KEY_END:
		return SM_TUI_END;
	default:
		return got > 0 && got < 128 ? SM_TUI_CHARACTER + got : SM_TUI_NOTHING;
	}
}

/* A terminal that is gone answers at once and for ever: that is an end, too. */
static bool is_gone(const struct pollfd *source, int got)
{
	return got == ERR && source->revents & (POLLHUP | POLLERR | POLLNVAL);
}

int sm_tui_wait(int milliseconds)
{
	int got = getch(); /* what it has read already, and a new size */
	struct pollfd source = {.fd = STDIN_FILENO, .events = POLLIN};
	struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
	if (got == ERR && !came) {
		ppoll(&source, 1, &wait, &waiting);
		got = getch();
	}
	return came || is_gone(&source, got) ? SM_TUI_STOPPED
	       : got == ERR		     ? SM_TUI_NOTHING
					     : key_of(got);
}

void sm_tui_obey_signal(void)
{
	if (came && came != SIGINT) {
		signal(came, SIG_DFL);
		raise(came);
	}
}

#else

bool sm_tui_is_built(void)
{
	return false;
}

int sm_tui_open(bool colour)
{
	return -ENOSYS;
}

void sm_tui_close(void)
{
}

bool sm_tui_speaks_unicode(void)
{
	return false;
}

void sm_tui_size(int *ret_rows, int *ret_columns)
{
	*ret_rows = *ret_columns = 0;
}

void sm_tui_show(const struct sm_picture *page)
{
}

int sm_tui_wait(int milliseconds)
{
	return SM_TUI_STOPPED;
}

void sm_tui_obey_signal(void)
{
}

#endif
