/* What was watched while the job ran, as tables; the pictures over time are the script's. */
#include "report/html.h"
#include "report/report_html.h"

enum { ALERTS_SHOWN = 200 };

static void write_alert(FILE *out, const struct sm_outline_alert *alert)
{
	sm_html_put(out, "<tr><th scope=\"row\" class=\"n\">%s</th><td>%s</td>", alert->at,
		alert->what);
	sm_html_put(out,
		"<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
		alert->value, alert->threshold, alert->lasted);
}

static void write_alerts(FILE *out, const struct sm_outline *outline)
{
	size_t shown = outline->alert_count < ALERTS_SHOWN ? outline->alert_count : ALERTS_SHOWN;
	sm_html_put(out, "<h3>Alerts</h3>\n<p class=\"note\">%s</p>\n", outline->watched);
	if (!shown) {
		return;
	}
	fputs("<div class=\"scroll\"><table class=\"narrow\"><thead><tr><th scope=\"col\" "
	      "class=\"n\">at</th><th scope=\"col\">what</th><th scope=\"col\" "
	      "class=\"n\">was</th><th scope=\"col\" class=\"n\">threshold</th><th scope=\"col\" "
	      "class=\"n\">lasted</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < shown; i++) {
		write_alert(out, &outline->alerts[i]);
	}
	fputs("</tbody></table></div>\n", out);
	if (shown < outline->alert_count) {
		sm_html_put(out, "<p class=\"note\">The first %d of %d.</p>\n", (int)shown,
			(int)outline->alert_count);
	}
}

static void write_metric(FILE *out, const struct sm_outline_metric *row)
{
	fputs(row->is_part ? "<tr class=\"part\"><th scope=\"row\">" : "<tr><th scope=\"row\">",
		out);
	sm_html_put(out, "%s</th>", row->title);
	if (*row->missing) {
		sm_html_put(out, "<td colspan=\"4\">not measured: %s</td>", row->missing);
	} else {
		sm_html_put(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td>", row->mean,
			row->least);
		sm_html_put(out, "<td class=\"n\">%s</td><td class=\"n\">%s</td>", row->most,
			row->last);
	}
	sm_html_put(out, "<td>%s</td></tr>\n", row->description);
}

static void write_metrics(FILE *out, const struct sm_outline *outline)
{
	fputs("<h3>Metrics</h3>\n<div class=\"scroll\"><table><thead><tr><th "
	      "scope=\"col\">metric</th><th "
	      "scope=\"col\" class=\"n\">mean</th><th scope=\"col\" class=\"n\">least</th><th "
	      "scope=\"col\" class=\"n\">most</th><th scope=\"col\" class=\"n\">last</th><th "
	      "scope=\"col\">of</th></tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < outline->metric_count; i++) {
		write_metric(out, &outline->metrics[i]);
	}
	fputs("</tbody></table></div>\n", out);
}

void sm_report_html_monitor_write(FILE *out, const struct sm_outline *outline)
{
	fputs("<section id=\"monitor\"><h2>Metrics and alerts</h2>\n", out);
	write_alerts(out, outline);
	write_metrics(out, outline);
	fputs("</section>\n", out);
}
