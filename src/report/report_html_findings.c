/* Findings as cards: what, where, how much, the numbers behind it, what to do, and the rule it was judged by. */
#include "report/html.h"
#include "report/report_html.h"

#include <math.h>

static void write_title(FILE *out, const struct sm_outline_finding *row)
{
	sm_html_put(out, "<header><span class=\"id\">%s</span><h3>%s</h3>", row->id, row->title);
	sm_html_put(out, "<span class=\"gives\">%s</span><span class=\"sure\">%s</span></header>\n",
		row->gives_back, row->confidence);
	if (*row->where || *row->cause) {
		sm_html_put(out,
			*row->where && *row->cause ? "<p class=\"where\">%s (%s)</p>\n"
						   : "<p class=\"where\">%s%s</p>\n",
			row->where, row->cause);
	}
	if (*row->risk) {
		sm_html_put(out, "<p class=\"risk\">%s</p>\n", row->risk);
	}
}

static void write_evidence(FILE *out, const struct sm_outline_finding *row)
{
	if (!row->evidence_count) {
		return;
	}
	fputs("<table class=\"evidence\"><caption>Evidence</caption><tbody>\n", out);
	for (size_t i = 0; i < row->evidence_count; i++) {
		sm_html_put(out,
			"<tr data-metric=\"%s\"><th scope=\"row\">%s</th><td>%s</td></tr>\n",
			row->finding->evidence[i].metric, row->evidence[i].label,
			row->evidence[i].value);
	}
	fputs("</tbody></table>\n", out);
}

static void write_suggestions(FILE *out, const struct sm_outline_finding *row)
{
	if (!row->suggestion_count) {
		return;
	}
	fputs("<ol class=\"todo\">\n", out);
	for (size_t i = 0; i < row->suggestion_count; i++) {
		const struct sm_outline_suggestion *suggestion = &row->suggestions[i];
		sm_html_put(out, "<li><p>%s</p><p class=\"gain\">", suggestion->text);
		if (*suggestion->change) {
			sm_html_put(out, "<code>%s</code> ", suggestion->change);
		}
		sm_html_put(out, "%s</p></li>\n", suggestion->gain);
	}
	fputs("</ol>\n", out);
}

static void write_rule_part(FILE *out, const char *name, const char *text)
{
	if (text && *text) {
		sm_html_put(out, "<dt>%s</dt><dd>%s</dd>\n", name, text);
	}
}

static void write_rule(FILE *out, const struct sm_outline_finding *row)
{
	if (!*row->rule.summary) { /* a rule of the user's own is known to the user alone */
		return;
	}
	sm_html_put(out, "<details class=\"rule\"><summary>The rule: %s %s</summary>\n<dl>\n",
		row->id, row->type);
	write_rule_part(out, "What it is", row->rule.summary);
	write_rule_part(out, "Causes it tells apart", row->rule.causes);
	write_rule_part(out, "Evidence needed", row->rule.evidence);
	write_rule_part(out, "Fixes", row->rule.fixes);
	write_rule_part(out, "How it can be wrong", row->rule.wrong);
	fputs("</dl></details>\n", out);
}

static void write_links(FILE *out, const struct sm_finding *finding)
{
	if ((unsigned)finding->stage < SM_STAGE_COUNT) {
		const char *stage = sm_vocabulary_stage_name(finding->stage);
		sm_html_put(out,
			"<p class=\"links\"><a href=\"#stage-%s\">stage %s in the table</a> "
			"<a href=\"#pipe-%s\">in the pipeline</a></p>\n",
			stage, stage, stage);
	}
}

void sm_report_html_findings_write_one(FILE *out, const struct sm_outline_finding *row, int number)
{
	sm_html_put(out,
		"<article class=\"finding\" id=\"finding-%d\" tabindex=\"-1\" "
		"data-stage=\"%s\">\n",
		number,
		(unsigned)row->finding->stage < SM_STAGE_COUNT
			? sm_vocabulary_stage_name(row->finding->stage)
			: "");
	write_title(out, row);
	fputs("<div class=\"twocol\"><div>\n", out);
	write_suggestions(out, row);
	write_links(out, row->finding);
	fputs("</div>\n", out);
	write_evidence(out, row);
	fputs("</div>\n", out);
	write_rule(out, row);
	fputs("</article>\n", out);
}

static void write_passed(FILE *out, const struct sm_outline *outline)
{
	if (!outline->passed_count) {
		return;
	}
	sm_html_put(out, "<details class=\"passed\"><summary>%d check%s passed</summary><ul>\n",
		(int)outline->passed_count, outline->passed_count == 1 ? "" : "s");
	for (size_t i = 0; i < outline->passed_count; i++) {
		sm_html_put(out, "<li>%s</li>\n", outline->passed[i]);
	}
	fputs("</ul></details>\n", out);
}

/* Findings are sorted by what they give back, risks last; those that are worth little wait behind a fold. */
static void write_where_shown(FILE *out, const struct sm_outline *outline, bool shown)
{
	for (size_t i = 0; i < outline->finding_count; i++) {
		if (outline->findings[i].shown == shown) {
			sm_report_html_findings_write_one(out, &outline->findings[i], (int)i + 1);
		}
	}
}

static void write_small(FILE *out, const struct sm_outline *outline)
{
	size_t small = outline->finding_count - outline->shown_count;
	if (!small) {
		return;
	}
	sm_html_put(out, "<details class=\"passed\"><summary>%d finding%s below %d %%</summary>\n",
		(int)small, small == 1 ? "" : "s", SM_SEVERITY_SHOWN_PERCENT);
	write_where_shown(out, outline, false);
	fputs("</details>\n", out);
}

void sm_report_html_findings_write(FILE *out, const struct sm_outline *outline)
{
	fputs("<section id=\"findings\"><h2>Findings</h2>\n", out);
	if (!outline->shown_count) {
		sm_html_put(out, "<p class=\"nothing\">None that gives back %d %% or more.</p>\n",
			SM_SEVERITY_SHOWN_PERCENT);
	}
	write_where_shown(out, outline, true);
	write_small(out, outline);
	write_passed(out, outline);
	fputs("</section>\n", out);
}
