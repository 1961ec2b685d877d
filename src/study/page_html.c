/* The page: the shell of web/dist/study.html, which shares its style with the report of a run, filled with the blocks. Sections
 * are cards; what follows a verdict directly stands in its card; charts that follow each other stand side by side. */
#include "study/page_blocks.h"

#include "report/html.h"
#include "report/report_html.h"

#include <stallmeter/stallmeter.h>

enum page_slot { PAGE_TEXT, PAGE_TITLE, PAGE_BODY };

static const struct page_piece {
	enum page_slot slot;
	const char *text; /* of PAGE_TEXT */
} pieces[] = {
#include "study_page.inc"
};

/* What is open around the next block. */
enum box { BOX_NONE, BOX_VERDICT, BOX_PART, BOX_CHARTS /* in a part */ };

static const char *const tones[] = {
	[SM_PAGE_PLAIN] = "plain",
	[SM_PAGE_FINE] = "fine",
	[SM_PAGE_PARTLY] = "partly",
	[SM_PAGE_BOUND] = "bound",
	[SM_PAGE_UNSURE] = "unsure",
};

static void write_head(FILE *out, const struct sm_page *page)
{
	sm_html_put(out,
		"<header class=\"top\"><div class=\"name\"><p class=\"brand\">stallmeter "
		"<span>" SM_VERSION "</span></p><h1>%s</h1></div><p class=\"facts\">%s</p>"
		"</header>\n",
		page->title, page->kind);
}

static void write_verdict(FILE *out, const struct sm_page_block *block)
{
	sm_html_put(out,
		"<section class=\"verdict %s\" aria-label=\"Verdict\">\n<p class=\"chip\">%s</p>\n"
		"<p class=\"sentence\">%s</p>\n",
		tones[block->tone], block->text, block->sentence);
}

static void write_facts(FILE *out, const struct sm_page_block *block)
{
	fputs("<dl class=\"brief\">\n", out);
	for (size_t i = 0; i < block->fact_count; i++) {
		sm_html_put(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", block->facts[i].label,
			block->facts[i].value);
	}
	fputs("</dl>\n", out);
}

static void write_cell(FILE *out, const struct sm_page_grid *grid, size_t row, size_t column)
{
	const char *text = grid->cells[row * grid->column_count + column];
	const char *name = grid->is_number[column] ? " class=\"n\"" : "";
	fprintf(out, column ? "<td%s>" : "<th scope=\"row\"%s>", name);
	if (text) {
		sm_html_put(out, "%s", text);
	} else {
		fputs("<span class=\"none\" aria-hidden=\"true\">" SM_PAGE_DASH
		      "</span><span class=\"unseen\">not measured</span>",
			out);
	}
	fputs(column ? "</td>" : "</th>", out);
}

static void write_row(FILE *out, const struct sm_page_grid *grid, size_t row)
{
	bool is_best = (ptrdiff_t)row == grid->best;
	fputs(is_best ? "<tr class=\"best\">" : "<tr>", out);
	for (size_t column = 0; column < grid->column_count; column++) {
		write_cell(out, grid, row, column);
	}
	if (grid->best >= 0) {
		fputs(is_best ? "<td class=\"mark\">best</td>" : "<td></td>", out);
	}
	fputs("</tr>\n", out);
}

static void write_note(FILE *out, const struct sm_page_grid *grid)
{
	if (*grid->note || grid->lacks) {
		sm_html_put(out, "<p class=\"note\">%s%s%s</p>\n", grid->note,
			*grid->note && grid->lacks ? " " : "",
			grid->lacks ? SM_PAGE_DASH " not measured." : "");
	}
}

static void write_grid(FILE *out, const struct sm_page_grid *grid)
{
	/* It scrolls, so the keyboard must reach it. */
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">"
	      "<table class=\"trials\"><thead><tr>",
		out);
	for (size_t column = 0; column < grid->column_count; column++) {
		sm_html_put(out,
			grid->is_number[column] ? "<th scope=\"col\" class=\"n\">%s</th>"
						: "<th scope=\"col\">%s</th>",
			grid->columns[column]);
	}
	fputs(grid->best >= 0 ? "<td></td></tr></thead><tbody>\n" : "</tr></thead><tbody>\n", out);
	for (size_t row = 0; row < grid->row_count; row++) {
		write_row(out, grid, row);
	}
	fputs("</tbody></table></div>\n", out);
	write_note(out, grid);
}

