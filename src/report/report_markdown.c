/* The verdict for an issue or a pull request: short, in tables that GitHub and GitLab render. */
#include "report/outline.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Escapes what Markdown or the HTML in it would take for markup. */
static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_{}[]<>#|~", *text)) {
			fputc('\\', out);
		}
		fputc(*text, out);
	}
}

static void put_all(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	put(out, text);
	fputs(after, out);
}

static void write_verdict(FILE *out, const struct sm_outline *outline)
{
	put_all(out, "## ", outline->title, ": ");
	put_all(out, "", outline->verdict, "\n\n");
	put_all(out, "**", outline->sentence, "**\n\n");
	put_all(out, "", outline->facts, "\n\n");
	if (*outline->broken) {
		put_all(out, "> ", outline->broken, "\n\n");
	}
}

static void write_item(FILE *out, const char *label, const char *text, const char *more)
{
	if (*text) {
		put_all(out, "- **", label, "**: ");
		put_all(out, "", text, "");
		put_all(out, *more ? " (" : "", more, *more ? ")\n" : "\n");
	}
}

static void write_advice(FILE *out, const struct sm_outline *outline)
{
	write_item(out, outline->cause_label, outline->cause, outline->proof);
	write_item(out, "Next step", outline->next, outline->next_gain);
	if (*outline->next_change) {
		fprintf(out, "  `%s`\n", outline->next_change);
	}
	if (outline->class_ != SM_VERDICT_COMPUTE_BOUND &&
		outline->class_ != SM_VERDICT_CANNOT_TELL) {
		write_item(out, "Ceiling", outline->ceiling, "");
	}
	fputc('\n', out);
}

static void write_findings(FILE *out, const struct sm_outline *outline)
{
	if (!outline->finding_count) {
		return;
	}
	fputs("| | finding | where | gives back | confidence |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < outline->finding_count; i++) {
		const struct sm_outline_finding *row = &outline->findings[i];
		put_all(out, "| ", row->id, " | ");
		put_all(out, "", row->title, " | ");
		put_all(out, "", *row->where ? row->where : row->risk, " | ");
		put_all(out, "", row->gives_back, " | ");
		put_all(out, "", row->confidence, " |\n");
	}
	fputc('\n', out);
}

static void write_stages(FILE *out, const struct sm_outline_loader *loader)
{
	put_all(out, "Loader **", loader->name, "**: ");
	put_all(out, "", loader->settings, "; ");
	put_all(out, "", loader->stalls, "\n\n");
	if (!loader->stage_count) {
		return;
	}
	fputs("| stage | critical path | a step | median | 99th | spent "
	      "|\n|---|--:|--:|--:|--:|---|\n",
		out);
	for (size_t i = 0; i < loader->stage_count; i++) {
		const struct sm_outline_stage *stage = &loader->stages[i];
		const char *mark = stage->binds ? "**" : "";
		fprintf(out, "| %s%s%s | %s%s%s | %s | %s | %s | ", mark, stage->name, mark, mark,
			stage->share_text, mark, stage->per_step, stage->typical, stage->slow);
		put_all(out, "", stage->spent, " |\n");
	}
	fputc('\n', out);
}

static void write_lines(FILE *out, const struct sm_outline *outline)
{
	if (!outline->line_count) {
		return;
	}
	fputs("Hottest lines\n\n| line | in | calls | stage | critical path | spent "
	      "|\n|---|---|---|---|--:|---|\n",
		out);
	for (size_t i = 0; i < outline->line_count; i++) {
		const struct sm_outline_line *line = &outline->lines[i];
		put_all(out, "| ", line->where, " | ");
		put_all(out, "", line->function, " | ");
		put_all(out, "", line->calls, " | ");
		fprintf(out, "%s | %s | ", line->stage, line->share_text);
		put_all(out, "", line->spent, " |\n");
	}
	put_all(out, "\n", outline->looks, ".\n\n");
}

static void write_quality(FILE *out, const struct sm_outline *outline)
{
	put_all(out, "Measured: ", outline->quality, "; ");
	put_all(out, "", outline->overhead, ".\n");
	for (size_t i = 0; i < outline->not_measured_count; i++) {
		put_all(out, i ? "; " : "\nNot measured: ", outline->not_measured[i].label, "");
		put_all(out, " (", outline->not_measured[i].value, ")");
	}
	fputs(outline->not_measured_count ? ".\n" : "", out);
}

int sm_report_markdown(const struct sm_report *report, FILE *out)
{
	struct sm_outline outline;
	int rc = sm_outline_build(&outline, report, true);
	if (rc) {
		return rc;
	}
	write_verdict(out, &outline);
	write_advice(out, &outline);
	write_findings(out, &outline);
	for (size_t i = 0; i < outline.loader_count; i++) {
		write_stages(out, &outline.loaders[i]);
	}
	write_lines(out, &outline);
	write_quality(out, &outline);
	sm_outline_finish(&outline);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
