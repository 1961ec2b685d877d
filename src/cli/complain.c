/* Messages to people, on standard error, in one shape:
 *
 *     error[SM901]: what failed
 *       --> where
 *        = fact found
 *       help: one command or edit, the likeliest first
 *       note: what still works
 *
 * Only the first line is always there. A message of several lines stands between blank ones; a text may itself
 * hold several lines, each of which gets the prefix. */
#include "cli/command.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>

static void print_lines(FILE *out, const char *prefix, const char *text)
{
	while (text && *text) {
		size_t length = strcspn(text, "\n");
		fprintf(out, "  %s %.*s\n", prefix, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static bool is_one_line(const struct sm_complaint *complaint)
{
	return !complaint->where && !complaint->fact && !complaint->help && !complaint->note;
}

static void print_complaint(
	const char *word, const char *colour, const struct sm_complaint *complaint)
{
	struct sm_terminal terminal = sm_terminal_of(stderr);
	const char *frame = is_one_line(complaint) ? "" : "\n";
	fputs(frame, stderr);
	fprintf(stderr, "%s%s", terminal.colour ? colour : "", word);
	if (complaint->id) {
		fprintf(stderr, "[%s]", complaint->id);
	}
	fprintf(stderr, "%s: %s\n", terminal.colour ? "\033[0m" : "", complaint->what);
	print_lines(stderr, "-->", complaint->where);
	print_lines(stderr, " =", complaint->fact);
	print_lines(stderr, "help:", complaint->help);
	print_lines(stderr, "note:", complaint->note);
	fputs(frame, stderr);
	fflush(stderr);
}

void sm_complain(const struct sm_complaint *complaint)
{
	print_complaint("error", "\033[1;31m", complaint);
}

void sm_warn(const struct sm_complaint *complaint)
{
	print_complaint("warning", "\033[1;33m", complaint);
}
