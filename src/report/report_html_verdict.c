/* The first screen: is the input what binds, how sure, what is the one cause, the one fix, and what would it buy. */
#include "report/html.h"
#include "report/report_html.h"

#include <stallmeter/stallmeter.h>

#include <math.h>
#include <string.h>

static const char *tone(enum sm_verdict_class class_)
{
	return class_ == SM_VERDICT_COMPUTE_BOUND	 ? "fine"
	       : class_ == SM_VERDICT_CANNOT_TELL	 ? "unsure"
	       : class_ == SM_VERDICT_PARTLY_INPUT_BOUND ? "partly"
							 : "bound";
}

static const char *part_class(char kind)
{
	return kind == 'd' ? "data" : kind == 't' ? "copy" : kind == 'h' ? "host" : "compute";
}

static void write_head(FILE *out, const struct sm_outline *outline)
{
	sm_html_put(out,
		"<header class=\"top\"><div class=\"name\"><p class=\"brand\">stallmeter "
		"<span>" SM_VERSION "</span></p><h1>%s</h1></div>"
		"<p class=\"facts\">%s%s%s</p><div class=\"tools\" id=\"tools\"></div></header>\n",
		outline->title, outline->facts, *outline->started ? ", started " : "",
		outline->started);
	if (*outline->broken) {
		sm_html_put(out, "<p class=\"broken\" role=\"alert\">%s</p>\n", outline->broken);
	}
}

static void write_figure(FILE *out, const char *name, const char *value, const char *note)
{
	sm_html_put(out, "<div><dt>%s</dt><dd>%s</dd>", name, value);
	sm_html_put(out, "<dd class=\"note\">%s</dd></div>\n", note);
}

static bool is_known(const char *value)
{
	return strcmp(value, "unknown") != 0;
}

static void write_figures(FILE *out, const struct sm_outline *outline)
{
	fputs("<dl class=\"figures\">\n", out);
	if (is_known(outline->stall)) {
		write_figure(out, "stall", outline->stall, outline->stall_range);
	}
	if (is_known(outline->ceiling_times)) {
		write_figure(out, "ceiling", outline->ceiling_times, "if input cost nothing");
	}
	if (is_known(outline->hidden)) {
		write_figure(out, "hidden wait", outline->hidden, "costs no time");
	}
	if (is_known(outline->step)) {
		write_figure(out, "mean step", outline->step, outline->rate);
	}
	fputs("</dl>\n", out);
}

static void write_step(FILE *out, const struct sm_outline *outline)
{
	if (!outline->part_count) {
		return;
	}
	fputs("<div class=\"step\"><div class=\"strip\" aria-hidden=\"true\">", out);
	for (size_t i = 0; i < outline->part_count; i++) {
		sm_html_put(out, "<i class=\"p-%s\" style=\"flex-grow:%f\"></i>",
			part_class(outline->parts[i].kind), outline->parts[i].share);
	}
	sm_html_put(out, "</div>\n<ul class=\"legend\" aria-label=\"A mean step of %s\">",
		outline->step);
	for (size_t i = 0; i < outline->part_count; i++) {
		const struct sm_outline_part *part = &outline->parts[i];
		sm_html_put(out, "<li><i class=\"p-%s\"></i>%s <b>%s</b> <small>%s</small></li>",
			part_class(part->kind), part->name, part->value, part->share_text);
	}
	fputs("</ul></div>\n", out);
}

static void write_advice(FILE *out, const struct sm_outline *outline)
{
	fputs("<dl class=\"advice\">\n", out);
	sm_html_put(out, "<dt>%s</dt><dd><p>%s</p>", outline->cause_label, outline->cause);
	if (*outline->proof) {
		sm_html_put(out, "<p class=\"note\">%s</p>", outline->proof);
	}
	fputs("</dd>\n", out);
	if (*outline->next) {
		sm_html_put(
			out, "<dt>Next step</dt><dd><p>%s</p><p class=\"gain\">", outline->next);
		if (*outline->next_change) {
			sm_html_put(out, "<code>%s</code> ", outline->next_change);
		}
		sm_html_put(out, "<b>%s</b></p></dd>\n", outline->next_gain);
	}
	if (*outline->ceiling && outline->class_ != SM_VERDICT_COMPUTE_BOUND &&
		outline->class_ != SM_VERDICT_CANNOT_TELL) {
		sm_html_put(out, "<dt>Ceiling</dt><dd><p>%s</p></dd>\n", outline->ceiling);
	}
	fputs("</dl>\n", out);
}

void sm_report_html_verdict_write(FILE *out, const struct sm_outline *outline)
{
	write_head(out, outline);
	sm_html_put(out, "<section id=\"verdict\" class=\"verdict %s\" aria-label=\"Verdict\">\n",
		tone(outline->class_));
	sm_html_put(out, "<p class=\"chip\">%s</p>\n<p class=\"sentence\">%s</p>\n",
		outline->verdict, outline->sentence);
	write_step(out, outline);
	fputs("<div class=\"twocol\">\n", out);
	write_advice(out, outline);
	write_figures(out, outline);
	fputs("</div>\n</section>\n", out);
}
