/* A table in words. */
#include "study/cell.h"
#include "study/page_blocks.h"

#include <errno.h>
#include <math.h>

/* NULL: not measured. */
static const char *say_cell(struct sm_page *page, const struct sm_page_cell *cell)
{
	char text[SM_CELL_INTERVAL_BYTES];
	if (cell->kind == SM_PAGE_CELL_TEXT) {
		return sm_phrases_clean(&page->words, cell->text);
	}
	if (cell->kind == SM_PAGE_CELL_NONE || isnan(cell->number.middle)) {
		return NULL;
	}
	if (cell->kind == SM_PAGE_CELL_COUNT) {
		return sm_phrases_count(&page->words, cell->number.middle);
	}
	struct sm_study_interval number = cell->number;
	if (cell->kind == SM_PAGE_CELL_NUMBER) {
		number.low = number.high = NAN;
	}
	sm_cell_interval(text, &number);
	return sm_phrases_printf(&page->words, "%s", text);
}

/* Figures stand under each other, to the right: a column without any text, and not of nothing alone. */
static bool is_of_numbers(const struct sm_page_table *table, size_t column)
{
	bool any = false;
	for (size_t row = 0; row < table->row_count; row++) {
		enum sm_page_cell_kind kind = table->cells[row * table->column_count + column].kind;
		if (kind == SM_PAGE_CELL_TEXT) {
			return false;
		}
		any |= kind != SM_PAGE_CELL_NONE;
	}
	return any;
}

int sm_page_grid_build(
	struct sm_page *page, const struct sm_page_table *table, struct sm_page_grid *ret_grid)
{
	size_t columns = table->column_count, count = columns * table->row_count;
	if (!columns || columns > SM_PAGE_COLUMNS_MAX ||
		table->best >= (ptrdiff_t)table->row_count) {
		return -EINVAL;
	}
	struct sm_page_grid grid = {
		.columns = sm_page_alloc(page, columns, sizeof(*grid.columns)),
		.is_number = sm_page_alloc(page, columns, sizeof(*grid.is_number)),
		.cells = sm_page_alloc(page, count, sizeof(*grid.cells)),
		.column_count = columns,
		.row_count = table->row_count,
		.best = table->best,
		.note = sm_phrases_clean(&page->words, table->note),
	};
	if (page->words.failed) {
		return 0;
	}
	for (size_t i = 0; i < columns; i++) {
		grid.columns[i] = sm_phrases_clean(&page->words, table->columns[i]);
		grid.is_number[i] = is_of_numbers(table, i);
	}
	for (size_t i = 0; i < count; i++) {
		grid.cells[i] = say_cell(page, &table->cells[i]);
		grid.lacks |= !grid.cells[i];
	}
	*ret_grid = grid;
	return 0;
}
