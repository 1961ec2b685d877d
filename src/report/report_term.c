/* The verdict on a terminal: at most 25 lines of at most 100 columns, so that it stands on one screen and in one
 * screenshot. In a pipe the same words, plain.
 *
 * On a narrow terminal lines go that only support; never the verdict, its cause, what to do about it, or that the run is
 * incomplete (screen.h). */
#include "report/outline.h"
#include "report/screen.h"
#include "report/text.h"

#include <stallmeter/stallmeter.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { STAGES_SHOWN = 6, FINDINGS_SHOWN = 4 };

static void header(struct sm_screen *screen, struct sm_outline *outline)
{
	struct sm_str *line = sm_screen_line(screen, SM_RANK_CORE);
	const char *program = "stallmeter " SM_VERSION;
	int facts = sm_text_width(outline->facts), used = sm_text_width(program) + 2;
	int room = screen->columns - used - facts - 2;
	sm_screen_paint(screen, line, SM_DIM, program);
	sm_text_add_spaces(line, 2);
	if (room < 12) { /* no room for both: the name, then the facts on a line of their own */
		sm_screen_cut(screen, line, SM_BOLD, outline->title, screen->columns - used);
		line = sm_screen_line(screen, SM_RANK_FIGURES);
		sm_screen_cut(screen, line, SM_PLAIN, outline->facts, screen->columns);
	} else {
		sm_screen_cut(screen, line, SM_BOLD, outline->title, room);
		sm_str_addf(line, "  %s", outline->facts);
	}
	if (*outline->broken) {
		line = sm_screen_line(screen, SM_RANK_CORE);
		sm_screen_flow(screen, line, SM_RANK_CORE, 0, SM_YELLOW, outline->broken, 2);
	}
}

static enum sm_paint verdict_paint(enum sm_verdict_class class_)
{
	return class_ == SM_VERDICT_COMPUTE_BOUND	 ? SM_GREEN
	       : class_ == SM_VERDICT_CANNOT_TELL	 ? SM_CYAN
	       : class_ == SM_VERDICT_PARTLY_INPUT_BOUND ? SM_YELLOW
							 : SM_RED;
}

static void verdict(struct sm_screen *screen, struct sm_outline *outline)
{
	struct sm_str *line = sm_screen_line(screen, SM_RANK_CORE);
	int indent = sm_text_width(outline->verdict) + 5;
	sm_text_add_spaces(line, 1);
	sm_screen_chip(screen, line, verdict_paint(outline->class_), outline->verdict);
	sm_text_add_spaces(line, 2);
	if (screen->columns - indent < 44) {
		line = sm_screen_line(screen, SM_RANK_CORE);
		indent = 2;
		sm_text_add_spaces(line, indent);
	}
	sm_screen_flow(screen, line, SM_RANK_CORE, indent, SM_BOLD, outline->sentence, 3);
}

static const struct {
	char kind;
	const char *block, *letter;
	enum sm_paint paint;
} part_looks[] = {
	{'d', "\xe2\x96\x88", "#", SM_RED},
	{'t', "\xe2\x96\x93", "=", SM_YELLOW},
	{'h', "\xe2\x96\x92", "-", SM_MAGENTA},
	{'c', "\xe2\x96\x91", ".", SM_BLUE},
};

static size_t look_of(char kind)
{
	size_t i = 0;
	while (i + 1 < sizeof(part_looks) / sizeof(part_looks[0]) && part_looks[i].kind != kind) {
		i++;
	}
	return i;
}

static void repeat(const struct sm_screen *screen, struct sm_str *line, char kind, int count)
{
	size_t look = look_of(kind);
	struct sm_str run = SM_STR_EMPTY;
	for (int i = 0; i < count; i++) {
		sm_str_add(
			&run, screen->unicode ? part_looks[look].block : part_looks[look].letter);
	}
	sm_screen_paint(screen, line, part_looks[look].paint, sm_str_text(&run));
	line->failed |= run.failed;
	sm_str_finish(&run);
}

static void step_legend(struct sm_screen *screen, const struct sm_outline *outline)
{
	struct sm_str *line = NULL;
	int used = 0;
	for (size_t i = 0; i < outline->part_count; i++) {
		const struct sm_outline_part *part = &outline->parts[i];
		int width = 6 + sm_text_width(part->name) + sm_text_width(part->value);
		if (!line || used + width - 3 > screen->columns) {
			line = sm_screen_line(screen, SM_RANK_FIGURES);
			sm_text_add_spaces(line, screen->label);
			used = screen->label;
		}
		repeat(screen, line, part->kind, 1);
		sm_str_addf(line, " %s %s   ", part->name, part->value);
		used += width;
	}
}

