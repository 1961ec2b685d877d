/* The manual pages, made from the words of --help, so that no page forgets an option or promises one.
 *
 *     manual VERB FILE     prints stallmeter-VERB(1); for `stallmeter`, the page of the program
 *
 * FILE, the verb's cmd_<verb>.man, holds the sections that only a page has (exit status, environment, files), as man(7)
 * source; they are put between the options and the examples. A program of the build: it is not installed. */
#include "cli/command.h"
#include "cli/options.h"

#include "stallmeter/stallmeter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- text --- */

/* What roff would read as its own, or print as another sign than the one that is typed. */
static const char *escape_of(char letter)
{
	switch (letter) {
	case '\\':
		return "\\e";
	case '\'':
		return "\\(aq";
	case '`':
		return "\\(ga";
	case '^':
		return "\\(ha";
	case '~':
		return "\\(ti";
	default:
		return NULL;
	}
}

static void put_letter(char letter)
{
	const char *escape = escape_of(letter);
	if (escape) {
		fputs(escape, stdout);
	} else {
		putchar(letter);
	}
}

/* With every hyphen as the minus that a shell knows. */
static void put_typed(const char *text, int length)
{
	for (int i = 0; i < length; i++) {
		if (text[i] == '-') {
			fputs("\\-", stdout);
		} else {
			put_letter(text[i]);
		}
	}
}

static int word_length(const char *text)
{
	int length = 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '-' || text[length] == '_') {
		length++;
	}
	return length;
}

static bool is_option(const char *word, int length)
{
	return length > 1 && word[0] == '-' && !isdigit((unsigned char)word[1]);
}

static bool has_word(const char *text, const char *word, int length)
{
	while (text && *text) {
		int here = word_length(text);
		if (here == length && !memcmp(text, word, (size_t)length)) {
			return true;
		}
		text += here ? here : 1;
	}
	return false;
}

/* RUN, FILE: words in capitals that stand in the synopsis or behind an option. */
static bool is_placeholder(const struct sm_command *command, const char *word, int length)
{
	for (int i = 0; i < length; i++) {
		if (!isupper((unsigned char)word[i])) {
			return false;
		}
	}
	bool is_one = has_word(command->args, word, length);
	for (const struct sm_option *option = command->options; option && option->name; option++) {
		is_one |= has_word(option->value, word, length);
	}
	return is_one;
}

static void put_word(const struct sm_command *command, const char *word, int length)
{
	if (is_option(word, length)) {
		fputs("\\fB", stdout);
		put_typed(word, length);
		fputs("\\fR", stdout);
	} else if (is_placeholder(command, word, length)) {
		printf("\\fI%.*s\\fR", length, word);
	} else if (word[0] == '-') {
		put_typed(word, length);
	} else {
		printf("%.*s", length, word);
	}
}

/* One paragraph: options bold, placeholders italic, all else as it is. No line may begin like a request of roff's. */
static void put_line(const struct sm_command *command, const char *text, int length)
{
	fputs(length && (*text == '.' || *text == '\'') ? "\\&" : "", stdout);
	for (int at = 0; at < length;) {
		int word = word_length(text + at);
		if (word) {
			put_word(command, text + at, word);
		} else {
			put_letter(text[at]);
		}
		at += word ? word : 1;
	}
	putchar('\n');
}

static void put_paragraphs(const struct sm_command *command, const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");
		if (length) {
			put_line(command, text, length);
		} else {
			puts(".PP");
		}
		text += length + (text[length] == '\n');
	}
}

/* --- sections --- */

static bool is_program(const struct sm_command *command)
{
	return command == &sm_command_program;
}

static void put_bold(const char *text, int length)
{
	fputs("\\fB", stdout);
	put_typed(text, length);
	fputs("\\fR", stdout);
}

