/* Sessions: where their time went, as a bar, and the operations in a table. */
#include "report/html.h"
#include "report/report_html.h"

#include <math.h>

enum { BAR_PARTS = 8 }; /* of narrower ones a bar says nothing */

static void write_part(FILE *out, const char *class, const char *name, double share,
	const char *share_text, const char *time)
{
	sm_html_put(out,
		"<li class=\"%s\" style=\"flex-grow:%f;--share:%f\"><span class=\"what\">%s</span>"
		"<b>%s</b><small>%s</small></li>\n",
		class, share, share, name, share_text, time);
}

static void write_bar(FILE *out, const struct sm_outline_session *session)
{
	if (isnan(session->rest) || !session->operation_count) {
		return;
	}
	sm_html_put(out, "<ol class=\"pipe shares\" aria-label=\"Time of session %s\">\n",
		session->name);
	for (size_t i = 0; i < session->operation_count && i < BAR_PARTS; i++) {
		const struct sm_outline_operation *row = &session->operations[i];
		if (row->share > 0) {
			write_part(
				out, "s-compute", row->name, row->share, row->share_text, row->own);
		}
	}
	write_part(out, "s-other", "in no operation", session->rest, session->rest_text,
		session->rest_time);
	fputs("</ol>\n<p class=\"note\">Width: an operation's own time, without the operations "
	      "inside it.</p>\n",
		out);
}

static void write_row(FILE *out, const struct sm_outline_operation *row)
{
	sm_html_put(out,
		"<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"n\">%s</td><td "
		"class=\"n\">%s</td>",
		row->name, row->type, row->share_text, row->own);
	sm_html_put(out,
		"<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td><td "
		"class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
		row->inclusive, row->count, row->typical, row->slow, row->ceiling);
}

static void write_table(FILE *out, const struct sm_outline_session *session)
{
	if (!session->operation_count) {
		fputs("<p class=\"note\">No operation was profiled in it.</p>\n", out);
		return;
	}
	fputs("<div class=\"scroll\"><table><caption>Operations</caption><thead><tr>"
	      "<th scope=\"col\">operation</th><th scope=\"col\">type</th>"
	      "<th scope=\"col\" class=\"n\">of the session</th><th scope=\"col\" "
	      "class=\"n\">own</th>"
	      "<th scope=\"col\" class=\"n\">with those inside</th><th scope=\"col\" "
	      "class=\"n\">times</th>"
	      "<th scope=\"col\" class=\"n\">median</th><th scope=\"col\" "
	      "class=\"n\">99th</th><th scope=\"col\" class=\"n\">at most faster</th>"
	      "</tr></thead><tbody>\n",
		out);
	for (size_t i = 0; i < session->operation_count; i++) {
		write_row(out, &session->operations[i]);
	}
	fputs("</tbody></table></div>\n", out);
}

static void write_notes(FILE *out, const struct sm_outline_session *session)
{
	fputs(session->note_count ? "<ul>\n" : "", out);
	for (size_t i = 0; i < session->note_count; i++) {
		sm_html_put(out, "<li>%s</li>\n", session->notes[i]);
	}
	fputs(session->note_count ? "</ul>\n" : "", out);
}

void sm_report_html_sessions_write(FILE *out, const struct sm_outline *outline)
{
	if (!outline->session_count) {
		return;
	}
	fputs("<section id=\"sessions\"><h2>Sessions</h2>\n", out);
	for (size_t i = 0; i < outline->session_count; i++) {
		const struct sm_outline_session *session = &outline->sessions[i];
		sm_html_put(out, "<section class=\"loader\"><h3>%s: %s</h3>\n", session->name,
			session->wall);
		if (*session->state) {
			sm_html_put(out, "<p class=\"note\">%s</p>\n", session->state);
		}
		write_notes(out, session);
		write_bar(out, session);
		write_table(out, session);
		fputs("</section>\n", out);
	}
	fputs("</section>\n", out);
}
