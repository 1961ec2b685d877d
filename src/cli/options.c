#include "cli/options.h"

#include "cli/terminal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, OPTIONS_MAX = 64, TYPOS_MAX = 2, SECONDS_MAX = 1000000 };

/* --- values --- */

bool sm_options_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	double bytes = strtod(text, &end);
	if (end == text || errno || !(bytes >= 0) || text[strspn(text, "0123456789.")] == 'e') {
		return false;
	}
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		bytes = ldexp(bytes, 10 * (int)(unit - units + 1));
		end++;
		end += *end == 'i';
	}
	end += *end == 'B' || *end == 'b';
	if (*end || bytes >= 0x1p63) {
		return false;
	}
	*ret_bytes = (uint64_t)bytes;
	return true;
}

/* The place of `text` among "basic|detailed|...", or -1. */
static int find_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);
	for (int i = 0; *choices; i++) {
		size_t here = strcspn(choices, "|");
		if (here == length && !memcmp(choices, text, length)) {
			return i;
		}
		choices += here + (choices[here] == '|');
	}
	return -1;
}

/* A plain number, all of the text. */
static bool read_number(const char *text, double *ret_number)
{
	char *end;
	errno = 0;
	double number = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(number)) {
		return false;
	}
	*ret_number = number;
	return true;
}

static bool store_number(const struct sm_option *option, double *place, const char *text,
	struct sm_options_result *result)
{
	double number;
	bool is_share = option->type == SM_OPTION_SHARE;
	if (read_number(text, &number) &&
		(is_share ? number >= 0 && number <= 1 : number > 0 && number <= SECONDS_MAX)) {
		*place = number;
		return true;
	}
	snprintf(result->why, sizeof(result->why), "%s",
		is_share ? "is no share, 0 to 1" : "is no number of seconds above 0");
	snprintf(result->help, sizeof(result->help), "--%s %s", option->name,
		is_share ? "0.8" : "0.5");
	return false;
}

static bool store(
	const struct sm_option *option, void *options, char *text, struct sm_options_result *result)
{
	char *place = (char *)options + option->offset;
	int choice;
	switch (option->type) {
	case SM_OPTION_FLAG:
		*(bool *)(void *)place = true;
		return true;
	case SM_OPTION_TEXT:
		*(const char **)(void *)place = text;
		return true;
	case SM_OPTION_SIZE:
		if (sm_options_size(text, (uint64_t *)(void *)place)) {
			return true;
		}
		snprintf(result->why, sizeof(result->why), "is no size");
		snprintf(result->help, sizeof(result->help), "--%s 512M", option->name);
		return false;
	case SM_OPTION_CHOICE:
		choice = find_choice(option->value, text);
		if (choice >= 0) {
			*(int *)(void *)place = choice;
			return true;
		}
		snprintf(result->why, sizeof(result->why), "is none of %s", option->value);
		return false;
	case SM_OPTION_SECONDS:
	case SM_OPTION_SHARE:
		return store_number(option, (double *)(void *)place, text, result);
	}
	return false;
}

/* --- names --- */

