#include "cli/explanation.h"

#include "detect/words.h"
#include "report/text.h"

#include <errno.h>
#include <string.h>

enum { INDENT = 2 };

static void print_flow(const char *text, int columns, FILE *out)
{
	while (*text) {
		const char *next;
		size_t length = sm_text_break(text, columns - INDENT, &next);
		fprintf(out, "%*s%.*s\n", INDENT, "", (int)length, text);
		text = next;
	}
}

/* Each line of a text is a paragraph of its own. */
static int print_section(const struct sm_detector *detector, const char *title, const char *text,
	int columns, FILE *out)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	char *filled = sm_words_explain(detector, text, &arena);
	if (filled && filled[0]) {
		fprintf(out, "\n%s\n", title);
	}
	for (char *line = filled, *rest = NULL; line && *line; line = rest) {
		rest = line + strcspn(line, "\n");
		if (*rest) {
			*rest++ = '\0';
		}
		print_flow(line, columns, out);
	}
	sm_arena_finish(&arena);
	return filled ? 0 : -ENOMEM;
}

struct section {
	const char *title;
	size_t offset; /* of a text in struct sm_detector */
};

static const struct section sections[] = {
	{"What it is", offsetof(struct sm_detector, summary)},
	{"Causes", offsetof(struct sm_detector, causes)},
	{"Reported when", offsetof(struct sm_detector, evidence)},
	{"Fixes", offsetof(struct sm_detector, fixes)},
	{"How it can be wrong", offsetof(struct sm_detector, wrong)},
};
enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static const char *text_of(const struct sm_detector *detector, const struct section *section)
{
	return *(const char *const *)((const char *)detector + section->offset);
}

int sm_explanation_text(const struct sm_detector *detector, int columns, FILE *out)
{
	int error = 0;
	fprintf(out, "%s %s\n%s\n", detector->id, detector->type, detector->title);
	for (int i = 0; i < SECTIONS && !error; i++) {
		error = print_section(
			detector, sections[i].title, text_of(detector, &sections[i]), columns, out);
	}
	return error;
}

static const struct sm_detector *next_by_id(const char *after)
{
	const struct sm_detector *next = NULL;
	for (int i = 0; i < sm_detect_table_count; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		if (strcmp(detector->id, after) > 0 &&
			(!next || strcmp(detector->id, next->id) < 0)) {
			next = detector;
		}
	}
	return next;
}

int sm_explanation_list(int columns, FILE *out)
{
	struct sm_str line = SM_STR_EMPTY, cut = SM_STR_EMPTY;
	for (const struct sm_detector *at = next_by_id(""); at; at = next_by_id(at->id)) {
		sm_str_clear(&line);
		sm_str_clear(&cut);
		sm_str_addf(&line, "%s  %-26s%s", at->id, at->type, at->title);
		sm_text_add_cut(&cut, sm_str_text(&line), columns, false);
		fprintf(out, "%s\n", sm_str_text(&cut));
	}
	int error = line.failed || cut.failed ? -ENOMEM : 0;
	sm_str_finish(&line);
	sm_str_finish(&cut);
	return error;
}

static const char introduction[] =
	"# Detectors\n"
	"\n"
	"<!-- Made by `stallmeter explain --markdown` from the table of detectors; a test "
	"compares. Do not edit. -->\n"
	"\n"
	"A cause is a finding only when its cure, replayed by the loader's model over the recorded "
	"run, gives time back: at least\n"
	"{WORTH_PERCENT} % of it. **Severity** is that part of the run's time, with a bootstrap "
	"interval. What is under {SHOWN_PERCENT} % is kept but not\n"
	"shown first.\n"
	"\n"
	"Findings are sorted by severity, risks last. Those within {ALIKE_PERCENT} % of the "
	"largest of them cannot be told apart by the model: they\n"
	"share one severity, the smallest, and stand in the order of this page, in which what is "
	"cheapest to change comes first; a\n"
	"transform that waits instead of computing comes before all of them, a data set that does "
	"where SM101 stands.\n"
	"\n"
	"**Confidence** comes from the interval: its half-width is under a quarter of the severity "
	"(high), under 60 % (medium), or\n"
	"more, or it reaches 0 (low). Each piece of evidence that ought to agree and does not, or "
	"is missing, takes a level off.\n"
	"\n"
	"A detector that lacks what it needs does not pass: the report says what it lacked. "
	"Nothing is judged from fewer than\n"
	"{STEPS_LEAST} steps.\n"
	"\n"
	"SM201 to SM208 judge no run but the calls of one function "
	"(`PreprocessingProfiler`): there T is the time of the profiled calls without\n"
	"their waiting for a CPU, and severity is what the type's own cure takes off a call. In a "
	"run the "
	"type is the cause of SM105.\n";

static int print_introduction(FILE *out)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	const char *filled = sm_words_explain(sm_detect_table[0], introduction, &arena);
	fputs(filled ? filled : "", out);
	sm_arena_finish(&arena);
	return filled ? 0 : -ENOMEM;
}

static int print_paragraphs(
	const struct sm_detector *detector, const struct section *section, FILE *out)
{
	struct sm_arena arena = SM_ARENA_EMPTY;
	const char *filled = sm_words_explain(detector, text_of(detector, section), &arena);
	bool is_list = section->offset == offsetof(struct sm_detector, causes);
	if (filled && filled[0]) {
		fprintf(out, "\n**%s.**%s", section->title, is_list ? "\n\n" : " ");
	}
	for (const char *line = filled; line && *line;) {
		size_t length = strcspn(line, "\n");
		fprintf(out, "%s%.*s\n", is_list ? "- " : "", (int)length, line);
		line += length + (line[length] == '\n');
	}
	sm_arena_finish(&arena);
	return filled ? 0 : -ENOMEM;
}

int sm_explanation_markdown(FILE *out)
{
	int error = print_introduction(out);
	for (int i = 0; i < sm_detect_table_count && !error; i++) {
		const struct sm_detector *detector = sm_detect_table[i];
		fprintf(out, "\n## %s %s\n\n%s.\n", detector->id, detector->type, detector->title);
		for (int s = 0; s < SECTIONS && !error; s++) {
			error = print_paragraphs(detector, &sections[s], out);
		}
	}
	return error;
}