static void put_head(const struct sm_command *command)
{
	char page[SM_OPTIONS_WORD];
	snprintf(page, sizeof(page), is_program(command) ? "%s" : "stallmeter\\-%s", command->name);
	fputs(".\\\" made by src/cli/manual.c from the command table\n.TH ", stdout);
	for (const char *letter = page; *letter; letter++) {
		putchar(toupper((unsigned char)*letter));
	}
	printf(" 1 \"\" \"stallmeter %s\" \"stallmeter\"\n.nh\n.ad l\n", SM_VERSION);
	printf(".SH NAME\n%s \\- %s\n", page, command->summary);
	fputs(".SH SYNOPSIS\n\\fBstallmeter", stdout);
	printf("%s%s\\fR ", is_program(command) ? "" : " ",
		is_program(command) ? "" : command->name);
	put_line(command, command->args, (int)strlen(command->args));
}

/* FILE is for the user to fill in; of basic|detailed one is typed as it stands. */
static void put_value(const struct sm_option *option)
{
	const char *value = option->value;
	putchar(' ');
	if (option->type != SM_OPTION_CHOICE) {
		printf("\\fI%s\\fR", value);
		return;
	}
	while (*value) {
		int length = (int)strcspn(value, "|");
		put_bold(value, length);
		value += length;
		if (*value) {
			putchar(*value++);
		}
	}
}

static void put_option(const struct sm_command *command, const struct sm_option *option)
{
	puts(".TP");
	if (option->letter) {
		const char letter[] = {'-', option->letter};
		put_bold(letter, 2);
		fputs(", ", stdout);
	}
	fputs("\\fB\\-\\-", stdout);
	put_typed(option->name, (int)strlen(option->name));
	fputs("\\fR", stdout);
	if (option->value) {
		put_value(option);
	}
	putchar('\n');
	put_line(command, option->help, (int)strlen(option->help));
}

static void put_options(const struct sm_command *command)
{
	puts(".SH OPTIONS");
	for (const struct sm_option *option = command->options; option && option->name; option++) {
		put_option(command, option);
	}
	put_option(command, &sm_options_of_help);
}

static void put_verbs(void)
{
	puts(".SH VERBS");
	for (int i = 0; i < sm_command_table_count; i++) {
		const struct sm_command *command = sm_command_table[i];
		if (!command->hidden) {
			printf(".TP\n.BR stallmeter\\-%s (1)\n", command->name);
			put_line(command, command->summary, (int)strlen(command->summary));
		}
	}
}

static void put_examples(const char *lines)
{
	puts(".SH EXAMPLES\n.EX");
	while (*lines) {
		int length = (int)strcspn(lines, "\n");
		put_typed(lines, length);
		putchar('\n');
		lines += length + (lines[length] == '\n');
	}
	puts(".EE");
}

static void put_see_also(const struct sm_command *command)
{
	puts(".SH SEE ALSO");
	const char *comma = "";
	if (!is_program(command)) {
		fputs(".BR \\%stallmeter (1)", stdout);
		comma = ",\n";
	}
	for (int i = 0; i < sm_command_table_count; i++) {
		const struct sm_command *other = sm_command_table[i];
		if (!other->hidden && other != command) {
			printf("%s.BR \\%%stallmeter\\-%s (1)", comma, other->name);
			comma = ",\n";
		}
	}
	putchar('\n');
}

static bool put_file(const char *path)
{
	FILE *file = fopen(path, "re");
	int letter;
	while (file && (letter = getc(file)) != EOF) {
		putchar(letter);
	}
	bool fine = file && !ferror(file);
	if (file) {
		fclose(file);
	}
	return fine;
}

static bool put_page(const struct sm_command *command, const char *file)
{
	put_head(command);
	puts(".SH DESCRIPTION");
	if (command->details) {
		put_paragraphs(command, command->details);
	}
	if (is_program(command)) {
		put_verbs();
	}
	put_options(command);
	if (!put_file(file)) {
		perror(file);
		return false;
	}
	if (command->examples) {
		put_examples(command->examples);
	}
	put_see_also(command);
	return !fflush(stdout) && !ferror(stdout);
}

int main(int argc, char **argv)
{
	const char *name = argc == 3 ? argv[1] : "";
	const struct sm_command *command =
		strcmp(name, sm_command_program.name) ? sm_command_find(name) : &sm_command_program;
	if (!command) {
		fprintf(stderr, "manual: there is no verb '%s'\n", name);
		return SM_EXIT_USAGE;
	}
	return put_page(command, argv[2]) ? SM_EXIT_FINE : SM_EXIT_ENVIRONMENT;
}