/* Whole columns that add up exactly: each part ends where the sum of shares up to it says. */
static void step_bar(struct sm_screen *screen, struct sm_outline *outline)
{
	if (!outline->part_count) {
		return;
	}
	struct sm_str *line = sm_screen_line(screen, SM_RANK_FIGURES);
	sm_text_add_spaces(line, 2);
	sm_screen_padded(screen, line, SM_DIM, "Mean step", screen->label - 2);
	int room = screen->columns - screen->label - 14, done = 0;
	double sum = 0;
	for (size_t i = 0; i < outline->part_count; i++) {
		sum += outline->parts[i].share;
		int end = (int)lround(fmin(sum, 1) * room);
		repeat(screen, line, outline->parts[i].kind, end - done);
		done = end;
	}
	sm_str_addf(line, "  %s", outline->step);
	step_legend(screen, outline);
	sm_screen_blank(screen, SM_RANK_MINOR);
}

static void advice(struct sm_screen *screen, struct sm_outline *outline)
{
	struct sm_phrases *words = &outline->words;
	bool told = outline->class_ == SM_VERDICT_CANNOT_TELL; /* then it is all there is to say */
	sm_screen_labelled(
		screen, SM_RANK_CORE, outline->cause_label, SM_PLAIN, outline->cause, told ? 5 : 2);
	sm_screen_labelled(screen, SM_RANK_PROOF, "", SM_DIM, outline->proof, 2);
	sm_screen_labelled(screen, SM_RANK_CORE, "Next step", SM_PLAIN, outline->next, 2);
	if (*outline->next) {
		const char *change = *outline->next_change ? sm_phrases_printf(words, "%s   ",
								     outline->next_change)
							   : "";
		sm_screen_labelled(screen, SM_RANK_CORE, "", SM_GREEN,
			sm_phrases_printf(words, "%s%s", change, outline->next_gain), 1);
	}
	bool stalls = outline->class_ != SM_VERDICT_COMPUTE_BOUND &&
		      outline->class_ != SM_VERDICT_CANNOT_TELL;
	if (stalls) {
		sm_screen_labelled(
			screen, SM_RANK_FIGURES, "Ceiling", SM_PLAIN, outline->ceiling, 1);
	}
}

static void finding_line(struct sm_screen *screen, const struct sm_outline_finding *row)
{
	struct sm_str *line = sm_screen_line(screen, SM_RANK_FINDINGS);
	bool wide = screen->columns >= 80;
	int used = 2 + 7 + (wide ? 33 : 0);
	sm_text_add_spaces(line, 2);
	sm_screen_padded(screen, line, SM_CYAN, row->id, 7);
	if (wide) {
		sm_screen_padded(screen, line, SM_PLAIN, row->gives_back, 32);
		sm_text_add_spaces(line, 1);
	}
	struct sm_str text = SM_STR_EMPTY;
	const char *more = *row->where ? row->where : row->risk;
	sm_str_addf(&text, "%s%s%s", row->title, *more ? ": " : "", more);
	sm_screen_cut(screen, line, SM_PLAIN, sm_str_text(&text), screen->columns - used);
	line->failed |= text.failed;
	sm_str_finish(&text);
}

static const char *join_passed(const struct sm_outline *outline, struct sm_phrases *words)
{
	const char *text = sm_phrases_printf(words, "%zu check%s:", outline->passed_count,
		outline->passed_count == 1 ? "" : "s");
	for (size_t i = 0; i < outline->passed_count; i++) {
		text = sm_phrases_printf(
			words, "%s%s %s", text, i ? "," : "", strchr(outline->passed[i], ' ') + 1);
	}
	return text;
}

static void findings(struct sm_screen *screen, struct sm_outline *outline)
{
	struct sm_phrases *words = &outline->words;
	size_t shown =
		outline->shown_count < FINDINGS_SHOWN ? outline->shown_count : FINDINGS_SHOWN;
	if (outline->finding_count || outline->passed_count) {
		sm_screen_blank(screen, SM_RANK_GAP);
	}
	size_t left = shown;
	for (size_t i = 0; i < outline->finding_count && left; i++) {
		if (outline->findings[i].shown) {
			finding_line(screen, &outline->findings[i]);
			left--;
		}
	}
	if (outline->finding_count > shown) {
		sm_screen_labelled(screen, SM_RANK_QUALITY, "and", SM_DIM,
			sm_phrases_printf(words, "%zu more finding%s in the full report",
				outline->finding_count - shown,
				outline->finding_count - shown == 1 ? "" : "s"),
			1);
	}
	if (outline->passed_count) {
		sm_screen_labelled(
			screen, SM_RANK_QUALITY, "Passed", SM_DIM, join_passed(outline, words), 1);
	}
}

/* The `most` largest stages, in the order of the pipeline. */
static bool is_among_largest(
	const struct sm_outline_loader *loader, const struct sm_outline_stage *stage, size_t most)
{
	size_t larger = 0;
	for (size_t i = 0; i < loader->stage_count; i++) {
		larger += loader->stages[i].share > stage->share;
	}
	return larger < most && stage->share >= 0.005;
}