static int least(int a, int b, int c)
{
	int ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Letters to insert, drop or change (Levenshtein), for short words. */
static int count_typos(const char *a, const char *b)
{
	int row[WORD_MAX + 1];
	size_t length = strlen(b);
	if (length > WORD_MAX || strlen(a) > WORD_MAX) {
		return WORD_MAX;
	}
	for (size_t j = 0; j <= length; j++) {
		row[j] = (int)j;
	}
	for (; *a; a++) {
		int diagonal = row[0]++;
		for (size_t j = 1; j <= length; j++) {
			int above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

const char *sm_options_nearest(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	int fewest = TYPOS_MAX + 1;
	for (; *words; words++) {
		int typos = count_typos(word, *words);
		if (typos < fewest && typos < (int)strlen(*words)) {
			fewest = typos;
			nearest = *words;
		}
	}
	return nearest;
}

static const struct sm_option *find_long(
	const struct sm_command *command, const char *name, size_t length)
{
	for (const struct sm_option *option = command->options; option && option->name; option++) {
		if (strlen(option->name) == length && !memcmp(option->name, name, length)) {
			return option;
		}
	}
	return NULL;
}

static const struct sm_option *find_letter(const struct sm_command *command, char letter)
{
	for (const struct sm_option *option = command->options; option && option->name; option++) {
		if (option->letter && option->letter == letter) {
			return option;
		}
	}
	return NULL;
}

/* --- arguments --- */

struct walk {
	const struct sm_command *command;
	void *options;
	int argc, at;
	char **argv;
	struct sm_options_result *result;
};

static bool fail(struct walk *walk, char *argument, const char *why)
{
	walk->result->wrong = argument;
	if (why) {
		snprintf(walk->result->why, sizeof(walk->result->why), "%s", why);
	}
	return false;
}

static bool fail_unknown(struct walk *walk, char *argument)
{
	const char *names[OPTIONS_MAX + 1] = {NULL};
	int count = 0;
	for (const struct sm_option *option = walk->command->options;
		option && option->name && count < OPTIONS_MAX; option++) {
		names[count++] = option->name;
	}
	const char *nearest = sm_options_nearest(argument + 2, names);
	if (!strncmp(argument, "--", 2) && nearest) {
		snprintf(walk->result->help, sizeof(walk->result->help), "did you mean --%s?",
			nearest);
	}
	return fail(walk, argument, "is no option of this command");
}

/* The value: what stood behind '=' or the letter, else the next argument. */
static bool take_value(
	struct walk *walk, const struct sm_option *option, char *argument, char *attached)
{
	if (option->type == SM_OPTION_FLAG) {
		return attached ? fail(walk, argument, "takes no value")
				: store(option, walk->options, NULL, walk->result);
	}
	if (!attached && walk->at + 1 >= walk->argc) {
		snprintf(walk->result->help, sizeof(walk->result->help), "--%s %s", option->name,
			option->value);
		return fail(walk, argument, "lacks its value");
	}
	char *text = attached ? attached : walk->argv[++walk->at];
	return store(option, walk->options, text, walk->result) || fail(walk, text, NULL);
}

static bool take_long(struct walk *walk, char *argument)
{
	char *name = argument + 2;
	size_t length = strcspn(name, "=");
	if (!strcmp(name, "help")) {
		walk->result->wants_help = true;
		return true;
	}
	const struct sm_option *option = find_long(walk->command, name, length);
	if (!option) {
		return fail_unknown(walk, argument);
	}
	return take_value(walk, option, argument, name[length] ? name + length + 1 : NULL);
}

/* -q, -o DIR, -oDIR, -qo DIR */
static bool take_letters(struct walk *walk, char *argument)
{
	for (char *letter = argument + 1; *letter; letter++) {
		if (*letter == 'h') {
			walk->result->wants_help = true;
			continue;
		}
		const struct sm_option *option = find_letter(walk->command, *letter);
		if (!option) {
			return fail_unknown(walk, argument);
		}
		if (option->type != SM_OPTION_FLAG) {
			return take_value(walk, option, argument, letter[1] ? letter + 1 : NULL);
		}
		if (!store(option, walk->options, NULL, walk->result)) {
			return false;
		}
	}
	return true;
}

bool sm_options_parse(const struct sm_command *command, void *options, int argc, char **argv,
	struct sm_options_result *ret_result)
{
	*ret_result = (struct sm_options_result){0};
	struct walk walk = {.command = command,
		.options = options,
		.argc = argc,
		.argv = argv,
		.result = ret_result};
	bool only_operands = false;
	for (; walk.at < argc; walk.at++) {
		char *argument = argv[walk.at];
		bool is_operand = only_operands || argument[0] != '-' || !argument[1];
		if (is_operand) {
			argv[ret_result->operand_count++] = argument;
			only_operands |= command->stop_at_operand;
		} else if (!strcmp(argument, "--")) {
			only_operands = true;
		} else if (!(argument[1] == '-' ? take_long(&walk, argument)
						: take_letters(&walk, argument))) {
			return false;
		}
	}
	return true;
}

/* --- help --- */

/* Breaks `text` at blanks so that no line is longer than `columns`; lines after the first begin at `indent`. */
static void print_wrapped(FILE *out, const char *text, int column, int indent, int columns)
{
	while (*text) {
		int length = (int)strcspn(text, " \n");
		if (column > indent && column + 1 + length > columns) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", length, text);
		column += length;
		text += length;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	fputc('\n', out);
}

static int option_head(const struct sm_option *option, char *head, size_t size)
{
	char letter[8] = "    ";
	if (option->letter) {
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	}
	return snprintf(head, size, "  %s--%s%s%s", letter, option->name, option->value ? " " : "",
		option->value ? option->value : "");
}

static void print_option(FILE *out, const struct sm_option *option, int indent, int columns)
{
	char head[SM_OPTIONS_WORD];
	int length = option_head(option, head, sizeof(head));
	fputs(head, out);
	if (length + 2 > indent) {
		fprintf(out, "\n%*s", indent, "");
	} else {
		fprintf(out, "%*s", indent - length, "");
	}
	print_wrapped(out, option->help, indent, indent, columns);
}

const struct sm_option sm_options_of_help = {"help", 'h', SM_OPTION_FLAG, 0, NULL, "a short help"};

void sm_options_list(const struct sm_command *command, FILE *out)
{
	enum { INDENT = 24 };
	int columns = sm_terminal_of(out).columns;
	fputs("\noptions:\n", out);
	for (const struct sm_option *option = command->options; option && option->name; option++) {
		print_option(out, option, INDENT, columns);
	}
	print_option(out, &sm_options_of_help, INDENT, columns);
}

/* As they are typed: never wrapped. */
static void print_examples(FILE *out, const char *lines)
{
	fputs("\nexamples:\n", out);
	while (*lines) {
		int length = (int)strcspn(lines, "\n");
		fprintf(out, "  %.*s\n", length, lines);
		lines += length + (lines[length] == '\n');
	}
}

void sm_options_introduce(const struct sm_command *command, FILE *out)
{
	int columns = sm_terminal_of(out).columns;
	const char *program = command == &sm_command_program ? "" : "stallmeter ";
	fprintf(out, "usage: %s%s %s\n\n", program, command->name, command->args);
	print_wrapped(out, command->summary, 0, 0, columns);
	if (command->details) {
		fputc('\n', out);
		print_wrapped(out, command->details, 0, 0, columns);
	}
}

void sm_options_help(const struct sm_command *command, FILE *out)
{
	sm_options_introduce(command, out);
	sm_options_list(command, out);
	if (command->examples) {
		print_examples(out, command->examples);
	}
}
