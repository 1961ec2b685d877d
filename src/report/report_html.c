/* One file, readable for ever and without a network: the page's shell, built from web/ and turned into
 * report_page.inc by tools/embed.py, with slots that are filled here.
 *
 * What a reader must not miss is in the source as HTML, so it shows without JavaScript, in a mail preview and to grep.
 * The script adds pictures, and its data is the same JSON that `--json` writes. The policy in the shell's head allows
 * exactly that script, by its hash, and no request at all. */
#include "report/report_html.h"

#include "report/html.h"

#include <errno.h>

enum page_slot {
	PAGE_TEXT,
	PAGE_TITLE,
	PAGE_VERDICT,
	PAGE_PIPELINE,
	PAGE_FINDINGS,
	PAGE_LOADERS,
	PAGE_MONITOR,
	PAGE_RUN,
	PAGE_DATA
};

static const struct page_piece {
	enum page_slot slot;
	const char *text; /* of PAGE_TEXT */
} pieces[] = {
#include "report_page.inc"
};

static int fill(FILE *out, const struct page_piece *piece, const struct sm_report *report,
	const struct sm_outline *outline)
{
	switch (piece->slot) {
	case PAGE_TEXT:
		fputs(piece->text, out);
		break;
	case PAGE_TITLE:
		sm_html_put(out, "%s: %s", outline->title, outline->verdict);
		break;
	case PAGE_VERDICT:
		sm_report_html_verdict_write(out, outline);
		break;
	case PAGE_PIPELINE:
		sm_report_html_loaders_pipeline_write(out, outline);
		break;
	case PAGE_FINDINGS:
		sm_report_html_findings_write(out, outline);
		break;
	case PAGE_LOADERS:
		sm_report_html_lines_write(out, outline);
		sm_report_html_loaders_write(out, outline);
		sm_report_html_sessions_write(out, outline);
		break;
	case PAGE_MONITOR:
		sm_report_html_monitor_write(out, outline);
		break;
	case PAGE_RUN:
		sm_report_html_run_write(out, outline);
		break;
	case PAGE_DATA:
		return sm_report_html_data_write(out, report);
	}
	return 0;
}

int sm_report_html(const struct sm_report *report, FILE *out)
{
	struct sm_outline outline;
	int rc = sm_outline_build(&outline, report, true);
	for (size_t i = 0; !rc && i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		rc = fill(out, &pieces[i], report, &outline);
	}
	sm_outline_finish(&outline);
	return rc ? rc : fflush(out) || ferror(out) ? -EIO : 0;
}
