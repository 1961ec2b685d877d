/* The verdict for an issue or a pull request: short, in tables that GitHub and GitLab render. */
#include "report/markdown.h"
#include "report/outline.h"

#include <errno.h>
#include <math.h>

static void write_verdict(FILE *out, const struct sm_outline *outline)
{
	sm_markdown_put(out, "## ", outline->title, ": ");
	sm_markdown_put(out, "", outline->verdict, "\n\n");
	sm_markdown_put(out, "**", outline->sentence, "**\n\n");
	sm_markdown_put(out, "", outline->facts, "\n\n");
	if (*outline->broken) {
		sm_markdown_put(out, "> ", outline->broken, "\n\n");
	}
}

static void write_item(FILE *out, const char *label, const char *text, const char *more)
{
	if (*text) {
		sm_markdown_put(out, "- **", label, "**: ");
		sm_markdown_put(out, "", text, "");
		sm_markdown_put(out, *more ? " (" : "", more, *more ? ")\n" : "\n");
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
		sm_markdown_put(out, "| ", row->id, " | ");
		sm_markdown_put(out, "", row->title, " | ");
		sm_markdown_put(out, "", *row->where ? row->where : row->risk, " | ");
		sm_markdown_put(out, "", row->gives_back, " | ");
		sm_markdown_put(out, "", row->confidence, " |\n");
	}
	fputc('\n', out);
}

static void write_stages(FILE *out, const struct sm_outline_loader *loader)
{
	sm_markdown_put(out, "Loader **", loader->name, "**: ");
	sm_markdown_put(out, "", loader->settings, "; ");
	sm_markdown_put(out, "", loader->stalls, "\n\n");
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
		sm_markdown_put(out, "", stage->spent, " |\n");
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
		sm_markdown_put(out, "| ", line->where, " | ");
		sm_markdown_put(out, "", line->function, " | ");
		sm_markdown_put(out, "", line->calls, " | ");
		fprintf(out, "%s | %s | ", line->stage, line->share_text);
		sm_markdown_put(out, "", line->spent, " |\n");
	}
	sm_markdown_put(out, "\n", outline->looks, ".\n\n");
}

static void write_session(FILE *out, const struct sm_outline_session *session)
{
	sm_markdown_put(out, "Session **", session->name, "**: ");
	sm_markdown_put(out, "", session->wall, *session->state ? ", " : "\n\n");
	sm_markdown_put(out, "", session->state, *session->state ? "\n\n" : "");
	for (size_t i = 0; i < session->note_count; i++) {
		sm_markdown_put(out, "- ", session->notes[i], "\n");
	}
	fputs(session->note_count ? "\n" : "", out);
	if (!session->operation_count) {
		return;
	}
	fputs("| operation | type | of the session | own | with those inside | times | median | "
	      "99th |\n|---|---|--:|--:|--:|--:|--:|--:|\n",
		out);
	for (size_t i = 0; i < session->operation_count; i++) {
		const struct sm_outline_operation *row = &session->operations[i];
		sm_markdown_put(out, "| ", row->name, " | ");
		sm_markdown_put(out, "", row->type, " | ");
		fprintf(out, "%s | %s | %s | %s | %s | %s |\n", row->share_text, row->own,
			row->inclusive, row->count, row->typical, row->slow);
	}
	fputc('\n', out);
}

static void write_alerts(FILE *out, const struct sm_outline *outline)
{
	enum { SHOWN = 50 };
	sm_markdown_put(out, "Alerts. ", outline->watched, "\n\n");
	if (outline->alert_count) {
		fputs("| at | what | was | threshold | lasted |\n|--:|---|--:|--:|--:|\n", out);
	}
	for (size_t i = 0; i < outline->alert_count && i < SHOWN; i++) {
		const struct sm_outline_alert *row = &outline->alerts[i];
		sm_markdown_put(out, "| ", row->at, " | ");
		sm_markdown_put(out, "", row->what, " | ");
		fprintf(out, "%s | %s | %s |\n", row->value, row->threshold, row->lasted);
	}
	if (outline->alert_count > SHOWN) {
		fprintf(out, "\nThe first %d of %zu alerts.\n", SHOWN, outline->alert_count);
	}
	fputs(outline->alert_count ? "\n" : "", out);
}

/* Those that were measured; the others are named with their reasons below. */
static void write_metrics(FILE *out, const struct sm_outline *outline)
{
	bool begun = false;
	for (size_t i = 0; i < outline->metric_count; i++) {
		const struct sm_outline_metric *row = &outline->metrics[i];
		if (row->is_part || *row->missing) {
			continue;
		}
		fputs(begun ? ""
			    : "| metric | mean | least | most | last |\n|---|--:|--:|--:|--:|\n",
			out);
		begun = true;
		sm_markdown_put(out, "| ", row->title, "");
		fprintf(out, " | %s | %s | %s | %s |\n", row->mean, row->least, row->most,
			row->last);
	}
	fputs(begun ? "\n" : "", out);
}

static void write_quality(FILE *out, const struct sm_outline *outline)
{
	sm_markdown_put(out, "Measured: ", outline->quality, "; ");
	sm_markdown_put(out, "", outline->overhead, ".\n");
	for (size_t i = 0; i < outline->not_measured_count; i++) {
		sm_markdown_put(
			out, i ? "; " : "\nNot measured: ", outline->not_measured[i].label, "");
		sm_markdown_put(out, " (", outline->not_measured[i].value, ")");
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
	for (size_t i = 0; i < outline.session_count; i++) {
		write_session(out, &outline.sessions[i]);
	}
	write_lines(out, &outline);
	write_alerts(out, &outline);
	write_metrics(out, &outline);
	write_quality(out, &outline);
	sm_outline_finish(&outline);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
