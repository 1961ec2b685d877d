/* The page for an issue or a pull request: tables that GitHub and GitLab render; a chart is the table of its points. */
#include "study/page_blocks.h"

#include "report/markdown.h"

static void write_verdict(FILE *out, const struct sm_page_block *block)
{
	sm_markdown_put(out, "**", block->text, "**: ");
	sm_markdown_put(out, "", block->sentence, "\n\n");
}

static void write_facts(FILE *out, const struct sm_page_block *block)
{
	for (size_t i = 0; i < block->fact_count; i++) {
		sm_markdown_put(out, "- ", block->facts[i].label, ": ");
		sm_markdown_put(out, "**", block->facts[i].value, "**\n");
	}
	fputs("\n", out);
}

static void write_row(FILE *out, const struct sm_page_grid *grid, size_t row)
{
	const char *mark = (ptrdiff_t)row == grid->best ? "**" : "";
	fputs("|", out);
	for (size_t column = 0; column < grid->column_count; column++) {
		const char *text = grid->cells[row * grid->column_count + column];
		const char *bold = text && *text ? mark : "";
		fprintf(out, " %s", bold);
		sm_markdown_put(out, "", text ? text : SM_PAGE_DASH, bold);
		fputs(" |", out);
	}
	fputs("\n", out);
}

static void write_note(FILE *out, const struct sm_page_grid *grid)
{
	if (*grid->note || grid->lacks || grid->best >= 0) {
		sm_markdown_put(out, "\n", grid->note, *grid->note ? " " : "");
		fputs(grid->best >= 0 ? "Best in bold. " : "", out);
		fputs(grid->lacks ? SM_PAGE_DASH " not measured." : "", out);
		fputs("\n", out);
	}
}

static void write_grid(FILE *out, const struct sm_page_grid *grid)
{
	for (size_t column = 0; column < grid->column_count; column++) {
		sm_markdown_put(out, column ? " | " : "| ", grid->columns[column], "");
	}
	fputs(" |\n|", out);
	for (size_t column = 0; column < grid->column_count; column++) {
		fputs(grid->is_number[column] ? "--:|" : "---|", out);
	}
	fputs("\n", out);
	for (size_t row = 0; row < grid->row_count; row++) {
		write_row(out, grid, row);
	}
	write_note(out, grid);
	fputs("\n", out);
}

static void write_plot(FILE *out, const struct sm_page_plot *plot)
{
	sm_markdown_put(out, "**", plot->title, "** (");
	sm_markdown_put(out, "", plot->y, ")\n\n");
	write_grid(out, &plot->grid);
}

/* "label: text", where there is a text. */
static void write_item(FILE *out, const char *before, const char *text, const char *after)
{
	if (*text) {
		sm_markdown_put(out, before, text, after);
	}
}

static void write_suggestions(FILE *out, const struct sm_outline_finding *finding)
{
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		const struct sm_outline_suggestion *suggestion = &finding->suggestions[i];
		sm_markdown_put(out, "1. ", suggestion->text, " (");
		write_item(out, "", suggestion->change, ": ");
		sm_markdown_put(out, "", suggestion->gain, ")\n");
	}
	fputs(finding->suggestion_count ? "\n" : "", out);
}

static void write_finding(FILE *out, const struct sm_outline_finding *finding)
{
	sm_markdown_put(out, "### ", finding->id, *finding->id ? " " : "");
	sm_markdown_put(out, "", finding->title, "\n\n");
	sm_markdown_put(out, "**", finding->gives_back, "**, ");
	sm_markdown_put(out, "", finding->confidence, "");
	write_item(out, "; ", finding->where, "");
	write_item(out, " (", finding->cause, ")");
	fputs("\n\n", out);
	write_item(out, "> ", finding->risk, "\n\n");
	for (size_t i = 0; i < finding->evidence_count; i++) {
		sm_markdown_put(out, "- ", finding->evidence[i].label, ": ");
		sm_markdown_put(out, "", finding->evidence[i].value, "\n");
	}
	fputs(finding->evidence_count ? "\n" : "", out);
	write_suggestions(out, finding);
}

static void write_block(FILE *out, const struct sm_page_block *block)
{
	switch (block->kind) {
	case SM_PAGE_BLOCK_VERDICT:
		write_verdict(out, block);
		break;
	case SM_PAGE_BLOCK_FACTS:
		write_facts(out, block);
		break;
	case SM_PAGE_BLOCK_HEADING:
		sm_markdown_put(out, "## ", block->text, "\n\n");
		break;
	case SM_PAGE_BLOCK_TEXT:
		sm_markdown_put(out, "", block->text, "\n\n");
		break;
	case SM_PAGE_BLOCK_TABLE:
		write_grid(out, &block->grid);
		break;
	case SM_PAGE_BLOCK_CHART:
		write_plot(out, &block->plot);
		break;
	case SM_PAGE_BLOCK_FINDING:
		write_finding(out, &block->card.words);
		break;
	}
}

int sm_page_markdown_write(const struct sm_page *page, FILE *out)
{
	sm_markdown_put(out, "# ", page->title, "\n\n");
	sm_markdown_put(out, "", page->kind, "\n\n");
	for (const struct sm_page_block *block = page->first; block; block = block->next) {
		write_block(out, block);
	}
	return 0;
}