static void write_plot(FILE *out, const struct sm_page_plot *plot, int number)
{
	fputs("<figure class=\"chart\">\n", out);
	sm_page_svg_write(out, plot, number);
	fputs("<details><summary>The numbers</summary>\n", out);
	write_grid(out, &plot->grid);
	fputs("</details>\n</figure>\n", out);
}

/* --- boxes --- */

static enum box box_of(const struct sm_page_block *block, enum box now)
{
	switch (block->kind) {
	case SM_PAGE_BLOCK_VERDICT:
		return BOX_VERDICT;
	case SM_PAGE_BLOCK_CHART:
		return BOX_CHARTS;
	case SM_PAGE_BLOCK_FACTS:
		return now == BOX_VERDICT ? BOX_VERDICT : BOX_PART;
	default:
		return BOX_PART;
	}
}

/* A verdict and a heading begin a box of their own, the others one of their kind where none is open. */
static void change_box(FILE *out, const struct sm_page_block *block, enum box now, enum box next)
{
	bool begins = !block || block->kind == SM_PAGE_BLOCK_VERDICT ||
		      block->kind == SM_PAGE_BLOCK_HEADING;
	bool within = (now == BOX_PART || now == BOX_CHARTS) &&
		      (next == BOX_PART || next == BOX_CHARTS) && !begins;
	if (now == BOX_CHARTS && (next != BOX_CHARTS || begins)) {
		fputs("</div>\n", out);
	}
	if (now != BOX_NONE && !within && (now != next || begins)) {
		fputs("</section>\n", out);
	}
	if ((next == BOX_PART || next == BOX_CHARTS) && !within) {
		fputs("<section class=\"part\">\n", out);
	}
	if (next == BOX_CHARTS && now != BOX_CHARTS) {
		fputs("<div class=\"charts\">\n", out);
	}
}

static void write_block(FILE *out, const struct sm_page_block *block, int *chart_count)
{
	switch (block->kind) {
	case SM_PAGE_BLOCK_VERDICT:
		write_verdict(out, block);
		break;
	case SM_PAGE_BLOCK_FACTS:
		write_facts(out, block);
		break;
	case SM_PAGE_BLOCK_HEADING:
		sm_html_put(out, "<h2>%s</h2>\n", block->text);
		break;
	case SM_PAGE_BLOCK_TEXT:
		sm_html_put(out, "<p>%s</p>\n", block->text);
		break;
	case SM_PAGE_BLOCK_TABLE:
		write_grid(out, &block->grid);
		break;
	case SM_PAGE_BLOCK_CHART:
		write_plot(out, &block->plot, ++*chart_count);
		break;
	case SM_PAGE_BLOCK_FINDING:
		sm_report_html_findings_write_one(out, &block->card.words, block->card.number);
		break;
	}
}

static void write_body(FILE *out, const struct sm_page *page)
{
	enum box box = BOX_NONE;
	int chart_count = 0;
	write_head(out, page);
	for (const struct sm_page_block *block = page->first; block; block = block->next) {
		enum box next = box_of(block, box);
		change_box(out, block, box, next);
		write_block(out, block, &chart_count);
		box = next;
	}
	change_box(out, NULL, box, BOX_NONE);
}

static void write_title(FILE *out, const struct sm_page *page)
{
	const struct sm_page_block *block = page->first;
	while (block && block->kind != SM_PAGE_BLOCK_VERDICT) {
		block = block->next;
	}
	sm_html_put(out, "%s: %s%s%s", page->title, page->kind, block ? ": " : "",
		block ? block->text : "");
}

int sm_page_html_write(const struct sm_page *page, FILE *out)
{
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		switch (pieces[i].slot) {
		case PAGE_TEXT:
			fputs(pieces[i].text, out);
			break;
		case PAGE_TITLE:
			write_title(out, page);
			break;
		case PAGE_BODY:
			write_body(out, page);
			break;
		}
	}
	return 0;
}
