/* The page as text of 100 columns. Where a table is too wide its texts are broken into lines, never its figures; where that is
 * not enough each row becomes lines of its own. */
#include "study/page_blocks.h"

#include "report/text.h"

#include <errno.h>

enum { COLUMNS = 100, MARGIN = 2, GAP = 2, TEXT_MIN = 12 };

struct plain {
	FILE *out;
	struct sm_str line, piece; /* owned */
	bool failed;
};

/* --- lines --- */

/* Without the spaces that padding left at its end. */
static void end_line(struct plain *plain)
{
	size_t length = plain->line.length;
	while (length && plain->line.text[length - 1] == ' ') {
		length--;
	}
	fwrite(sm_str_text(&plain->line), 1, length, plain->out);
	fputc('\n', plain->out);
	plain->failed |= plain->line.failed;
	sm_str_clear(&plain->line);
}

/* `text` behind `first`; further lines stand under its beginning. */
static void put_flow(struct plain *plain, const char *first, const char *text)
{
	int indent = sm_text_width(first);
	sm_str_add(&plain->line, first);
	if (indent > COLUMNS / 2) {
		end_line(plain);
		indent = 2 * MARGIN;
		sm_text_add_spaces(&plain->line, indent);
	}
	while (*text) {
		const char *next;
		size_t length = sm_text_break(text, COLUMNS - indent, &next);
		sm_str_add_bytes(&plain->line, text, length);
		text = next;
		if (*text) {
			end_line(plain);
			sm_text_add_spaces(&plain->line, indent);
		}
	}
	end_line(plain);
}

static void put_labelled(struct plain *plain, const char *label, int width, const char *text)
{
	sm_str_clear(&plain->piece);
	sm_text_add_spaces(&plain->piece, MARGIN);
	sm_text_add_padded(&plain->piece, label, width, true);
	sm_text_add_spaces(&plain->piece, GAP);
	plain->failed |= plain->piece.failed;
	put_flow(plain, sm_str_text(&plain->piece), text);
}

static void put_underlined(struct plain *plain, const char *text, const char *stroke)
{
	int width = sm_text_width(text) < COLUMNS ? sm_text_width(text) : COLUMNS;
	put_flow(plain, "", text);
	for (int i = 0; i < width; i++) {
		sm_str_add(&plain->line, stroke);
	}
	end_line(plain);
}

/* --- tables --- */

struct layout {
	int width[SM_PAGE_COLUMNS_MAX];
	int least[SM_PAGE_COLUMNS_MAX]; /* of figures, which stay whole; 1 of texts */
	size_t count;
};

static const char *cell_of(const struct sm_page_grid *grid, size_t row, size_t column)
{
	const char *text = grid->cells[row * grid->column_count + column];
	return text ? text : SM_PAGE_DASH;
}

static int larger(int one, int other)
{
	return one > other ? one : other;
}

static void measure(const struct sm_page_grid *grid, struct layout *layout)
{
	layout->count = grid->column_count;
	for (size_t column = 0; column < layout->count; column++) {
		int widest = 1;
		for (size_t row = 0; row < grid->row_count; row++) {
			widest = larger(widest, sm_text_width(cell_of(grid, row, column)));
		}
		layout->width[column] = larger(widest, sm_text_width(grid->columns[column]));
		layout->least[column] = grid->is_number[column] ? widest : 1;
	}
}

static int total_of(const struct layout *layout)
{
	int total = MARGIN;
	for (size_t column = 0; column < layout->count; column++) {
		total += layout->width[column] + (column ? GAP : 0);
	}
	return total;
}

static bool breaks_a_word(const char *text, int width)
{
	while (*text) {
		const char *next;
		size_t length = sm_text_break(text, width, &next);
		if (*next && next == text + length) {
			return true;
		}
		text = next;
	}
	return false;
}

/* Whether a column can spare a character: down to a width at which words are still words, or, in need, to any that is not
 * a strip. */