static void bar(const struct sm_screen *screen, struct sm_str *line, double share, int room,
	enum sm_paint how)
{
	static const char *const eighths[] = {"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d",
		"\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
	double filled = fmax(0, fmin(share, 1)) * room;
	int whole = screen->unicode ? (int)filled : (int)lround(filled);
	int rest = screen->unicode ? (int)((filled - whole) * 8) : 0;
	struct sm_str run = SM_STR_EMPTY;
	for (int i = 0; i < whole; i++) {
		sm_str_add(&run, screen->unicode ? "\xe2\x96\x88" : "#");
	}
	sm_str_add(&run, eighths[rest]);
	sm_text_add_spaces(&run, room - whole - (rest > 0));
	sm_screen_paint(screen, line, how, sm_str_text(&run));
	line->failed |= run.failed;
	sm_str_finish(&run);
}

static int bar_room(const struct sm_screen *screen)
{
	int room = screen->columns - 36;
	return room > 20 ? 20 : room;
}

static void stage_line(struct sm_screen *screen, const struct sm_outline_stage *stage)
{
	struct sm_str *line = sm_screen_line(screen, stage->binds	   ? SM_RANK_FIGURES
						     : stage->share < 0.05 ? SM_RANK_MINOR
									   : SM_RANK_STAGES);
	bool wide = screen->columns >= 80;
	sm_text_add_spaces(line, 2);
	sm_screen_padded(screen, line, stage->binds ? SM_BOLD : SM_PLAIN, stage->name, 11);
	sm_screen_padded(screen, line, stage->binds ? SM_BOLD : SM_PLAIN, stage->share_text, 8);
	bar(screen, line, stage->share, bar_room(screen), stage->binds ? SM_RED : SM_DIM);
	sm_str_add(line, "  ");
	sm_screen_padded(screen, line, SM_PLAIN, stage->per_step, 11);
	if (wide) {
		sm_screen_cut(screen, line, SM_DIM, stage->spent, screen->columns - 55);
	}
}

static void stages(struct sm_screen *screen, const struct sm_outline_loader *loader)
{
	if (!loader || !loader->stage_count) {
		return;
	}
	sm_screen_blank(screen, SM_RANK_GAP);
	struct sm_str *line = sm_screen_line(screen, SM_RANK_STAGES);
	struct sm_str text = SM_STR_EMPTY;
	sm_text_add_padded(&text, "Stage", 11, true);
	sm_str_add(&text, "critical path");
	sm_text_add_spaces(&text, bar_room(screen) - 3);
	sm_str_add(&text, "a step");
	sm_text_add_spaces(line, 2);
	sm_screen_cut(screen, line, SM_DIM, sm_str_text(&text), screen->columns - 2);
	line->failed |= text.failed;
	sm_str_finish(&text);
	for (size_t i = 0; i < loader->stage_count; i++) {
		if (is_among_largest(loader, &loader->stages[i], STAGES_SHOWN)) {
			stage_line(screen, &loader->stages[i]);
		}
	}
}

static const char *join_not_measured(const struct sm_outline *outline, struct sm_phrases *words)
{
	const char *text = "";
	for (size_t i = 0; i < outline->not_measured_count; i++) {
		const struct sm_outline_pair *pair = &outline->not_measured[i];
		text = sm_phrases_printf(
			words, "%s%s%s (%s)", text, i ? "; " : "", pair->label, pair->value);
	}
	return text;
}

static void more(struct sm_screen *screen, struct sm_outline *outline, const char *path)
{
	struct sm_phrases *words = &outline->words;
	const char *explain =
		outline->shown_count
			? sm_phrases_printf(words, "stallmeter explain %s", outline->findings[0].id)
			: "";
	const char *page =
		path && *path ? sm_phrases_printf(words, "stallmeter report %s --html report.html",
					sm_phrases_clean(words, path))
			      : "";
	sm_screen_labelled(screen, SM_RANK_FINDINGS, "More", SM_PLAIN, page, 2);
	sm_screen_labelled(screen, SM_RANK_QUALITY, *page ? "" : "More", SM_PLAIN, explain, 1);
}

static void quality(struct sm_screen *screen, struct sm_outline *outline, const char *path)
{
	struct sm_phrases *words = &outline->words;
	sm_screen_blank(screen, SM_RANK_GAP);
	if (outline->not_measured_count) {
		sm_screen_labelled(screen, SM_RANK_PROOF, "Not measured", SM_DIM,
			join_not_measured(outline, words), 1);
	}
	sm_screen_labelled(screen, SM_RANK_PROOF, "Measured", SM_DIM,
		sm_phrases_printf(words, "%s; %s", outline->quality, outline->overhead), 1);
	more(screen, outline, path);
}

int sm_report_term(const struct sm_report *report, const struct sm_report_style *style, FILE *out)
{
	struct sm_outline outline;
	int rc = sm_outline_build(&outline, report, style->unicode);
	if (rc) {
		return rc;
	}
	struct sm_screen screen;
	sm_screen_init(&screen, style);
	header(&screen, &outline);
	sm_screen_blank(&screen, SM_RANK_GAP);
	verdict(&screen, &outline);
	sm_screen_blank(&screen, SM_RANK_MINOR);
	step_bar(&screen, &outline);
	advice(&screen, &outline);
	findings(&screen, &outline);
	stages(&screen, outline.training);
	quality(&screen, &outline, report->trace_path);
	rc = sm_screen_show(&screen, out);
	rc = outline.words.failed ? -ENOMEM : rc;
	sm_outline_finish(&outline);
	return rc;
}
