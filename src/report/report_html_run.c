/* How far to trust the rest: what was run, what it cost to watch, what was not seen. */
#include "report/html.h"
#include "report/report_html.h"

static void write_pairs(
	FILE *out, const char *caption, const struct sm_outline_pair *pairs, size_t count)
{
	if (!count) {
		return;
	}
	sm_html_put(out, "<div class=\"scroll\"><table><caption>%s</caption><tbody>\n", caption);
	for (size_t i = 0; i < count; i++) {
		sm_html_put(out, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", pairs[i].label,
			pairs[i].value);
	}
	fputs("</tbody></table></div>\n", out);
}

void sm_report_html_run_write(FILE *out, const struct sm_outline *outline)
{
	fputs("<section id=\"run\"><h2>Run and quality</h2>\n", out);
	if (*outline->command) {
		sm_html_put(out, "<p><code class=\"command\">%s</code></p>\n", outline->command);
	}
	sm_html_put(out, "<p>%s; %s.</p>\n", outline->quality, outline->overhead);
	write_pairs(out, "Not measured", outline->not_measured, outline->not_measured_count);
	write_pairs(out, "Operations", outline->operations, outline->operation_count);
	fputs("</section>\n", out);
}