static bool can_give(
	const struct sm_page_grid *grid, const struct layout *layout, size_t column, bool in_need)
{
	int next = layout->width[column] - 1;
	if (next < layout->least[column] || (in_need && next < TEXT_MIN)) {
		return false;
	}
	bool breaks = breaks_a_word(grid->columns[column], next);
	for (size_t row = 0; row < grid->row_count && !breaks && !in_need; row++) {
		breaks = breaks_a_word(cell_of(grid, row, column), next);
	}
	return in_need || !breaks;
}

/* Takes a character from the widest column that can spare one; false where none can. */
static bool give_way(const struct sm_page_grid *grid, struct layout *layout, bool in_need)
{
	size_t widest = layout->count;
	for (size_t column = 0; column < layout->count; column++) {
		bool is_wider =
			widest == layout->count || layout->width[column] > layout->width[widest];
		if (is_wider && can_give(grid, layout, column, in_need)) {
			widest = column;
		}
	}
	if (widest == layout->count) {
		return false;
	}
	layout->width[widest]--;
	return true;
}

static bool fit(const struct sm_page_grid *grid, struct layout *layout)
{
	measure(grid, layout);
	for (int in_need = 0; in_need < 2; in_need++) {
		while (total_of(layout) > COLUMNS && give_way(grid, layout, in_need)) {
		}
	}
	return total_of(layout) <= COLUMNS;
}

static void put_piece(
	struct plain *plain, const char *text, size_t length, int width, bool is_number)
{
	sm_str_clear(&plain->piece);
	sm_str_add_bytes(&plain->piece, text, length);
	plain->failed |= plain->piece.failed;
	int room = width - sm_text_width(sm_str_text(&plain->piece));
	sm_text_add_spaces(&plain->line, is_number ? room : 0);
	sm_str_add(&plain->line, sm_str_text(&plain->piece));
	sm_text_add_spaces(&plain->line, is_number ? 0 : room);
}

/* As many lines as its longest cell needs. */
static void put_row(struct plain *plain, const struct sm_page_grid *grid,
	const struct layout *layout, const char *mark, const char *rest[SM_PAGE_COLUMNS_MAX])
{
	bool more = true;
	while (more) {
		more = false;
		sm_str_add(&plain->line, mark);
		for (size_t column = 0; column < grid->column_count; column++) {
			const char *next;
			size_t length = sm_text_break(rest[column], layout->width[column], &next);
			sm_text_add_spaces(&plain->line, column ? GAP : 0);
			put_piece(plain, rest[column], length, layout->width[column],
				grid->is_number[column]);
			rest[column] = next;
			more |= *next != '\0';
		}
		end_line(plain);
		mark = "  ";
	}
}

static const char *mark_of(const struct sm_page_grid *grid, size_t row)
{
	return (ptrdiff_t)row == grid->best ? "* " : "  ";
}

static void put_rows(
	struct plain *plain, const struct sm_page_grid *grid, const struct layout *layout)
{
	const char *rest[SM_PAGE_COLUMNS_MAX] = {NULL};
	for (size_t column = 0; column < grid->column_count; column++) {
		rest[column] = grid->columns[column];
	}
	put_row(plain, grid, layout, "  ", rest);
	for (size_t row = 0; row < grid->row_count; row++) {
		for (size_t column = 0; column < grid->column_count; column++) {
			rest[column] = cell_of(grid, row, column);
		}
		put_row(plain, grid, layout, mark_of(grid, row), rest);
	}
}

static void put_records(struct plain *plain, const struct sm_page_grid *grid)
{
	int width = 1;
	for (size_t column = 0; column < grid->column_count; column++) {
		width = larger(width, sm_text_width(grid->columns[column]));
	}
	width = width > COLUMNS / 3 ? COLUMNS / 3 : width;
	for (size_t row = 0; row < grid->row_count; row++) {
		put_flow(plain, mark_of(grid, row), cell_of(grid, row, 0));
		for (size_t column = 1; column < grid->column_count; column++) {
			put_labelled(
				plain, grid->columns[column], width, cell_of(grid, row, column));
		}
	}
}

