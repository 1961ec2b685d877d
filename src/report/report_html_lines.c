#include "report/html.h"
#include "report/report_html.h"

static void write_line(FILE *out, const struct sm_outline_line *line)
{
	sm_html_put(out, "<tr><th scope=\"row\"><code>%s</code></th><td><code>%s</code></td>",
		line->where, line->function);
	sm_html_put(out, "<td><code>%s</code></td><td>%s</td><td>%s</td><td class=\"n\">%s</td>",
		line->calls, line->stage, line->loader, line->share_text);
	sm_html_put(out, "<td class=\"n\">%s</td><td>%s</td></tr>\n", line->looks, line->spent);
}

void sm_report_html_lines_write(FILE *out, const struct sm_outline *outline)
{
	if (!outline->line_count) {
		return;
	}
	fputs("<section id=\"lines\"><h2>Hottest lines</h2>\n<div class=\"loader\">\n"
	      "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">line</th>"
	      "<th scope=\"col\">in</th><th scope=\"col\">calls</th><th scope=\"col\">stage</th>"
	      "<th scope=\"col\">loader</th><th scope=\"col\" class=\"n\">critical path</th>"
	      "<th scope=\"col\" class=\"n\">looks</th><th scope=\"col\">spent</th>"
	      "</tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < outline->line_count; i++) {
		write_line(out, &outline->lines[i]);
	}
	fputs("</tbody></table></div>\n", out);
	sm_html_put(out, "<p class=\"note\">%s.</p>\n</div></section>\n", outline->looks);
}