static void put_grid(struct plain *plain, const struct sm_page_grid *grid)
{
	struct layout layout;
	if (fit(grid, &layout)) {
		put_rows(plain, grid, &layout);
	} else {
		put_records(plain, grid);
	}
	if (grid->best >= 0) {
		put_flow(plain, "  ", "* best");
	}
	if (*grid->note) {
		put_flow(plain, "  ", grid->note);
	}
	if (grid->lacks) {
		put_flow(plain, "  ", SM_PAGE_DASH " not measured");
	}
}

/* --- blocks --- */

static void put_facts(struct plain *plain, const struct sm_page_block *block)
{
	int width = 1;
	for (size_t i = 0; i < block->fact_count; i++) {
		width = larger(width, sm_text_width(block->facts[i].label));
	}
	width = width > COLUMNS / 3 ? COLUMNS / 3 : width;
	for (size_t i = 0; i < block->fact_count; i++) {
		put_labelled(plain, block->facts[i].label, width, block->facts[i].value);
	}
}

/* Two texts behind `first`, what is between them only where both are there. */
static void put_two(struct plain *plain, const char *first, const char *one, const char *between,
	const char *other)
{
	struct sm_str text = SM_STR_EMPTY;
	sm_str_add(&text, one);
	sm_str_add(&text, *one && *other ? between : "");
	sm_str_add(&text, other);
	plain->failed |= text.failed;
	if (text.length) {
		put_flow(plain, first, sm_str_text(&text));
	}
	sm_str_finish(&text);
}

static void put_suggestion(struct plain *plain, const struct sm_outline_suggestion *suggestion)
{
	put_flow(plain, "  - ", suggestion->text);
	put_two(plain, "    ", suggestion->change, ": ", suggestion->gain);
}

static void put_finding(struct plain *plain, const struct sm_outline_finding *finding)
{
	put_two(plain, "", finding->id, " ", finding->title);
	put_two(plain, "  ", finding->gives_back, ", ", finding->confidence);
	put_two(plain, "  ", finding->where, "; ", finding->cause);
	put_two(plain, "  ", finding->risk, "", "");
	for (size_t i = 0; i < finding->evidence_count; i++) {
		put_two(plain, "  ", finding->evidence[i].label, ": ", finding->evidence[i].value);
	}
	for (size_t i = 0; i < finding->suggestion_count; i++) {
		put_suggestion(plain, &finding->suggestions[i]);
	}
}

static void put_block(struct plain *plain, const struct sm_page_block *block)
{
	end_line(plain);
	switch (block->kind) {
	case SM_PAGE_BLOCK_VERDICT:
		put_flow(plain, "", block->text);
		put_flow(plain, "", block->sentence);
		break;
	case SM_PAGE_BLOCK_FACTS:
		put_facts(plain, block);
		break;
	case SM_PAGE_BLOCK_HEADING:
		put_underlined(plain, block->text, "-");
		break;
	case SM_PAGE_BLOCK_TEXT:
		put_flow(plain, "", block->text);
		break;
	case SM_PAGE_BLOCK_TABLE:
		put_grid(plain, &block->grid);
		break;
	case SM_PAGE_BLOCK_CHART:
		put_two(plain, "", block->plot.title, ": ", block->plot.y);
		put_grid(plain, &block->plot.grid);
		break;
	case SM_PAGE_BLOCK_FINDING:
		put_finding(plain, &block->card.words);
		break;
	}
}

int sm_page_plain_write(const struct sm_page *page, FILE *out)
{
	struct plain plain = {.out = out};
	put_underlined(&plain, page->title, "=");
	put_flow(&plain, "", page->kind);
	for (const struct sm_page_block *block = page->first; block; block = block->next) {
		put_block(&plain, block);
	}
	plain.failed |= plain.line.failed || plain.piece.failed;
	sm_str_finish(&plain.line);
	sm_str_finish(&plain.piece);
	return plain.failed ? -ENOMEM : 0;
}
